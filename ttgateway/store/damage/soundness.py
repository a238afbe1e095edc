"""Is a store what was written? Its pages, what is on them, and how they fit together."""

import apsw

from ttgateway.store.tables import listeners, orders, preferences, tokens
from ttgateway.store.tables.entry import COLUMNS, Entry

CHECKED_EACH_TIME = 32 * 1024 * 1024
"""Bytes up to which a file is checked whole at each start, after a clean stop too: that takes 90 ms."""

RECENT = 1_000
"""How many changes stay in memory: who is no further behind than this never touches the disk."""

_NEEDED = f"SELECT {COLUMNS} FROM changes WHERE seq > ? OR seq IN (SELECT seq FROM orders WHERE cleared IS NULL)"  # noqa: S608
"""The changes after some seq, and the newest of each active order: snapshots are made of those."""

_PARTIAL_INDEXES = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND sql LIKE '% WHERE %'"


class DamagedStoreError(Exception):
    """The file is not what was written."""


def check(connection: apsw.Connection) -> None:
    """Raise `DamagedStoreError` unless every page is what was written.

    After a clean stop a large file is believed, but for what the start will read.
    """
    size = int(connection.pragma("page_count")) * int(connection.pragma("page_size"))
    if size > CHECKED_EACH_TIME and connection.execute("SELECT clean FROM gateway").get:
        _check_rows(connection, _kept_in_memory(connection))
    else:
        verify(connection)


def verify(connection: apsw.Connection) -> None:
    """Raise `DamagedStoreError` unless the pages fit together and the rows that are still needed can be read."""
    check_pages(connection)
    since = _kept_in_memory(connection)
    waited_for = connection.execute("SELECT min(cursor) FROM listeners").get
    _check_rows(connection, since if waited_for is None else min(since, int(waited_for)))


def check_pages(connection: apsw.Connection) -> None:
    """Raise `DamagedStoreError` unless every page, index and row fits to the others."""
    # Not quick_check: pages that changed places have their checksums, and an index is then wrong that nobody looks at.
    result = connection.pragma("integrity_check")
    if result != "ok":
        raise DamagedStoreError(f"integrity_check: {result}")
    _check_partial_indexes(connection)


def _check_partial_indexes(connection: apsw.Connection) -> None:
    """Nobody else counts what is in them: an empty one may have changed places with the only page of a table."""
    for index, table, sql in connection.execute(_PARTIAL_INDEXES).fetchall():
        holds = str(sql).partition(" WHERE ")[2]
        rows, entries = (
            connection.execute(f"SELECT count(*) FROM {table} {by} WHERE {holds}").get  # noqa: S608
            for by in ("NOT INDEXED", f"INDEXED BY {index}")
        )
        if rows != entries:
            raise DamagedStoreError(f"{index} has {entries} entries for {rows} rows")


def _kept_in_memory(connection: apsw.Connection) -> int:
    """Return after which seq the changes will be kept in memory."""
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM changes").get) - RECENT


def _check_rows(connection: apsw.Connection, since: int) -> None:
    """Raise `DamagedStoreError` unless every row can be read that the start reads, or a listener after ``since``."""
    try:
        for row in connection.execute(_NEEDED, (since,)):
            Entry.from_row(row)
        orders.standing(connection)
        listeners.load(connection)
        tokens.load(connection)
        preferences.load(connection)
    except Exception as error:
        raise DamagedStoreError(str(error)) from error
