"""What is saved of a damaged store: each sound row of each table, and no listener whose URL may not be its own."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import apsw

from ttgateway.store import pages
from ttgateway.store.opening import leave
from ttgateway.store.tables import listeners, orders, preferences, tokens
from ttgateway.store.tables.entry import COLUMNS, Entry, Values


def opened_as_it_is(damaged: Path) -> apsw.Connection | None:
    """Return a connection that reads what it can of a file, and changes nothing; ``None`` where it cannot be opened."""
    try:
        source = pages.connect(str(damaged))
        source.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # leave the evidence as it was found
        pages.read_unverified(source)  # most rows of a damaged page are as they were
        source.execute("PRAGMA writable_schema = ON")  # or SQLite reads nothing of a file that has lost its end
    except apsw.Error:
        return None
    return source


def salvage(source: apsw.Connection | None, into: apsw.Connection) -> str:
    """Copy every sound row of the damaged file; return what was found, in words."""
    if source is None:
        return "nothing in them can be read"
    counts = [f"{_copy_table(source, into, table)} {table}" for table in SOUND]
    with contextlib.suppress(apsw.Error):
        source.close()
    return f"saved from them: {', '.join(counts)}"


def _copy_table(source: apsw.Connection, into: apsw.Connection, table: str) -> int:
    copied = copy_whole(source, into, table) if table in _WHOLE else None
    return _copy_rows(source, into, table, _shared(source, into, table)) if copied is None else copied


def copy_whole(source: apsw.Connection, into: apsw.Connection, table: str) -> int | None:
    """Let a table be as it is in ``source``, if every row of it is there and sound: it knows better than a copy.

    Returns how many rows there are; ``None`` where the table is left as it was.
    """
    names = _shared(source, into, table)
    try:
        if not names or not _is_sound(source.filename, table):
            return None
        with into:
            into.execute(f"DELETE FROM {table}")  # noqa: S608  # what is only in the copy was removed since
            copied = _copy_rows(source, into, table, names)
            if copied != source.execute(f"SELECT count(*) FROM {table}").get:  # noqa: S608
                raise _NotWholeError
    except (_NotWholeError, apsw.Error, UnicodeDecodeError):
        return None
    return copied


def _shared(source: apsw.Connection, into: apsw.Connection, table: str) -> list[str]:
    """Return the columns that a table has in both files: an older one has fewer, and in another order."""
    return sorted(_columns(source, table) & _columns(into, table))


def _is_sound(path: str, table: str) -> bool:
    """Tell whether the table is as it was written; raise `apsw.Error`. What was read unverified is not asked."""
    with _verifying(path) as source:
        return bool(source.pragma("integrity_check", table) == "ok")


def _copy_rows(source: apsw.Connection, into: apsw.Connection, table: str, names: list[str]) -> int:
    """Copy the rows that can be read, if what then stands in the file is sound; return how many.

    ``into`` is in a transaction. Raises `apsw.Error` where the disk does not take them.
    """
    wanted, sound = SOUND[table]
    if not names:
        return 0
    query = (
        f"REPLACE INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
        f" RETURNING {', '.join(wanted)}"
    )
    copied = 0
    rows = _readable(source, table, names)
    for row in _with_sound_url(source.filename, rows, names) if table == "listeners" else rows:
        try:
            with into:
                sound(into.execute(query, row).get)
        except Exception as error:  # a row that does not fit is as lost as one that cannot be read
            if isinstance(error, apsw.FullError | apsw.IOError) or not into.in_transaction:  # or SQLite has ended it
                raise
            continue
        copied += 1
    return copied


def _with_sound_url(path: str, rows: Iterator[Values], names: list[str]) -> Iterator[Values]:
    """Leave out whose URL is on no sound page, neither of the table nor of its index: it may be somebody else's."""
    with _verifying(path) as source:
        of_table = _readable(source, "listeners", ["url"])
        of_index = _both_ends(source, "SELECT url FROM listeners ORDER BY url")
        sound = {url for (url,) in (*of_table, *of_index)}
    return (row for row in rows if row[names.index("url")] in sound)


def sound_orders(path: str) -> set[str]:
    """Return the uuids of the orders that lie on sound pages of the damaged file."""
    with contextlib.suppress(apsw.Error), _verifying(path) as source:
        return {str(uuid) for (uuid,) in _readable(source, "orders", ["uuid"])}
    return set()


@contextlib.contextmanager
def _verifying(path: str) -> Iterator[apsw.Connection]:
    """Give a connection of its own that reads sound pages alone."""
    source = pages.connect(path)
    try:
        yield source
    finally:
        leave(source)


def _columns(connection: apsw.Connection, table: str) -> set[str]:
    try:
        return {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}
    except (apsw.Error, UnicodeDecodeError):
        return set()


def _readable(source: apsw.Connection, table: str, names: list[str]) -> Iterator[Values]:
    """Yield the rows of a table as they lie in the file, from both ends."""
    with contextlib.suppress(apsw.Error, UnicodeDecodeError):
        key = _key(source, table)
        yield from _both_ends(source, f"SELECT {', '.join(names)} FROM {table} ORDER BY {key}")  # noqa: S608


def _both_ends(source: apsw.Connection, query: str) -> Iterator[Values]:
    """Yield what an ordered query finds, from both ends: a damaged page in the middle hides only what is on it."""
    for direction in ("ASC", "DESC"):
        try:
            yield from source.execute(f"{query} {direction}")
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

SOUND: dict[str, tuple[Sequence[str], Callable[[Values], object]]] = {
    "tokens": (tokens.NAMES, tokens.from_row),
    "listeners": (listeners.NAMES, listeners.from_row),
    "orders": (orders.NAMES, orders.from_row),
    "changes": (COLUMNS.split(", "), Entry.from_row),
    "parked": (listeners.Parked.__struct_fields__, listeners.parked_from_row),
    "settings": (preferences.NAMES, preferences.from_row),
}
"""What is saved: the columns that a row is read by, and what reads it and raises where it is not sound."""
