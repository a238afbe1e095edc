"""Whatever happens, in whatever order: each listener is told everything, once, in order, and again what it asks for."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import apsw
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.internet.defer import Deferred, execute, fail

from tests.conftest import Logged
from tests.notifier.network import Peer
from tests.notifier.shop import Shop
from tests.support import result_of
from ttgateway.notifier import upcoming
from ttgateway.orders.change import ChangeType
from ttgateway.settings import Journal as Limits
from ttgateway.store.commits import SOON
from ttgateway.store.tables import journal
from ttgateway.store.tables.listeners import CatchUp, Listener, Progress
from ttgateway.store.upkeep import trim

T = TypeVar("T")

HOSTS = (2, 3, 4)
NAMES = st.sampled_from(["1", "2", "3"])
LISTENERS = st.sampled_from(HOSTS)
TRIES = 5


class Reader:
    """Reads at once, or when it is told to, or in vain."""

    def __init__(self) -> None:
        self.how = "at once"
        self.waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = []

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        if self.how == "at once":
            return execute(work)
        if self.how == "in vain":
            return fail(apsw.IOError("disk I/O error"))
        result: Deferred[T] = Deferred()
        self.waiting.append((work, result))
        return result

    def step(self) -> None:
        work, result = self.waiting.pop(0)
        execute(work).chainDeferred(result)

    def close(self) -> None:
        pass


class Device:
    """What one listener has acknowledged, and what it is owed."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.first: list[int] = []
        self.owed: set[int] = set()
        self.refused: Counter[tuple[int, str]] = Counter()
        self.parked: set[int] = set()
        self.unparked = 0
        self.snapshots = 0
        self.choosy = False  # did not always want all types of change
        self.orders: dict[str, tuple[int, str]] = {}  # the seq and the state that were told of each
        self.named: set[str] = set()  # since the mark at the begin of a snapshot
        self.overtaken: Peer | None = None  # on it a part of a replay was in flight when one from further back began

    def follows(self, change: dict[str, Any]) -> None:
        """Do what a display does: show what was told last of each order, and close what a snapshot does not name."""
        if change["type"] == "SNAPSHOT_BEGIN":
            self.named = set()
        elif change["type"] == "SNAPSHOT_END":
            for order in self.orders.keys() - self.named:
                self.orders[order] = (change["seq"], "cleared")
        else:
            self.named.add(change["uuid"])
            self.orders[change["uuid"]] = max(
                self.orders.get(change["uuid"], (0, "")), (change["seq"], change["state"])
            )

    @property
    def shown(self) -> set[str]:
        return {order for order, (_, state) in self.orders.items() if state != "cleared"}

    def acknowledges(self, seq: int, kind: str, flags: str, *, overtaken: bool) -> None:
        self.told.append(seq)
        if flags == "replay":
            self.owed.discard(seq)
            if seq in self.parked and not overtaken:  # else it comes again, and counts then
                self.parked.remove(seq)
                self.unparked += 1
        elif flags == "snapshot":
            self.snapshots += kind == "SNAPSHOT_END"
        else:
            assert not self.first or seq > self.first[-1]
            self.first.append(seq)


