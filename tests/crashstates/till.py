"""A till: the real store in a directory that is recorded, used as the gateway uses it, with a note of every promise."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import apsw
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.crashstates.notes import Answered, Asked, Began, Content, Ended, Key, Opened, Passed, content
from tests.disks.recording import Recording
from tests.support import FakeClock, OnDemand, result_of
from ttgateway.orders.active import ActiveOrders, Decision
from ttgateway.orders.change import change_of
from ttgateway.orders.moment import Moment
from ttgateway.settings import Journal as Limits
from ttgateway.store.disk import NoDisk
from ttgateway.store.store import Store, open_store
from ttgateway.store.tables import listeners, preferences, tokens
from ttgateway.store.tables.entry import entry_of
from ttgateway.store.tables.listeners import Listener, Parked, Progress
from ttgateway.store.tables.orders import Standing

T = TypeVar("T")

UTC = ZoneInfo("UTC")


class Noting(OnDemand):
    """An executor that notes what is durable after each piece of work; it works when told to, or at once."""

    def __init__(self, after: Callable[[], None], began: Callable[[], None]) -> None:
        super().__init__()
        self.slow = False
        self._after = after
        self._began = began

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        def noted() -> T:
            self._began()
            try:
                return work()
            finally:
                self._after()

        result = super().run(noted)
        if not self.slow:
            self.catch_up()
        return result

    def catch_up(self) -> None:
        """Do all that waits."""
        while self.waiting:
            self.step()


class Till:
    """One process after the other on the store of a directory. Each method notes what it asks, and what it is told."""

    def __init__(self, recording: Recording, random: Random, limits: Limits | None = None) -> None:
        self.recording = recording
        self.random = random
        self.clock = FakeClock(Clock())
        self.limits = limits or Limits()
        self.names = 0
        self.listeners: dict[str, tuple[Listener, Progress]] = {}
        self.tokens: list[bytes] = []

    def open(self) -> None:
        """Begin a process."""
        self.recording.note(Passed(self.clock.timers.seconds()))
        self.writer = Noting(self._after, lambda: self.recording.note(Began()))
        self.store = open_at(self.recording.directory, self.clock, self.limits, self._executor)
        self.connection: apsw.Connection = self.store._connections[1]
        self.known: Content = content(self.connection)
        self.recording.note(Opened(self.known))
        self._stand(self.store.standing)
        self.store.on_failure(self._stand)
        self.listeners = {listener.id: (listener, progress) for listener, progress in self.store.listeners}
        self.tokens = list(self.store.tokens)

    def _executor(self, name: str) -> Any:
        return self.writer if name == "store-writer" else Noting(_nothing, _nothing)

    def _stand(self, standing: Standing) -> None:
        self.orders = ActiveOrders(standing.orders, standing.seq, self._new_uuid)

    def _new_uuid(self) -> str:
        return f"{self.random.getrandbits(64):016x}"

    def _after(self) -> None:
        with contextlib.suppress(apsw.ConnectionClosedError):  # it was the clean stop
            self.known = content(self.connection)
        self.recording.note(Ended(self.known))
        self.recording.look_at_index()

    def stop(self) -> None:
        """End the process cleanly."""
        self.writer.catch_up()
        result_of(self.store.stop())
        self.recording.look_at_index()

    def kill(self) -> None:
        """End the process as kill -9 does: the system keeps what was written, and nothing more is."""
        self.writer.catch_up()
        abandon(self.store)
        self.recording.look_at_index()

    def slowly(self, work: Callable[[], None]) -> None:
        """Let what ``work`` does wait for a slow disk: so that it shares commits."""
        self.writer.slow = True
        work()
        self.writer.slow = False
        self.writer.catch_up()

    def checkpoint(self, how: str) -> None:
        """Put the log into the file, as SQLite does it every 1,000 pages."""
        self.connection.execute(f"PRAGMA wal_checkpoint({how})")

    def pass_time(self, seconds: float) -> None:
        """Let the clock run, and the riders be written."""
        self.recording.note(Passed(self.clock.timers.seconds() + seconds))
        self.clock.timers.advance(seconds)

    def order(self, decide: Callable[[Moment], Decision]) -> None:
        """Carry out a command on an order."""
        at = self.clock.now()
        decision = decide(at)
        if decision.change is None:
            return
        change = change_of(decision.order, decision.change, at, UTC)
        body = entry_of(change, at.wall).body
        facts: dict[Key, object] = {("change", change.seq): body, ("order", decision.order.uuid): change.seq}
        self._promise(facts, lambda: self.store.journal.append(change, decision.order, at.wall))

    def register(self, number: int) -> None:
        last = self.store.journal.last
        listener = Listener(id=f"listener-{number}", url=f"http://10.0.0.{number}/", api=2, registered=1.0)
        progress = Progress(base=last, cursor=last)
        self.recording.note(Asked(("cursor", listener.id), last))
        self._promise({("listener", listener.id): True}, lambda: self.store.write(listeners.saving(listener, progress)))
        self.listeners[listener.id] = (listener, progress)

    def unregister(self, listener_id: str) -> None:
        self.store.cursors.forget(listener_id)
        del self.listeners[listener_id]
        for key in self._parked_for(listener_id):
            self.recording.note(Asked(key, None))
        self.recording.note(Asked(("cursor", listener_id), None))
        self._promise({("listener", listener_id): None}, lambda: self.store.write(listeners.removing(listener_id)))

    def _parked_for(self, listener_id: str) -> list[Key]:
        return [key for key in self.known.facts() if key[0] == "parked" and key[1] == listener_id]

    def deliver(self, listener_id: str, refused: bool) -> None:
        """Let a listener acknowledge the next change, or refuse it for good."""
        progress = self.listeners[listener_id][1]
        if progress.cursor >= self.store.journal.last:
            return
        progress.cursor += 1
        self.recording.note(Asked(("cursor", listener_id), progress.cursor))
        if refused:
            progress.parked += 1
            self.recording.note(Asked(("parked", listener_id, progress.cursor), b"parked"))
            parked = Parked(listener_id, progress.cursor, self.clock.now().wall, "404", b"parked")
            self.store.cursors.parked(parked, progress)
        else:
            progress.delivered += 1
            self.store.cursors.moved(listener_id, progress)

    def issue_token(self) -> None:
        self.names += 1
        secret = tokens.digest(f"secret {self.names} {self.random.random()}")
        token = tokens.Token(hash=secret, name="till", kind="token", created=self.clock.now().wall)
        self._promise({("token", secret): True}, lambda: self.store.write(tokens.saving(token)))
        self.tokens.append(secret)

    def revoke_token(self, secret: bytes) -> None:
        self.tokens.remove(secret)
        self._promise({("token", secret): None}, lambda: self.store.write(tokens.removing(secret)))

    def set(self, key: str, value: str) -> None:
        self._promise({("setting", key): value}, lambda: self.store.write(preferences.saving({key: value})))

    def upkeep(self) -> None:
        """Trim, and make a backup where one is due."""
        for order in self.known.cleared():
            self.recording.note(Asked(("order", order), None))  # the history may be forgotten
        result_of(self.store.upkeep.round())

    def _promise(self, facts: dict[Key, object], write: Callable[[], Deferred[Any]]) -> None:
        for key, value in facts.items():
            self.recording.note(Asked(key, value))

        def answered(_: object) -> None:
            for key, value in facts.items():
                self.recording.note(Answered(key, value))

        write().addCallbacks(answered, lambda refused: None)


def open_at(directory: Path, clock: FakeClock, limits: Limits, executor: Callable[[str], Any]) -> Store:
    """Open the store as the gateway does."""
    return open_store(
        directory, clock=clock, timers=clock.timers, executor=executor, limits=limits, zone=UTC, disk=lambda _: NoDisk()
    )


def abandon(store: Store) -> None:
    """Let go of a store's files and write nothing more."""
    for connection in store._connections:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.close()


def _nothing() -> None:
    pass
