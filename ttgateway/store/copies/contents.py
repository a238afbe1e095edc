"""What a store holds, for the operator; and whether all of it is what was written: each page, each row."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import apsw
import msgspec

from ttgateway.store import pages
from ttgateway.store.damage.salvage import SOUND
from ttgateway.store.damage.soundness import DamagedStoreError, check_pages
from ttgateway.store.opening import CHECKSUMS_SINCE, StoreUnusable, refuse_newer
from ttgateway.store.tables import orders

NO_STORE = 65
"""The exit code where a file is no store, or is damaged: EX_DATAERR."""


class NoDatabase(StoreUnusable):
    """A file is no database at all, or empty: as a copy it is none, in the store's place it is a damaged one."""


class Contents(msgspec.Struct, frozen=True):
    """What a store holds: ``schema`` is its version, ``seq`` the last one given out, ``active`` orders, ``size`` bytes.

    ``id`` names the gateway whose store it is.
    """

    id: str
    schema: int
    seq: int
    active: int
    orders: int
    changes: int
    listeners: int
    tokens: int
    size: int


def look(path: Path, steps: Sequence[str]) -> Contents:
    """Check every page and every row of a copy of a store; return what it holds. Nothing is written.

    Raises `DamagedStoreError` and `StoreUnusable` (no store, newer than ours, unreadable). ``steps`` is our schema. Of
    an older file the rows are read that an upgrade would leave as they are.
    """
    try:
        with contextlib.closing(pages.connect_unchanging(path)) as probe:
            pages.read_unverified(probe)
            no_checksums = store_version(probe, path, steps) < CHECKSUMS_SINCE
        db = pages.connect_unchanging(path)
    except apsw.Error as error:
        raise StoreUnusable(f"{path}: cannot be read: {error}", 66) from None
    try:
        if no_checksums:  # or those that a gateway without any has written over
            pages.read_unverified(db)
        return checked(db, path, steps)
    finally:
        db.close()


def checked(db: apsw.Connection, path: Path, steps: Sequence[str]) -> Contents:
    """Check every page and every row; return what the store holds.

    ``path`` is its file. Raises `DamagedStoreError` and `StoreUnusable` (no store, newer than ours).
    """
    try:
        version = store_version(db, path, steps)
        if version >= CHECKSUMS_SINCE and not pages.have_checksums(db):
            raise DamagedStoreError("its pages have lost their checksums")
        check_pages(db)
        counts = {table: _read_all(db, table) for table in SOUND}
        active = int(db.execute("SELECT count(*) FROM orders WHERE cleared IS NULL").get)
        gateway, seq = str(db.execute("SELECT id FROM gateway").get), orders.last_seq(db)
    except (DamagedStoreError, StoreUnusable):
        raise
    except Exception as error:  # whatever cannot be read is not what was written
        raise DamagedStoreError(str(error)) from error
    return Contents(
        id=gateway,
        schema=version,
        seq=seq,
        active=active,
        orders=counts["orders"],
        changes=counts["changes"],
        listeners=counts["listeners"],
        tokens=counts["tokens"],
        size=os.stat(path).st_size,  # noqa: PTH116
    )


def store_version(db: apsw.Connection, path: Path, steps: Sequence[str]) -> int:
    """Return the version of the schema of the store at ``path``; raise `StoreUnusable` where it is none, or newer."""
    none = f"{path}: is no store of a ttgateway"
    try:
        version = refuse_newer(db, str(path), steps)
        if not db.pragma("page_count"):
            raise NoDatabase(none, NO_STORE)
        ours = db.execute("SELECT count(*) FROM sqlite_schema WHERE name IN ('gateway', 'orders', 'changes')").get == 3
    except apsw.NotADBError:
        raise NoDatabase(none, NO_STORE) from None
    if not version or not ours:
        raise StoreUnusable(none, NO_STORE)
    return version


def _read_all(db: apsw.Connection, table: str) -> int:
    """Read every row of a table; return how many there are, or raise what a row that is not sound raises."""
    names, sound = SOUND[table]
    have = {row[0] for row in db.execute("SELECT name FROM pragma_table_info(?)", (table,))}
    if not have:  # an older schema has no such table
        return 0
    if not have.issuperset(names):
        return int(db.execute(f"SELECT count(*) FROM {table}").get)  # noqa: S608
    count = 0
    for row in db.execute(f"SELECT {', '.join(names)} FROM {table}"):  # noqa: S608
        sound(row)
        count += 1
    return count
