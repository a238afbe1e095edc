"""Listeners in the file: who they are, and how far each has come."""

from collections.abc import Sequence
from enum import StrEnum

import apsw
import msgspec

from ttgateway.store.commits import GroupCommit
from ttgateway.store.tables.batches import Rows
from ttgateway.store.tables.entry import Values
from ttgateway.store.transactions import Work

MOST_PARKED = 1_000
"""How many refused changes are kept for each listener; the oldest go first."""


class CatchUp(StrEnum):
    """What a listener that was away wants to be told (design section 4)."""

    EVERY = "every"
    LATEST = "latest"


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """Whom we tell, and what it asked for when it registered (protocol section 6).

    ``url`` is canonical, ``api`` 1 or 2, ``secret`` ``""`` or ``whsec_...``, ``events`` the types of change that it
    wants (empty: all), ``registered`` Unix time in seconds.
    """

    id: str
    url: str
    api: int
    secret: str = ""
    events: tuple[str, ...] = ()
    snapshot: bool = False
    catch_up: CatchUp = CatchUp.EVERY
    registered: float

    @property
    def named(self) -> str:
        """The URL as it may stand in a log: without its query, which may hold a secret of the listener."""
        path, mark, _ = self.url.partition("?")
        return f"{path}{mark}..." if mark else path


class Progress(msgspec.Struct, kw_only=True):
    """How far a listener has come: its cursor, its accounts, its backoff. Written behind, within 50 ms.

    The accounts balance: ``cursor - base == delivered + coalesced + filtered + parked``. They are of first deliveries:
    while ``replay_after < replay_upto``, the changes between these are told again before anything else.
    """

    base: int
    cursor: int
    previous: int = 0
    delivered: int = 0
    coalesced: int = 0
    filtered: int = 0
    parked: int = 0
    snapshot_due: bool = False
    attempts: int = 0
    failures: int = 0
    delay: float = 0.0
    failing_since: float | None = None
    last_success: float | None = None
    last_failure: float | None = None
    last_cause: str = ""
    replay_after: int = 0
    replay_upto: int = 0

    @property
    def replaying(self) -> bool:
        """Whether a replay is under way."""
        return self.replay_after < self.replay_upto

    def move_to(self, seq: int) -> None:
        """Set the cursor. A replay that is yet to be told reaches as far: told behind what cleared an order, what began
        it would have a device that knows no flags show it for ever."""
        if self.replaying:
            self.replay_upto = seq
        self.cursor = seq

    def replay_from(self, since: int) -> int:
        """Return after which seq a replay begins that is asked for from ``since``: with one under way it is one."""
        return min(since, self.replay_after) if self.replaying else since


_WHO = Listener.__struct_fields__
_HOW_FAR = Progress.__struct_fields__
NAMES = _WHO + _HOW_FAR
_ADD = (
    f"INSERT INTO listeners ({', '.join(_WHO + _HOW_FAR)}) VALUES ({', '.join('?' * len(_WHO + _HOW_FAR))})"  # noqa: S608
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _WHO)},"
    " snapshot_due = snapshot_due OR excluded.snapshot_due"
)
_MOVE = Rows(
    f"WITH news (who, {', '.join(_HOW_FAR)}) AS (VALUES",
    1 + len(_HOW_FAR),
    f") UPDATE listeners SET {', '.join(f'{name} = news.{name}' for name in _HOW_FAR)} FROM news WHERE id = who",  # noqa: S608
)
_REPLAY = "UPDATE listeners SET replay_after = ?, replay_upto = ? WHERE id = ?"
_RESYNC = "UPDATE listeners SET snapshot_due = 1 WHERE id = ?"
_PARK = "REPLACE INTO parked (listener, seq, at, cause, body) SELECT id, ?2, ?3, ?4, ?5 FROM listeners WHERE id = ?1"
_UNPARK = "DELETE FROM parked WHERE listener = ? AND seq = ?"
_TRIM_PARKED = (
    "DELETE FROM parked WHERE listener = ?1 AND seq <="
    " (SELECT seq FROM parked WHERE listener = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)"
)


def load(db: apsw.Connection) -> list[tuple[Listener, Progress]]:
    """Return every listener with its progress, in the order of registration."""
    names = ", ".join(_WHO + _HOW_FAR)
    return [from_row(row) for row in db.execute(f"SELECT {names} FROM listeners ORDER BY registered, id")]  # noqa: S608


