"""Whatever happens, in whatever order: each listener is told everything, once, in order."""

import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.notifier.network import Peer
from tests.notifier.shop import Shop
from ttgateway.store.listeners import Listener

HOSTS = (2, 3, 4)
NAMES = st.sampled_from(["1", "2", "3"])
LISTENERS = st.sampled_from(HOSTS)


class Course(RuleBasedStateMachine):
    """A shop to which anything may happen that a kitchen knows. What listeners acknowledge is noted here."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop()
        self.listeners: dict[int, Listener] = {}
        self.told: dict[int, list[int]] = {host: [] for host in HOSTS}

    def waiting(self, host: int) -> Peer | None:
        """Return the connection on which ``host`` has an unanswered delivery."""
        for peer in reversed(self.shop.dial.peers):
            if peer.open and str(peer.address) == f"10.0.0.{host}" and peer.transport.value():  # type: ignore[no-untyped-call]
                return peer
        return None

    @rule(host=LISTENERS)
    def register(self, host: int) -> None:
        self.shop.dial.down.discard(f"10.0.0.{host}")
        self.shop.dial.silent.discard(f"10.0.0.{host}")
        known = self.listeners.get(host)
        self.listeners[host] = self.shop.register(host)
        assert known is None or known.id == self.listeners[host].id
        next(peer for peer in reversed(self.shop.dial.peers) if not peer.open).received()  # the HEAD

    @rule(name=NAMES, location=st.integers(1, 9))
    def post(self, name: str, location: int) -> None:
        self.shop.post(name, str(location))

    @rule(name=NAMES)
    def clear(self, name: str) -> None:
        if self.shop.gateway._active.is_active(name):
            self.shop.clear(name)

    @rule(host=LISTENERS, status=st.sampled_from([200, 204, 200, 503, 500, 408]), closes=st.booleans())
    def answer(self, host: int, status: int, closes: bool) -> None:
        peer = self.waiting(host)
        if peer is None:
            return
        first, headers, body = peer.request()
        if first.startswith("HEAD"):
            peer.answer(503)
            return
        seq = json.loads(body)["seq"]
        if status < 300:
            assert headers["ttgateway-previous"] == str(self.told[host][-1] if self.told[host] else 0)
            self.told[host].append(seq)
        peer.answer(status, *(["Connection: close"] if closes else []))

    @rule(host=LISTENERS)
    def lose_connections(self, host: int) -> None:
        for peer in self.shop.dial.peers:
            if str(peer.address) == f"10.0.0.{host}":
                peer.received()
                peer.lose()

    @rule(host=LISTENERS, how=st.sampled_from(["down", "silent", "up"]))
    def change(self, host: int, how: str) -> None:
        for state in ("down", "silent"):
            addresses = getattr(self.shop.dial, state)
            (addresses.add if how == state else addresses.discard)(f"10.0.0.{host}")

    @rule(host=LISTENERS)
    def hear(self, host: int) -> None:
        self.shop.gateway.registry.heard(f"10.0.0.{host}")

    @rule(seconds=st.sampled_from([0.1, 0.5, 3.0, 11.0]))
    def wait(self, seconds: float) -> None:
        self.shop.wait(seconds)

    @precondition(lambda self: self.listeners)
    @rule()
    def restart(self) -> None:
        self.shop.restart_notifier()

    @invariant()
    def accounts_balance(self) -> None:
        assert self.shop.accounts_balance()

    @invariant()
    def one_in_flight(self) -> None:
        for host in HOSTS:
            busy = [
                peer
                for peer in self.shop.dial.peers
                if peer.open and str(peer.address) == f"10.0.0.{host}" and peer.transport.value()  # type: ignore[no-untyped-call]
            ]
            assert len(busy) <= 1

    def teardown(self) -> None:
        """Let everything be well again, and see that everybody has been told everything."""
        self.shop.dial.down.clear()
        self.shop.dial.silent.clear()
        for _ in range(400):
            for host in self.listeners:
                while self.waiting(host) is not None:
                    self.answer(host, 200, False)
            if all(p.cursor == self.shop.store.journal.last for _, p in self.shop.gateway.registry.all()):
                break
            self.shop.wait(0.5)
        for host, listener in self.listeners.items():
            progress = self.shop.progress(listener)
            assert progress.parked == 0
            assert self.told[host] == list(range(progress.base + 1, self.shop.store.journal.last + 1))
        self.shop.wait(5)
        assert self.shop.timers.getDelayedCalls() == []
        self.shop.close()


def test_each_listener_is_told_everything_once_and_in_order_whatever_happens() -> None:
    run_state_machine_as_test(Course, settings=settings(max_examples=150, stateful_step_count=40, deadline=None))
