"""A damaged store: its files are moved aside, what can be read is saved, and nobody is told that nothing happened."""

import contextlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from pathlib import Path

import apsw

from ttgateway.orders.change import ChangeType, change_of
from ttgateway.orders.moment import Moment
from ttgateway.store import listeners, orders, tokens
from ttgateway.store.entry import COLUMNS, Entry, Values, entry_of
from ttgateway.store.opening import FILE, DamagedStoreError, StoreUnusable, open_file, verify

MOST_KEPT = 3
"""How many damaged stores are kept for inspection."""

SEQ_MARGIN = 10_000
"""How far the seq jumps: above all that was ever told, although the newest changes may be unreadable."""


def recover(directory: Path, boot: str, now: Moment, zone: tzinfo, steps: Sequence[str], why: str) -> apsw.Connection:
    """Return a store that serves in place of the damaged one in ``directory``.

    The newest good backup serves, or else a fresh file; every readable row of the damaged file is brought over; the
    journal gets a new epoch, and each listener is due a snapshot. ``why`` is kept for the operator.
    """
    aside = _quarantine(directory)
    _restore(directory, boot, now, steps)
    connection = open_file(str(directory / FILE), boot, now, steps)
    with connection:
        saved = _salvage(aside / FILE, connection)
        last = orders.last_seq(connection)
        told = int(connection.execute("SELECT coalesce(max(cursor), 0) FROM listeners").get)
        connection.execute(
            "UPDATE gateway SET epoch = ?, trimmed = ?, damage = ?",
            (uuid.uuid4().hex[:12], max(last, told) + SEQ_MARGIN, f"{why}; the damaged files are in {aside}; {saved}"),
        )
        connection.execute("UPDATE listeners SET snapshot_due = 1")
        _complete(connection, now, zone)
    return connection


def _quarantine(directory: Path) -> Path:
    """Move the store's files to ``corrupt/<number>`` (the clock may be wrong: no date) and return that folder."""
    folder = directory / "corrupt"
    folder.mkdir(exist_ok=True)
    kept = sorted(folder.iterdir(), key=lambda path: int(path.name))
    aside = folder / str(int(kept[-1].name) + 1 if kept else 1)
    aside.mkdir()
    for path in directory.glob(f"{FILE}*"):
        path.rename(aside / path.name)
    for old in kept[: -(MOST_KEPT - 1)]:
        for path in old.iterdir():
            path.unlink()
        old.rmdir()
    return aside


def _restore(directory: Path, boot: str, now: Moment, steps: Sequence[str]) -> None:
    """Put the newest backup that is sound in the store's place, if there is one."""
    backups = sorted((directory / "backups").glob("*.db"), key=lambda path: int(path.stem), reverse=True)
    for backup in backups:
        target = directory / FILE
        target.write_bytes(backup.read_bytes())
        with contextlib.suppress(DamagedStoreError, StoreUnusable):
            connection = open_file(str(target), boot, now, steps)
            try:
                verify(connection)
                return
            finally:
                connection.close()
        for path in directory.glob(f"{FILE}*"):
            path.unlink()


def _salvage(damaged: Path, into: apsw.Connection) -> str:
    """Copy every sound row of the damaged file; return what was found, in words."""
    try:
        source = apsw.Connection(str(damaged))
        source.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # leave the evidence as it was found
    except apsw.Error:
        return "nothing in them can be read"
    counts = [f"{_copy_table(source, into, table)} {table}" for table in _SOUND]
    with contextlib.suppress(apsw.Error):
        source.close()
    return f"saved from them: {', '.join(counts)}"


def _copy_table(source: apsw.Connection, into: apsw.Connection, table: str) -> int:
    columns = [str(row[1]) for row in into.execute(f"PRAGMA table_info({table})")]
    marks = ", ".join("?" * len(columns))
    copied = 0
    for row in _readable(source, table, columns):
        with contextlib.suppress(Exception), into:  # a row that does not fit is as lost as one that cannot be read
            _SOUND[table](row)
            into.execute(f"REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks})", row)  # noqa: S608
            copied += 1
    return copied


def _readable(source: apsw.Connection, table: str, columns: list[str]) -> Iterator[Values]:
    """Yield the rows from both ends: a damaged page in the middle hides only what is on it."""
    for direction in ("ASC", "DESC"):
        query = f"SELECT {', '.join(columns)} FROM {table} ORDER BY {columns[0]} {direction}"  # noqa: S608
        try:
            yield from source.execute(query)
        except apsw.Error:
            continue
        return


_SOUND: dict[str, Callable[[Values], object]] = {
    "tokens": tokens.from_row,
    "listeners": listeners.from_row,
    "orders": orders.from_row,
    "changes": Entry.from_row,
    "parked": listeners.parked_from_row,
}


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
            connection.execute(f"INSERT INTO changes ({COLUMNS}) VALUES (?,?,?,?,?,?)", entry.row())  # noqa: S608
