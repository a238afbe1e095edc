"""A damaged store: its files are moved aside, what can be read is saved, and nobody is told that nothing happened."""

import contextlib
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from pathlib import Path

import apsw
import msgspec

from ttgateway.orders.change import ChangeType, change_of
from ttgateway.orders.moment import Moment
from ttgateway.store import listeners, orders, preferences, tokens
from ttgateway.store.disk import numbered
from ttgateway.store.entry import COLUMNS, Entry, Values, entry_of
from ttgateway.store.opening import FILE, DamagedStoreError, StoreUnusable, close, open_file, verify

MOST_KEPT = 3
"""How many damaged stores are kept for inspection."""

SEQ_MARGIN = 10_000
"""How far the seq jumps: above all that was ever told, although the newest changes may be unreadable."""

UNLIKELY = 1 << 50
"""No gateway comes to such a seq: it is a flipped bit."""

CORRUPT = "corrupt"
RESCUED = "rescued.db"
UNFINISHED = "unfinished"


def check_finished(directory: Path) -> None:
    """Raise `DamagedStoreError` where a recovery was interrupted: what lies there is not what was saved."""
    aside = _newest(directory / CORRUPT)
    if aside is not None and (aside / UNFINISHED).exists():
        raise DamagedStoreError("its recovery was interrupted")


def recover(directory: Path, boot: str, now: Moment, zone: tzinfo, steps: Sequence[str], why: str) -> apsw.Connection:
    """Return a store that serves in place of the damaged one in ``directory``.

    The newest good backup serves, or else a fresh file; every readable row of the damaged file is brought over; the
    journal gets a new epoch, and each listener is due a snapshot. ``why`` is kept for the operator. The new file gets
    its name when it is complete; until then the next start recovers anew.
    """
    aside = _quarantine(directory)
    source = _opened(aside / FILE)
    was = _last_known(source)
    then = was or _Known(None, boot, now.uptime, now.wall)
    rescued = directory / RESCUED
    _restore(directory, rescued, then, steps)
    connection = open_file(str(rescued), then.boot, then.moment(), steps)
    with connection:
        saved = _salvage(source, connection)
        connection.execute(
            "UPDATE gateway SET id = coalesce(?, id), epoch = ?, trimmed = ?, damage = ?",
            (
                then.id,
                uuid.uuid4().hex[:12],
                _told(connection) + SEQ_MARGIN,
                f"{why}; the damaged files are in {aside}; {saved}",
            ),
        )
        connection.execute("UPDATE listeners SET snapshot_due = 1")
        if was is None:  # of which boot the ages were is not known
            connection.execute("UPDATE orders SET born = ? - max(0, ? - started)", (now.uptime, now.wall))
        _complete(connection, then.moment(), preferences.zone(connection, zone))
    close(connection, then.moment())
    rescued.rename(directory / FILE)
    (aside / UNFINISHED).unlink()
    return open_file(str(directory / FILE), boot, now, steps)


class _Known(msgspec.Struct, frozen=True):
    """Which gateway a store was of, and when it was last written: on this scale are the ages of its orders."""

    id: str | None
    boot: str
    uptime: float
    wall: float

    def moment(self) -> Moment:
        return Moment(wall=self.wall, uptime=self.uptime)


def _opened(damaged: Path) -> apsw.Connection | None:
    try:
        source = apsw.Connection(str(damaged))
        source.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # leave the evidence as it was found
        source.execute("PRAGMA writable_schema = ON")  # or SQLite reads nothing of a file that has lost its end
    except apsw.Error:
        return None
    return source


def _last_known(source: apsw.Connection | None) -> _Known | None:
    if source is None:
        return None
    try:
        row = source.execute(f"SELECT {', '.join(_Known.__struct_fields__)} FROM gateway").get  # noqa: S608
        return msgspec.convert(dict(zip(_Known.__struct_fields__, row, strict=True)), _Known) if row else None
    except (apsw.Error, ValueError):
        return None


def _quarantine(directory: Path) -> Path:
    """Move the store's files to ``corrupt/<number>`` (the clock may be wrong: no date) and return that folder."""
    folder = directory / CORRUPT
    folder.mkdir(exist_ok=True)
    aside = _newest(folder)
    if aside is None or not (aside / UNFINISHED).exists():
        aside = folder / str(int(aside.name) + 1 if aside else 1)
        aside.mkdir()
        (aside / UNFINISHED).touch()
    for path in directory.glob(f"{FILE}*"):
        if not (aside / path.name).exists():
            path.rename(aside / path.name)
    for old in numbered(folder)[:-MOST_KEPT]:
        shutil.rmtree(old)
    return aside


def _newest(folder: Path) -> Path | None:
    return next(reversed(numbered(folder)), None)


def _restore(directory: Path, target: Path, then: _Known, steps: Sequence[str]) -> None:
    """Write the newest backup that is sound to ``target``, if there is one."""
    _remove(target)
    for backup in reversed(numbered(directory / "backups", ".db")):
        shutil.copyfile(backup, target)
        with contextlib.suppress(DamagedStoreError, StoreUnusable):
            connection = open_file(str(target), then.boot, then.moment(), steps)
            try:
                verify(connection)
                return
            finally:
                connection.close()
        _remove(target)