def saving(listener: Listener, progress: Progress) -> Work[object]:
    """Return the write that adds ``listener``, or renews what it asked for and leaves its progress alone."""
    who = msgspec.structs.replace(listener, events=" ".join(listener.events))
    row = msgspec.structs.astuple(who) + msgspec.structs.astuple(progress)
    return lambda db: _run(db, _ADD, [row])


def removing(listener_id: str) -> Work[object]:
    """Return the write that removes a listener and what was parked for it."""
    return lambda db: _run(db, "DELETE FROM listeners WHERE id = ?", [(listener_id,)])


def replaying(listener_id: str, after: int, upto: int) -> Work[object]:
    """Return the write that has a listener told the changes after ``after`` and up to ``upto`` again."""
    return lambda db: _run(db, _REPLAY, [(after, upto, listener_id)])


def resyncing(listener_id: str) -> Work[object]:
    """Return the write by which a listener is due a snapshot."""
    return lambda db: _run(db, _RESYNC, [(listener_id,)])


class Parked(msgspec.Struct, frozen=True):
    """A change that a listener refused: kept, shown, and replayable."""

    listener: str
    seq: int
    at: float
    cause: str
    body: bytes


class Cursors:
    """The news of all listeners' progress; rides with every commit (design section 3).

    After a crash a listener may get again what it acknowledged in the last 50 ms (`commits.SOON`): never
    anything lost, never out of order.
    """

    def __init__(self, commits: GroupCommit) -> None:
        self._commits = commits
        self._moved: dict[str, Progress] = {}
        self._taken: dict[str, Progress] = {}
        self._parked: list[Parked] = []
        self._parking: list[Parked] = []
        self._unparked: list[tuple[str, int]] = []
        self._unparking: list[tuple[str, int]] = []
        commits.add_rider(self)

    def moved(self, listener_id: str, progress: Progress) -> None:
        """Write ``progress`` as it stands at the next commit."""
        if not self._moved:
            self._commits.soon()
        self._moved[listener_id] = progress

    def parked(self, change: Parked, progress: Progress) -> None:
        """Keep a refused change, in the same commit as the progress past it."""
        self._parked.append(change)
        self._moved[change.listener] = progress
        self._commits.soon(with_next=True)  # whoever has it told again must see that it is parked

    def unparked(self, listener_id: str, seq: int, progress: Progress) -> None:
        """Keep a refused change no longer, as it was delivered; in the same commit as the progress."""
        self._unparked.append((listener_id, seq))
        self._moved[listener_id] = progress
        self._commits.soon(with_next=True)

    def forget(self, listener_id: str) -> None:
        """Write nothing more about a listener that was removed."""
        self._moved.pop(listener_id, None)
        self._taken.pop(listener_id, None)
        self._parked = [change for change in self._parked if change.listener != listener_id]
        self._parking = [change for change in self._parking if change.listener != listener_id]

    def take(self) -> Work[object] | None:
        """Return the write of all news."""
        self._taken, self._moved = self._moved, {}
        self._parking, self._parked = self._parked, []
        self._unparking, self._unparked = self._unparked, []
        if not self._taken:
            return None
        rows = [(key, *msgspec.structs.astuple(progress)) for key, progress in self._taken.items()]
        parking = [msgspec.structs.astuple(change) for change in self._parking]
        unparking = self._unparking

        def work(db: apsw.Connection) -> None:
            _MOVE.write(db, rows)
            if parking:
                _run(db, _PARK, parking)
                _run(db, _TRIM_PARKED, [(row[0], MOST_PARKED) for row in parking])
            if unparking:
                _run(db, _UNPARK, unparking)

        return work

    def lost(self) -> None:
        """What was taken last is news again."""
        self._moved = {**self._taken, **self._moved}
        self._parked = self._parking + self._parked
        self._unparked = self._unparking + self._unparked
        self._taken, self._parking, self._unparking = {}, [], []


def from_row(row: Values) -> tuple[Listener, Progress]:
    """Return the listener in a row of ``listeners``; raise ``msgspec.ValidationError``."""
    values: dict[str, object] = dict(zip(_WHO + _HOW_FAR, row, strict=True))
    values["events"] = tuple(str(values["events"]).split())
    return msgspec.convert(values, Listener, strict=False), msgspec.convert(values, Progress, strict=False)


def parked_from_row(row: Values) -> Parked:
    """Return the change in a row of ``parked``; raise ``msgspec.ValidationError``."""
    return msgspec.convert(dict(zip(Parked.__struct_fields__, row, strict=True)), Parked)


def _run(db: apsw.Connection, query: str, rows: Sequence[tuple[object, ...]]) -> None:
    db.executemany(query, rows)
