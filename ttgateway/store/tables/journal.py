"""The journal: every order change once, in the order of its seq. A listener is a cursor into it."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import apsw
import msgspec
from twisted.internet.defer import Deferred

from ttgateway.orders.change import OrderChange
from ttgateway.orders.order import Order, OrderState
from ttgateway.sparing import sparing_logger
from ttgateway.store.commits import GroupCommit
from ttgateway.store.damage.soundness import RECENT, DamagedStoreError
from ttgateway.store.executor import Executor
from ttgateway.store.tables import orders
from ttgateway.store.tables.batches import Rows
from ttgateway.store.tables.entry import COLUMNS, DamagedEntryError, Entry, Values, entry_of

PAGE = 100
"""How many changes are read at once for a listener that is further behind."""


class Journal:
    """Writes changes together with the orders that they change; hands them out after a cursor, once durable.

    ``last`` is the last durable seq, ``trimmed`` the seq up to which changes may be gone.
    """

    _log = sparing_logger("ttgateway.store")

    def __init__(self, commits: GroupCommit, executor: Executor, connection: apsw.Connection) -> None:
        self._commits = commits
        self._executor = executor
        self._connection = connection
        self.last = orders.last_seq(connection)
        self.trimmed = _trimmed(connection)
        self._recent: deque[Entry] = deque(_recent(connection, self.last), maxlen=RECENT)
        self._last_of: dict[str, int] = {entry.type: entry.seq for entry in self._recent}
        self._unread = self.last - len(self._recent)  # of what types these are was not looked at
        self._newest = {entry.order_uuid: entry for entry in _newest(connection)}
        self._announced = self.last
        self._watchers: list[Callable[[], None]] = []
        commits.watch(self._announce)

    def watch(self, announced: Callable[[], None]) -> None:
        """Call ``announced`` after each commit that holds changes."""
        self._watchers.append(announced)

    def append(
        self, change: OrderChange, order: Order, at: float, written: Callable[[], None] = lambda: None
    ) -> Deferred[None]:
        """Write ``change`` (made at Unix time ``at``) and ``order`` as it is after it; fires when both are durable.

        ``written`` is called before that, also where nobody waits any more.
        """
        entry = entry_of(change, at)
        cleared = order.state is OrderState.CLEARED

        def committed() -> None:
            self._committed(entry, cleared)
            written()

        return self._commits.write(_Writing(entry, order), committed)

    def recent(self, after: int) -> Entry | None:
        """Return the change that follows seq ``after``, if it is in memory; ``None`` where it must be read."""
        if not self._recent:
            return None
        index = after + 1 - self._recent[0].seq
        return self._recent[index] if 0 <= index < len(self._recent) else None

    def oldest_known(self, after: int) -> Entry | None:
        """Return the change that follows seq ``after``, or the first after it that is in memory: it is no older."""
        first = self._recent[0] if self._recent else None
        return first if first is not None and first.seq > after + 1 else self.recent(after)

    def last_of(self, types: Sequence[str]) -> int:
        """Return the seq of the last change of one of ``types`` (empty: of any), as far as that is known.

        After it there is none of them for sure; it may lie before those that were read at the start.
        """
        return max((self._last_of.get(kind, self._unread) for kind in types), default=self.last)

    def waited(self, entry: Entry, wall: float) -> float:
        """Return for how many seconds ``entry`` has been durable at Unix time ``wall``, which is now.

        What was read from the file is as old as the wall clock says; that may be wrong, but it is never negative.
        """
        return max(0.0, wall - entry.at if entry.committed is None else self._commits.now() - entry.committed)

    def page(self, after: int) -> Deferred[list[Entry]]:
        """Read at most `PAGE` changes that follow seq ``after``.

        Fails with `DamagedEntryError`, and with `DamagedStoreError` where the file has not what it must have.
        """
        query = f"SELECT {COLUMNS} FROM changes WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
        least = min(PAGE, self.last - after)

        def read() -> list[Entry]:
            page = _entries(self._connection.execute(query, (after, PAGE)))
            _check_whole(self._connection, page, after, least)
            return page

        return self._executor.run(read)

    def page_again(self, listener_id: str, after: int, upto: int) -> Deferred[list[tuple[Entry, bool]]]:
        """Read at most `PAGE` changes after ``after`` and up to ``upto``; tell of each whether it is parked.

        That is: for the listener with this id. Fails as `page` does.
        """
        least = min(PAGE, upto - after)

        def read() -> list[tuple[Entry, bool]]:
            page = _told_before(self._connection, listener_id, after, upto)
            _check_whole(self._connection, [entry for entry, _ in page], after, least)
            return page

        return self._executor.run(read)

    def newest_page(self, after: int, upto: int, types: Sequence[str]) -> Deferred[list[tuple[Entry, int]] | None]:
        """Read, of the changes after ``after`` and up to ``upto``, the newest of each order; at most `PAGE`, by seq.

        ``types`` narrows what counts to these types (empty: all). With each comes how many changes of other types
        lie between it and the one before. ``None`` where some were trimmed. Fails with `DamagedEntryError`.
        """

        def read() -> list[tuple[Entry, int]] | None:
            page = _newest_of_each(self._connection, after, upto, types)
            return page if after >= _trimmed(self._connection) else None

        return self._executor.run(read)

    def cleared_page(self, after: int, upto: int, *, sound: bool) -> Deferred[tuple[list[Entry], int]]:
        """Read, of the changes after ``after`` and up to ``upto``, those that cleared an order; at most `PAGE`, by seq.

        With them comes the seq up to which these are all. Fails with `DamagedEntryError`, unless only the ``sound``
        ones are wanted.
        """
        return self._executor.run(lambda: _cleared(self._connection, after, upto, sound))

    def cleared_lately(self, after: int) -> list[Entry]:
        """Return, of the changes after ``after``, which are all in memory, those that cleared an order, by seq."""
        if after >= self.last:
            return []
        ended = {entry.order_uuid: entry for entry in self._recent if entry.order_uuid not in self._newest}
        return sorted((entry for entry in ended.values() if entry.seq > after), key=lambda entry: entry.seq)

    def standing(self) -> list[Entry]:
        """Return the newest change of each active order, by seq: what a snapshot tells."""
        return sorted(self._newest.values(), key=lambda entry: entry.seq)

    @property
    def newest_at(self) -> float:
        """When the newest change was made, by the wall clock of that time (Unix time); 0.0 where there is none."""
        return self._recent[-1].at if self._recent else 0.0

    @property
    def active(self) -> int:
        """How many orders are active, by what is durable."""
        return len(self._newest)

    def trimmed_to(self, seq: int) -> None:
        """Take note that changes up to ``seq`` are gone from the file."""
        self.trimmed = seq

    def _committed(self, entry: Entry, cleared: bool) -> None:
        self.last = entry.seq
        entry.committed = self._commits.now()
        self._recent.append(entry)
        self._last_of[entry.type] = entry.seq
        if cleared:
            self._newest.pop(entry.order_uuid, None)
        else:
            self._newest[entry.order_uuid] = entry

    def _announce(self) -> None:
        if self.last != self._announced:
            self._announced = self.last
            for watcher in self._watchers:
                try:
                    watcher()
                except Exception:
                    self._log.failure("A watcher of the journal failed")


class _Writing(msgspec.Struct, gc=False):
    """The write of a change and of its order as it is after it; of several changes, of each order as it is at last."""

    entry: Entry
    order: Order

    def __call__(self, db: apsw.Connection) -> None:
        self.together(db, [self])

    @staticmethod
    def together(db: apsw.Connection, works: Sequence["_Writing"]) -> None:
        _CHANGES.write(db, [work.entry.row() for work in works])
        orders.save(db, {work.order.uuid: work.order for work in works}.values())


_CHANGES = Rows(f"INSERT INTO changes ({COLUMNS}) VALUES", width=6)


def _entries(rows: Iterable[Values]) -> list[Entry]:
    """Read all rows before looking at any: a statement that is left half done would pin the log."""
    return [Entry.from_row(row) for row in list(rows)]


def _check_whole(db: apsw.Connection, page: list[Entry], after: int, least: int) -> None:
    """Raise `DamagedStoreError` unless at least so many changes follow ``after``, each the next of the one before.

    Pages of the file that changed places have their checksums. What is trimmed may be missing, rightly.
    """
    seqs = [entry.seq for entry in page]
    whole = len(seqs) >= least and seqs == list(range(after + 1, after + 1 + len(seqs)))
    if not whole and after >= _trimmed(db):
        raise DamagedStoreError(f"changes after {after} are missing, or not in their place")


def _trimmed(db: apsw.Connection) -> int:
    return int(db.execute("SELECT trimmed FROM gateway").get)


def _told_before(db: apsw.Connection, listener_id: str, after: int, upto: int) -> list[tuple[Entry, bool]]:
    query = (
        f"SELECT {COLUMNS}, EXISTS (SELECT 1 FROM parked AS p WHERE p.listener = ? AND p.seq = c.seq)"  # noqa: S608
        " FROM changes AS c WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
    )
    rows = db.execute(query, (listener_id, after, upto, PAGE)).fetchall()
    return [(Entry.from_row(row[:-1]), bool(row[-1])) for row in rows]


_LAST_OF_ORDER = "coalesce((SELECT seq FROM orders WHERE uuid = c.order_uuid), c.seq)"
"""So far is looked for a newer change: as long as the order lasted. Of one that is gone each change is the newest."""


def _newest_of_each(db: apsw.Connection, after: int, upto: int, types: Sequence[str]) -> list[tuple[Entry, int]]:
    marks = ", ".join("?" * len(types))
    wanted = f" AND {{}}.type IN ({marks})" if types else ""
    query = (
        f"SELECT {COLUMNS} FROM changes AS c WHERE seq > ? AND seq <= ?{wanted.format('c')}"  # noqa: S608
        f" AND NOT EXISTS (SELECT 1 FROM changes AS n WHERE n.seq > c.seq AND n.seq <= min(?, {_LAST_OF_ORDER})"
        f" AND n.order_uuid = c.order_uuid{wanted.format('n')}) ORDER BY seq LIMIT ?"
    )
    entries = _entries(db.execute(query, (after, upto, *types, upto, *types, PAGE)))
    if not types:
        return [(entry, 0) for entry in entries]
    others = f"SELECT count(*) FROM changes WHERE seq > ? AND seq < ? AND type NOT IN ({marks})"  # noqa: S608
    before = [after, *(entry.seq for entry in entries)]
    return [
        (entry, int(db.execute(others, (seq, entry.seq, *types)).get))
        for seq, entry in zip(before, entries, strict=False)
    ]


_CLEARED = (
    f"SELECT {COLUMNS} FROM changes AS c WHERE seq > ? AND seq <= ? AND NOT EXISTS"  # noqa: S608
    " (SELECT 1 FROM orders AS o WHERE o.uuid = c.order_uuid AND (o.seq <> c.seq OR o.cleared IS NULL))"
    " ORDER BY seq LIMIT ?"
)
"""Of an order that is gone from the history each change counts as its last."""


def _cleared(db: apsw.Connection, after: int, upto: int, sound: bool) -> tuple[list[Entry], int]:
    rows = db.execute(_CLEARED, (after, upto, PAGE)).fetchall()
    found = []
    for row in rows:
        try:
            found.append(Entry.from_row(row))
        except DamagedEntryError:
            if not sound:
                raise
    return found, int(rows[-1][0]) if len(rows) == PAGE else upto  # type: ignore[arg-type]  # a seq


def _recent(db: apsw.Connection, last: int) -> list[Entry]:
    """Return the newest changes that follow each other without a hole, oldest first."""
    rows = db.execute(f"SELECT {COLUMNS} FROM changes ORDER BY seq DESC LIMIT ?", (RECENT,)).fetchall()  # noqa: S608
    found: list[Entry] = []
    for row in rows:
        if row[0] != last - len(found):
            break
        found.append(Entry.from_row(row))
    return found[::-1]


def _newest(db: apsw.Connection) -> list[Entry]:
    names = ", ".join(f"c.{name}" for name in COLUMNS.split(", "))
    query = f"SELECT {names} FROM orders JOIN changes AS c ON c.seq = orders.seq WHERE orders.cleared IS NULL"  # noqa: S608
    return _entries(db.execute(query))
