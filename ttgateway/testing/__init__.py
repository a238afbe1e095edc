"""A running gateway, and a listener that records, as pytest fixtures for the tests of your own software.

Say ``pytest_plugins = ["ttgateway.testing"]`` in the ``conftest.py`` next to your pytest settings, and install
``ttgateway[testing]``. ``docs/testing.rst`` tells the rest. Nothing of the gateway itself imports this.
"""

from collections.abc import Generator, Iterator
from contextlib import closing

import pytest

from ttgateway.testing.calling import Refused
from ttgateway.testing.gateway import GatewayFailed, RunningGateway
from ttgateway.testing.listener import Recorded, RecordingListener

__all__ = ["GatewayFailed", "Recorded", "RecordingListener", "Refused", "RunningGateway"]

_LOG = 3000
"""Characters of a gateway's log that are shown when a test fails."""


@pytest.fixture(scope="session")
def gateway_settings() -> str:
    """The settings of the gateways, as TOML; define a fixture of this name to have others than the defaults."""
    return ""


@pytest.fixture
def gateway(gateway_settings: str) -> Iterator[RunningGateway]:
    """A gateway for one test, which begins with nothing. It takes a second to start."""
    with closing(RunningGateway(gateway_settings)) as running:
        yield running.start()


@pytest.fixture(scope="session")
def session_gateway(gateway_settings: str) -> Iterator[RunningGateway]:
    """A gateway for all tests of the session, with what each of them leaves in it; see `shared_gateway`."""
    with closing(RunningGateway(gateway_settings)) as running:
        yield running.start()


@pytest.fixture
def shared_gateway(session_gateway: RunningGateway) -> Iterator[RunningGateway]:
    """The gateway of all tests, from which each test's orders and listeners are removed at its end."""
    if not session_gateway.runs:  # an earlier test has left it so
        session_gateway.start()
    yield session_gateway
    if session_gateway.runs:
        session_gateway.reset()


@pytest.fixture
def listener() -> Iterator[RecordingListener]:
    """A listener that records; it is not registered."""
    with closing(RecordingListener()) as listener:
        yield listener


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the gateway has logged, where a test fails."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, RunningGateway) and value.log:
                report.sections.append((f"log of {name}", value.log[-_LOG:]))
    return report