class Course(RuleBasedStateMachine):
    """A shop to which anything may happen that a kitchen knows. What listeners acknowledge is noted here."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop()
        self.reader = self.shop.store.journal._executor = Reader()
        self.gentle = True  # nothing is damaged or trimmed, and everybody wants all changes
        self.trimmed = 0
        self.lossy = False  # something was damaged, or trimmed while somebody waited for it
        self.listeners: dict[int, Listener] = {}
        self.devices = {host: Device() for host in HOSTS}

    def waiting(self, host: int) -> Peer | None:
        """Return the connection on which ``host`` has an unanswered delivery."""
        for peer in reversed(self.shop.dial.peers):
            if peer.open and str(peer.address) == f"10.0.0.{host}" and peer.transport.value():  # type: ignore[no-untyped-call]
                return peer
        return None

    def progress(self, host: int) -> Progress:
        return self.shop.progress(self.listeners[host])

    @initialize(gentle=st.booleans())
    def begin(self, gentle: bool) -> None:
        self.gentle = gentle
        for host in HOSTS[:2]:
            self.register(host, 2, False, (), CatchUp.EVERY)
        self.post("1", [1, 2, 3])
        self.work(HOSTS[0], 3)

    @rule(
        host=LISTENERS,
        api=st.sampled_from([1, 2]),
        snapshot=st.booleans(),
        events=st.sampled_from([(), (), (), (ChangeType.CREATED,), (ChangeType.MODIFIED, ChangeType.PAGED)]),
        catch_up=st.sampled_from(CatchUp),
    )
    def register(self, host: int, api: int, snapshot: bool, events: tuple[str, ...], catch_up: CatchUp) -> None:
        self.shop.dial.down.discard(f"10.0.0.{host}")
        self.shop.dial.silent.discard(f"10.0.0.{host}")
        known = self.listeners.get(host)
        events = () if self.gentle else events
        asked = {"snapshot": snapshot, "events": events or None, "catch_up": catch_up}
        self.listeners[host] = self.shop.register(host, api, **asked)
        self.devices[host].choosy |= bool(events)
        assert known is None or known.id == self.listeners[host].id
        next(peer for peer in reversed(self.shop.dial.peers) if not peer.open).received()  # the HEAD

    @rule(name=NAMES, locations=st.lists(st.integers(1, 9), min_size=1, max_size=5))
    def post(self, name: str, locations: list[int]) -> None:
        for location in locations:
            self.shop.post(name, str(location))

    @rule(name=NAMES)
    def clear(self, name: str) -> None:
        if self.shop.gateway._active.is_active(name):
            self.shop.clear(name)

    @rule(name=NAMES)
    def page(self, name: str) -> None:
        if self.shop.gateway._active.is_active(name):
            self.shop.page(name)

    @rule(how=st.sampled_from(["at once", "at once", "when told", "in vain"]))
    def read(self, how: str) -> None:
        self.reader.how = how

    @rule()
    def step(self) -> None:
        if self.reader.waiting:
            self.reader.step()

    @precondition(lambda self: not self.gentle)
    @rule(back=st.integers(0, 9))
    def damage(self, back: int) -> None:
        self.lossy = True
        query = "UPDATE changes SET body = CAST('{}' AS BLOB) WHERE seq = ?"
        self.shop.store._connections[1].execute(query, (self.shop.store.journal.last - back,))

    @precondition(lambda self: not self.gentle)
    @rule(keep=st.integers(0, 9), told=st.booleans())
    def trim(self, keep: int, told: bool) -> None:
        """Trim the journal, which may hear of that a little later."""
        self.lossy = True
        limits = Limits(keep_days=0, keep_changes=keep, keep_pending=keep)
        trimmed = result_of(self.shop.store.write(lambda db: trim(db, self.shop.clock.now().uptime, limits)))
        self.trimmed = self.trimmed if trimmed is None else trimmed
        if told:
            self.shop.store.journal.trimmed_to(self.trimmed)

    @rule(host=LISTENERS, back=st.integers(0, 9))
    def replay(self, host: int, back: int) -> None:
        if host in self.listeners:
            cursor = self.progress(host).cursor
            since = max(self.shop.store.journal.trimmed, cursor - back)
            if since >= cursor:
                return
            self.devices[host].owed |= set(range(since + 1, cursor + 1))
            self.devices[host].overtaken = self.overtaken_by(host, since)
            self.shop.replay(self.listeners[host], since)

    def overtaken_by(self, host: int, since: int) -> Peer | None:
        """Return the connection on which a part of a replay is in flight that will come again after ``since``."""
        peer = self.waiting(host)
        if peer is None:
            return None
        head, _, body = peer.transport.value().partition(b"\r\n\r\n")  # type: ignore[no-untyped-call]  # it stays there
        again = b"ttgateway-flags: replay" in head
        return peer if again and json.loads(body)["seq"] > since + 1 else None

    @rule(host=LISTENERS)
    def resync(self, host: int) -> None:
        if host in self.listeners:
            self.shop.resync(self.listeners[host])

    @rule(host=LISTENERS, status=st.sampled_from([200, 204, 200, 200, 503, 500, 408]), closes=st.booleans())
    def answer(self, host: int, status: int, closes: bool) -> None:
        peer = self.waiting(host)
        if peer is None:
            return
        first, headers, body = peer.request()
        if first.startswith("HEAD"):
            peer.answer(503)
            return
        change = json.loads(body)
        seq, flags, device = change["seq"], headers.get("ttgateway-flags", ""), self.devices[host]
        progress = self.progress(host)
        overtaken, device.overtaken = device.overtaken is peer, None
        if flags == "replay":
            assert seq <= progress.cursor
        elif flags == "":
            assert seq == progress.cursor + 1 or (device.choosy and seq > progress.cursor)
        if status < 300:
            assert headers["ttgateway-previous"] == str(device.told[-1] if device.told else 0)
            device.acknowledges(seq, change["type"], flags, overtaken=overtaken)
            device.follows(change)
        elif status in (404, 500):
            device.refused[seq, flags] += 1
        parked = progress.parked
        peer.answer(status, *(["Connection: close"] if closes else []))
        if progress.parked > parked:
            assert flags in ("", "coalesced")
            device.parked.add(seq)

    @rule(host=LISTENERS, count=st.integers(2, 9))
    def work(self, host: int, count: int) -> None:
        for _ in range(count):
            self.answer(host, 200, False)

    @rule(host=LISTENERS)
    def refuse(self, host: int) -> None:
        """Let a listener refuse what comes, until that is given up."""
        for _ in range(TRIES):
            self.answer(host, 404, False)
            waited = 0
            while self.waiting(host) is None and waited < 13:
                self.shop.wait(1)
                waited += 1

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

    @rule()
    def restart(self) -> None:
        self.shop.restart_notifier()
        self.reader.waiting.clear()  # nobody waits for that any more
        self.shop.store.journal.trimmed_to(self.trimmed)

    @invariant()
    def accounts_balance(self) -> None:
        assert self.shop.accounts_balance()

    @invariant()
    def accounts_are_of_first_deliveries(self) -> None:
        for host in self.listeners:
            progress, device = self.progress(host), self.devices[host]
            assert progress.delivered == len(device.first) + device.unparked
            assert progress.parked == len(device.parked)

    @invariant()
    def what_is_parked_is_kept(self) -> None:
        self.shop.timers.advance(SOON)
        for host, listener in self.listeners.items():
            rows = self.shop.store._connections[1].execute("SELECT seq FROM parked WHERE listener = ?", (listener.id,))
            assert {seq for (seq,) in rows} == self.devices[host].parked

    @invariant()
    def one_in_flight(self) -> None:
        for host in HOSTS:
            busy = [
                peer
                for peer in self.shop.dial.peers
                if peer.open and str(peer.address) == f"10.0.0.{host}" and peer.transport.value()  # type: ignore[no-untyped-call]
            ]
            assert len(busy) <= 1

    def is_told_all(self, host: int) -> bool:
        progress = self.progress(host)
        behind = progress.cursor < self.shop.store.journal.last
        return not (behind or progress.replaying or progress.snapshot_due)

    def teardown(self) -> None:
        """Let everything be well again, and see that everybody has been told everything."""
        self.shop.dial.down.clear()
        self.shop.dial.silent.clear()
        self.reader.how = "at once"
        while self.reader.waiting:
            self.reader.step()
        self.shop.store.journal.trimmed_to(self.trimmed)
        for _ in range(400):
            for host in self.listeners:
                while self.waiting(host) is not None:
                    self.answer(host, 200, False)
            if all(map(self.is_told_all, self.listeners)):
                break
            self.shop.wait(0.5)
        for host in self.listeners:
            self.has_all(host)
        self.shop.wait(5)
        assert self.shop.timers.getDelayedCalls() == []
        self.shop.close()

    def has_all(self, host: int) -> None:
        assert self.is_told_all(host)
        progress, device, book = self.progress(host), self.devices[host], self.shop.store.journal
        passed_over = progress.coalesced + progress.filtered
        assert len(device.first) + device.unparked + len(device.parked) + passed_over == book.last - progress.base
        if not passed_over:
            first = sorted({*device.first, *(seq for seq, flags in device.refused if flags in ("", "coalesced"))})
            assert first == list(range(progress.base + 1, book.last + 1))
        if self.lossy or device.choosy:
            return
        assert all(device.refused[seq, "replay"] >= TRIES for seq in device.owed)
        if max(device.refused.values(), default=0) < TRIES:
            standing = {entry.order_uuid: entry.seq for entry in book.standing()}
            assert device.shown <= standing.keys()
            due = {order for order, seq in standing.items() if seq > progress.base}
            assert due <= device.shown


def test_each_listener_is_told_everything_once_and_in_order_whatever_happens(
    monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    for where, name, value in ((journal, "RECENT", 6), (journal, "PAGE", 3), (upcoming, "BEHIND", 4)):
        monkeypatch.setattr(where, name, value)
    run_state_machine_as_test(Course, settings=settings(max_examples=200, stateful_step_count=50, deadline=None))
    logged.flush()