def _remove(store: Path) -> None:
    for path in store.parent.glob(f"{store.name}*"):
        path.unlink()


def _told(connection: apsw.Connection) -> int:
    """Return the highest seq that any row knows of: no higher one can have been told."""
    seqs = [orders.last_seq(connection)]
    for column, table in (("cursor", "listeners"), ("seq", "orders"), ("seq", "parked")):
        query = f"SELECT coalesce(max({column}), 0) FROM {table} WHERE {column} < ?"  # noqa: S608
        seqs.append(int(connection.execute(query, (UNLIKELY,)).get))
    return max(seqs)


def _salvage(source: apsw.Connection | None, into: apsw.Connection) -> str:
    """Copy every sound row of the damaged file; return what was found, in words."""
    if source is None:
        return "nothing in them can be read"
    counts = [f"{_copy_table(source, into, table)} {table}" for table in _SOUND]
    with contextlib.suppress(apsw.Error):
        source.close()
    return f"saved from them: {', '.join(counts)}"


def _copy_table(source: apsw.Connection, into: apsw.Connection, table: str) -> int:
    names = _columns(source, table) & _columns(into, table)  # an older file has fewer, and in another order
    if not names:
        return 0
    if table in _WHOLE:
        with contextlib.suppress(_NotWholeError), into:
            into.execute(f"DELETE FROM {table}")  # noqa: S608  # what is only in the backup was removed since
            return _copy_whole(source, into, table, sorted(names))
    return _copy_rows(source, into, table, sorted(names))


def _copy_whole(source: apsw.Connection, into: apsw.Connection, table: str, names: list[str]) -> int:
    """Copy the table if every row of it is there and sound: then it knows better than a backup."""
    try:
        if source.pragma("integrity_check", table) == "ok":
            copied = _copy_rows(source, into, table, names)
            if copied == source.execute(f"SELECT count(*) FROM {table}").get:  # noqa: S608
                return copied
    except (apsw.Error, UnicodeDecodeError):
        pass
    raise _NotWholeError


def _copy_rows(source: apsw.Connection, into: apsw.Connection, table: str, names: list[str]) -> int:
    """Copy the rows that can be read, if what then stands in the file is sound; return how many."""
    wanted, sound = _SOUND[table]
    query = (
        f"REPLACE INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
        f" RETURNING {', '.join(wanted)}"
    )
    copied = 0
    for row in _readable(source, table, names):
        with contextlib.suppress(Exception), into:  # a row that does not fit is as lost as one that cannot be read
            sound(into.execute(query, row).get)
            copied += 1
    return copied


def _columns(connection: apsw.Connection, table: str) -> set[str]:
    try:
        return {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}
    except (apsw.Error, UnicodeDecodeError):
        return set()


def _readable(source: apsw.Connection, table: str, names: list[str]) -> Iterator[Values]:
    """Yield the rows from both ends: a damaged page in the middle hides only what is on it."""
    for direction in ("ASC", "DESC"):
        try:
            order = f"{_key(source, table)} {direction}"
            yield from source.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY {order}")  # noqa: S608
        except (apsw.Error, UnicodeDecodeError):
            continue
        return


def _key(connection: apsw.Connection, table: str) -> str:
    """Return by what the rows of a table lie in the file: reading them so needs no index, which may be damaged."""
    without_rowid = connection.execute("SELECT wr FROM pragma_table_list WHERE name = ?", (table,)).get
    if not without_rowid:
        return "rowid"
    return str(connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk = 1", (table,)).get)


class _NotWholeError(Exception):
    """A table of the damaged file has lost something."""


_WHOLE = ("tokens", "listeners")
"""Tables in which a row that comes back from a backup would do harm: a secret that was revoked opens again."""

_SOUND: dict[str, tuple[Sequence[str], Callable[[Values], object]]] = {
    "tokens": (tokens.NAMES, tokens.from_row),
    "listeners": (listeners.NAMES, listeners.from_row),
    "orders": (orders.NAMES, orders.from_row),
    "changes": (COLUMNS.split(", "), Entry.from_row),
    "parked": (listeners.Parked.__struct_fields__, listeners.parked_from_row),
    "settings": (preferences.NAMES, preferences.from_row),
}
"""What is saved: the columns that a row is read by, and what reads it and raises where it is not sound."""


def _complete(connection: apsw.Connection, now: Moment, zone: tzinfo) -> None:
    """Leave one active order a name, and each with a newest change: a snapshot is made of these."""
    connection.execute(
        "UPDATE orders SET state = 'cleared', cleared = ?, cleared_reason = 'AUTOMATIC'"
        " WHERE cleared IS NULL AND EXISTS (SELECT 1 FROM orders AS newer"
        " WHERE newer.name = orders.name AND newer.cleared IS NULL AND newer.seq > orders.seq)",
        (now.wall,),
    )
    standing = orders.standing(connection).orders
    have = {row[0] for row in connection.execute("SELECT seq FROM changes")}
    for order in standing:
        if order.seq not in have:
            entry = entry_of(change_of(order, ChangeType.MODIFIED, now, zone), now.wall)
            connection.execute(f"INSERT OR IGNORE INTO changes ({COLUMNS}) VALUES (?,?,?,?,?,?)", entry.row())  # noqa: S608
