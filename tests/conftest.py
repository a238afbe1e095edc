"""What every test is held to, as pytest alone would let it pass: nothing logged as a failure, nothing left behind."""

import functools
import gc
import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from twisted.internet import reactor  # noqa: TID251  # to look whether anything was left on it
from twisted.internet.defer import ensureDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]
from zope.interface import implementer

from tests.support import log_anew

LONGEST = 60.0
"""Seconds for which an ``async`` test may wait: a Deferred that never fires fails its test, and not the whole run."""


@implementer(ILogObserver)
class Logged:
    """What was logged during a test: failures and worse, which fail it unless they are taken with `flush`."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_level") in (LogLevel.error, LogLevel.critical) or "log_failure" in event:
            self.events.append(event)

    def flush(self) -> list[LogEvent]:
        """Return what was logged, and do not fail for it."""
        events, self.events = self.events, []
        return events


@pytest.fixture(autouse=True)
def logged() -> Iterator[Logged]:
    """Fail a test that logs an error which it does not expect; an unhandled error in a Deferred is one."""
    observer = Logged()
    log_anew()
    globalLogPublisher.addObserver(observer)
    yield observer
    gc.collect()  # a Deferred tells of its unhandled error when it goes
    globalLogPublisher.removeObserver(observer)
    texts = [str(event.get("log_failure") or event.get("log_format")) for event in observer.events]
    assert not texts, f"logged: {texts}"


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that leaves a delayed call, on the reactor or on a `Clock` that it made, or an open port."""
    clocks: list[Clock] = []
    made = Clock.__init__

    def make(clock: Clock) -> None:
        made(clock)
        clocks.append(clock)

    monkeypatch.setattr(Clock, "__init__", make)
    yield
    left = [call for clock in (reactor, *clocks) for call in clock.getDelayedCalls()]
    ports = [reader for reader in reactor.getReaders() if IListeningPort.providedBy(reader)]
    for call in left:
        call.cancel()
    assert not left, f"left behind: {left}"
    assert not ports, f"left open: {ports}"


def pytest_collection_finish() -> None:
    """Let the collections after each test pass over what was there before them all: they take half the time."""
    gc.collect()
    gc.freeze()


APART = (
    "tests/docs/",
    "tests/packaging/",
    *(f"tests/system/test_{name}.py" for name in ("allow", "chaos", "check", "discovery", "testing", "upgrades")),
)
"""What uses real processes, but judges no figure of time: it wants a worker of its own, and disturbs nobody."""


class OneMachine(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps on one worker what needs the real machine: two of that kind at once would disturb each other."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(APART):
            return "apart"
        return "machine" if nodeid.startswith("tests/system/") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneMachine:
    """Share the tests out among the workers; the largest share begins first."""
    return OneMachine(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let no ``async`` test wait for ever."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = _bounded(item.obj)


def _bounded(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def bounded(*args: Any, **kwargs: Any) -> None:
        await ensureDeferred(test(*args, **kwargs)).addTimeout(LONGEST, reactor)  # type: ignore[arg-type]

    return bounded
