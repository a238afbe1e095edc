"""A whole gateway on fakes: orders go in at one end, and what listeners are sent comes out at the other."""

import json
from pathlib import Path
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock

from tests.notifier.network import FakeDial, Peer, fake_network, pass_time
from tests.store.files import shop_in
from tests.support import DEFAULTS, AtOnce, FakeClock, Names, OnDemand, memory_gateway, memory_store, result_of
from ttgateway.notifier.callbacks.reach import Reach
from ttgateway.notifier.notifier import Notifier
from ttgateway.orders.order import ClearedReason, OrderType
from ttgateway.registry import Registration
from ttgateway.settings import Settings
from ttgateway.store.tables.listeners import Listener, Progress


class Shop:
    """Time passes only in `wait`; jitter is always in the middle, so that delays are what the tables say.

    With a ``directory``, the store is in a file there.
    """

    def __init__(
        self,
        *,
        executor: AtOnce | OnDemand | None = None,
        settings: Settings = DEFAULTS,
        names: Names | None = None,
        directory: Path | None = None,
    ) -> None:
        self.timers = Clock()
        self.clock = FakeClock(self.timers)
        self.dial = FakeDial()
        if directory is None:
            self.store = memory_store(self.timers, clock=self.clock, executor=executor, settings=settings)
        else:
            self.store = shop_in(directory, self.clock, limits=settings.journal).store
        self.network = fake_network(self.timers, dial=self.dial, names=names)
        self.gateway = memory_gateway(self.store, self.clock, settings=settings, callbacks=Reach(self.network))
        self.notifier = self._notifier()
        self.notifier.start()

    def _notifier(self) -> Notifier:
        return Notifier(self.gateway, self.store, self.network, self.clock, self.timers, lambda: 0.5)

    def register(self, last: int = 2, api: int = 2, **asked: Any) -> Listener:
        """Register the listener at 10.0.0.``last``, which answers the HEAD."""
        registration = Registration(url=f"http://10.0.0.{last}/", api=api, caller="10.0.0.99", **asked)
        registering = ensureDeferred(self.gateway.registry.register(registration))
        self.dial.peer.answer(405)
        return result_of(registering)

    def replay(self, listener: Listener, since: int) -> None:
        result_of(self.gateway.registry.replay(listener.id, since))

    def resync(self, listener: Listener) -> None:
        result_of(self.gateway.registry.resync(listener.id))

    def post(self, name: str, location: str = "", kind: OrderType = OrderType.ON_PREMISE) -> None:
        result_of(self.gateway.post(name, kind, location))

    def page(self, name: str) -> None:
        result_of(self.gateway.page(name))

    def clear(self, name: str) -> None:
        result_of(self.gateway.clear(name, ClearedReason.TRACKER))

    def wait(self, seconds: float) -> None:
        pass_time(self.timers, seconds)

    def progress(self, listener: Listener) -> Progress:
        return next(progress for known, progress in self.gateway.registry.all() if known.id == listener.id)

    def flags(self, listener: Listener) -> list[str]:
        """Return the flags of the last attempts, oldest first."""
        return [attempt.flags for attempt in reversed(self.gateway.registry.attempts(listener.id))]

    def state(self, listener: Listener) -> str:
        return self.gateway.registry.status(listener).state

    def accounts_balance(self) -> bool:
        """Tell whether, for each listener, what was accepted is what became of it."""
        last = self.store.journal.last
        return all(
            progress.cursor - progress.base
            == progress.delivered + progress.coalesced + progress.filtered + progress.parked
            and progress.cursor <= last
            for _, progress in self.gateway.registry.all()
        )

    def restart_notifier(self) -> None:
        """Let the queues begin anew from what is known of each listener, as a new process does."""
        stopping = self.notifier.stop()
        self.wait(6)
        result_of(stopping)
        self.notifier = self._notifier()
        self.notifier.start()

    def close(self) -> None:
        stopping = self.notifier.stop()
        self.wait(6)
        result_of(stopping)
        result_of(self.store.stop())


def take_down(shop: Shop) -> None:
    """Let the first listener go down, while nothing is being told."""
    shop.dial.peer.lose()
    shop.dial.down.add("10.0.0.2")


def back(shop: Shop) -> None:
    """Let it be up again, and show it."""
    shop.dial.down.clear()
    shop.wait(1.1)
    shop.gateway.registry.heard("10.0.0.2")


def told(peer: Peer) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the one delivery that has come to ``peer``: its body and its headers."""
    _, headers, body = peer.request()
    return json.loads(body), headers


def answered(shop: Shop, status: int = 200) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """Answer whatever is sent on the newest connection until nothing more comes; return all of it."""
    deliveries = []
    while shop.dial.peer.open and shop.dial.peer.transport.value():  # type: ignore[no-untyped-call]
        deliveries.append(told(shop.dial.peer))
        shop.dial.peer.answer(status)
    return deliveries


def seqs(deliveries: list[tuple[dict[str, Any], dict[str, str]]]) -> list[int]:
    """Return the seq of each delivery."""
    return [body["seq"] for body, _ in deliveries]
