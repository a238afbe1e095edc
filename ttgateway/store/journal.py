"""The journal: every order change once, in the order of its seq. A listener is a cursor into it."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import apsw
from twisted.internet.defer import Deferred

from ttgateway.orders.change import OrderChange
from ttgateway.orders.order import Order, OrderState
from ttgateway.store import orders
from ttgateway.store.commits import GroupCommit, Work
from ttgateway.store.entry import COLUMNS, Entry, Values, entry_of
from ttgateway.store.executor import Executor
from ttgateway.store.opening import RECENT

PAGE = 100
"""How many changes are read at once for a listener that is further behind."""


class Journal:
    """Writes changes together with the orders that they change; hands them out after a cursor, once durable.

    ``last`` is the last durable seq, ``trimmed`` the seq up to which changes may be gone.
    """

    def __init__(self, commits: GroupCommit, executor: Executor, connection: apsw.Connection) -> None:
        self._commits = commits
        self._executor = executor
        self._connection = connection
        self.last = orders.last_seq(connection)
        self.trimmed = int(connection.execute("SELECT trimmed FROM gateway").get)
        self._recent: deque[Entry] = deque(_recent(connection, self.last), maxlen=RECENT)
        self._newest = {entry.order_uuid: entry for entry in _newest(connection)}
        self._announced = self.last
        self._watchers: list[Callable[[], None]] = []
        commits.watch(self._announce)

    def watch(self, announced: Callable[[], None]) -> None:
        """Call ``announced`` after each commit that holds changes."""
        self._watchers.append(announced)

    def append(self, change: OrderChange, order: Order, at: float) -> Deferred[None]:
        """Write ``change`` (made at Unix time ``at``) and ``order`` as it is after it; fires when both are durable."""
        entry = entry_of(change, at)
        cleared = order.state is OrderState.CLEARED
        return self._commits.write(_writing(entry, order), lambda: self._committed(entry, cleared))

    def recent(self, after: int) -> Entry | None:
        """Return the change that follows seq ``after``, if it is in memory; ``None`` where it must be read."""
        if not self._recent:
            return None
        index = after + 1 - self._recent[0].seq
        return self._recent[index] if 0 <= index < len(self._recent) else None

    def page(self, after: int) -> Deferred[list[Entry]]:
        """Read at most `PAGE` changes that follow seq ``after``; fails with `DamagedEntryError`."""
        query = f"SELECT {COLUMNS} FROM changes WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
        return self._executor.run(lambda: _entries(self._connection.execute(query, (after, PAGE))))

    def page_again(self, listener_id: str, after: int, upto: int) -> Deferred[list[tuple[Entry, bool]]]:
        """Read at most `PAGE` changes after ``after`` and up to ``upto``; tell of each whether it is parked.

        That is: for the listener with this id. Fails with `DamagedEntryError`.
        """
        return self._executor.run(lambda: _told_before(self._connection, listener_id, after, upto))

    def newest_page(self, after: int, upto: int, types: Sequence[str]) -> Deferred[list[tuple[Entry, int]]]:
        """Read, of the changes after ``after`` and up to ``upto``, the newest of each order; at most `PAGE`, by seq.

        ``types`` narrows what counts to these types (empty: all). With each comes how many changes of other types
        lie between it and the one before. Fails with `DamagedEntryError`.
        """
        return self._executor.run(lambda: _newest_of_each(self._connection, after, upto, types))

    def standing(self) -> list[Entry]:
        """Return the newest change of each active order, by seq: what a snapshot tells."""
        return sorted(self._newest.values(), key=lambda entry: entry.seq)

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
        if cleared:
            self._newest.pop(entry.order_uuid, None)
        else:
            self._newest[entry.order_uuid] = entry

    def _announce(self) -> None:
        if self.last != self._announced:
            self._announced = self.last
            for watcher in self._watchers:
                watcher()


def _writing(entry: Entry, order: Order) -> Work[None]:
    def work(db: apsw.Connection) -> None:
        db.execute(f"INSERT INTO changes ({COLUMNS}) VALUES (?,?,?,?,?,?)", entry.row())  # noqa: S608
        orders.save(db, order)

    return work


def _entries(rows: Iterable[Values]) -> list[Entry]:
    """Read all rows before looking at any: a statement that is left half done would pin the log."""
    return [Entry.from_row(row) for row in list(rows)]


def _told_before(db: apsw.Connection, listener_id: str, after: int, upto: int) -> list[tuple[Entry, bool]]:
    query = (
        f"SELECT {COLUMNS}, EXISTS (SELECT 1 FROM parked AS p WHERE p.listener = ? AND p.seq = c.seq)"  # noqa: S608
        " FROM changes AS c WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
    )
    rows = db.execute(query, (listener_id, after, upto, PAGE)).fetchall()
    return [(Entry.from_row(row[:-1]), bool(row[-1])) for row in rows]


def _newest_of_each(db: apsw.Connection, after: int, upto: int, types: Sequence[str]) -> list[tuple[Entry, int]]:
    marks = ", ".join("?" * len(types))
    wanted = f" AND {{}}.type IN ({marks})" if types else ""
    query = (
        f"SELECT {COLUMNS} FROM changes AS c WHERE seq > ? AND seq <= ?{wanted.format('c')}"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM changes AS n WHERE n.order_uuid = c.order_uuid"
        f" AND n.seq > c.seq AND n.seq <= ?{wanted.format('n')}) ORDER BY seq LIMIT ?"
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
