"""A console whose daemon and whose gateway live in the test: no sockets, no reactor, no time that passes."""

from pathlib import Path
from typing import Any, cast

from click.testing import CliRunner, Result
from klein.resource import KleinResource
from treq.testing import StubTreq
from twisted.internet.defer import Deferred, ensureDeferred, fail
from twisted.internet.error import ConnectError, ConnectionRefusedError  # noqa: A004
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from tests.support import FakeClock, memory_gateway, memory_store
from ttgateway.api.app import api_resource
from ttgateway.api.site import ApiSite
from ttgateway.control.calling import Requests
from ttgateway.control.console import Console, Work
from ttgateway.control.ending import Ending
from ttgateway.control.server import control_resource
from ttgateway.feeds.audience import Audience
from ttgateway.figures import DeliveryFigures
from ttgateway.metrics import Metrics

ROUNDS = 400
"""How often things are moved on by `STEP` seconds before a command counts as hung."""

STEP = 0.05


class Wire:
    """Requests to a resource in this process, or (``down``) to nobody."""

    def __init__(self, resource: KleinResource | Any, reactor: MemoryReactorClock, *, api: bool = False) -> None:
        self.down: Exception | None = None
        self.asked: list[tuple[str, str]] = []
        self._treq: Any = StubTreq(resource)  # type: ignore[no-untyped-call]
        if api:
            site = ApiSite(resource, reactor, lambda host: True, frozenset())
            self._treq._agent._serverFactory = site

    def request(self, method: str, url: str, **options: Any) -> Deferred[Any]:
        self.asked.append((method, url))
        if self.down is not None:
            return fail(self.down)
        options.pop("reactor")
        return cast(Deferred[Any], self._treq.request(method, url, **options))

    def flush(self) -> None:
        self._treq.flush()


class House:
    """A gateway, its daemon's control socket, and a console towards both."""

    def __init__(self, state_dir: Path) -> None:
        self.reactor = MemoryReactorClock()
        clock = FakeClock(self.reactor)
        self.store = memory_store(self.reactor, clock=clock)
        self.gateway = memory_gateway(self.store, clock)
        self.control = Wire(control_resource(self.gateway), self.reactor)
        metrics = Metrics(self.gateway, self.store, DeliveryFigures())
        audience = Audience(self.gateway, self.reactor)
        self.web = Wire(api_resource(self.gateway, self.reactor, metrics, audience), self.reactor, api=True)
        self.ending = Ending(self.reactor)
        self.console = Console(
            state_dir=state_dir,
            run=self.run,
            control=lambda reactor: cast(Requests, self.control),
            web=lambda reactor: cast(Requests, self.web),
            browse=lambda seconds: [],
        )

    def stop_daemon(self) -> None:
        self.control.down = ConnectError(OSError(2, "No such file or directory"))
        self.web.down = ConnectionRefusedError()

    def start(self, work: Work[Any]) -> list[Any]:
        """Begin ``work``; the list gets its result."""
        results: list[Any] = []
        ensureDeferred(work(self.reactor, self.ending)).addBoth(results.append)  # type: ignore[arg-type]
        return results

    def move(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            self.control.flush()
            self.web.flush()
            self.reactor.advance(STEP)

    def run(self, work: Work[Any]) -> Any:
        """Run ``work`` to its end, which must come within `ROUNDS` steps."""
        results = self.start(work)
        for _ in range(ROUNDS):
            if results:
                break
            self.move()
        assert results, "the command does not end"
        self.move(3)  # what closes its connections
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return results[0]

    def invoke(self, command: Any, *arguments: str) -> Result:
        return CliRunner().invoke(command, arguments, obj=self.console, prog_name="ttgateway")

    def names(self) -> list[str]:
        return [token.name for token in self.gateway.secrets.all()]
