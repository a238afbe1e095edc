"""What tests put in the place of the machine: a clock, an executor, a gateway in memory, and a network of fakes."""

import itertools
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, ensureDeferred, execute
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from ttgateway.gateway import Gateway
from ttgateway.machine import IPAddress
from ttgateway.notifier.callbacks.policy import CallPolicy
from ttgateway.notifier.callbacks.resolver import NameNotFound
from ttgateway.orders.moment import Moment
from ttgateway.settings import Settings
from ttgateway.sparing import _sparing as sparing
from ttgateway.store.store import Store, open_memory

T = TypeVar("T")

NOON = 1_474_571_332.0
"""2016-09-22T19:08:52 UTC: the moment of the protocol's first sample."""


DEFAULTS = Settings()


class FakeClock:
    """A `ttgateway.clock.Clock` that follows the timers of a `task.Clock`; its wall clock can be set."""

    def __init__(self, timers: Clock, boot: str = "boot-1") -> None:
        self.boot = boot
        self.timers = timers
        self.wall_ahead = NOON
        self.up_ahead = 1_000.0

    def now(self) -> Moment:
        seconds = self.timers.seconds()
        return Moment(wall=self.wall_ahead + seconds, uptime=self.up_ahead + seconds)

    def wall(self) -> float:
        return self.now().wall


class AtOnce:
    """An executor that runs work when it is given."""

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        return execute(work)

    def close(self) -> None:
        pass


class OnDemand:
    """An executor that keeps work until it is told to run it: what a slow disk looks like to the reactor."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = []

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        result: Deferred[T] = Deferred()
        self.waiting.append((work, result))
        return result

    def step(self) -> None:
        """Run the oldest piece of work."""
        work, result = self.waiting.pop(0)
        execute(work).chainDeferred(result)

    def close(self) -> None:
        pass


def entropy() -> Callable[[int], bytes]:
    """Return a source of bytes that are never random, and never the same."""
    counter = itertools.count(1)
    return lambda size: next(counter).to_bytes(size, "big")


def memory_store(
    timers: Clock,
    *,
    clock: FakeClock | None = None,
    executor: AtOnce | OnDemand | None = None,
    settings: Settings = DEFAULTS,
) -> Store:
    """Return an empty store in memory."""
    return open_memory(
        clock=clock or FakeClock(timers), timers=timers, executor=executor or AtOnce(), limits=settings.journal
    )


class NoCallbacks:
    """The side that calls listeners, for gateways that need none: every URL is fine, and somebody is there."""

    def canonical(self, url: object) -> str:
        return str(url)

    def check_secret(self, secret: object) -> str:
        return str(secret)

    async def reach(self, url: str, caller: str) -> None:
        pass


def memory_gateway(store: Store, clock: FakeClock, *, settings: Settings = DEFAULTS, callbacks: Any = None) -> Gateway:
    """Return a gateway on ``store``."""
    return Gateway(store, clock, settings, callbacks or NoCallbacks(), entropy())


def result_of(pending: Awaitable[T]) -> T:
    """Return what a Deferred or a coroutine has come to, or raise what it failed with; fail if it is still waiting."""
    results: list[Any] = []
    ensureDeferred(pending).addBoth(results.append)  # type: ignore[arg-type]
    assert results, f"still waiting: {pending}"
    if isinstance(results[0], Failure):
        results[0].raiseException()
    return results[0]  # type: ignore[no-any-return]


def log_anew() -> None:
    """Let what was logged by now silence nothing that comes."""
    for table in (sparing._shares, sparing._own, sparing._withheld):
        table.clear()


def open_policy(**changed: Any) -> CallPolicy:
    """Return a policy that allows everything a test may want to call."""
    values: dict[str, Any] = {
        "allow": [(ip_network("0.0.0.0/0"), None), (ip_network("::/0"), None)],
        "source_only": False,
        "loopback": True,
        "own_ports": (),
        "is_own": lambda address: False,
        "default_gateways": tuple,
    }
    return CallPolicy(**{**values, **changed})


class Names:
    """A resolver that knows what it was told."""

    def __init__(self, **known: tuple[IPAddress, ...]) -> None:
        self.known = known
        self.asked: list[str] = []
        self.forgotten: list[str] = []

    def resolve(self, name: str) -> Deferred[tuple[IPAddress, ...]]:
        self.asked.append(name)
        result: Deferred[tuple[IPAddress, ...]] = Deferred()
        if name in self.known:
            result.callback(self.known[name])
        else:
            result.errback(NameNotFound(name))
        return result

    def forget(self, name: str) -> None:
        self.forgotten.append(name)
