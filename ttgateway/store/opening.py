"""Opening the store: create, upgrade, check; and the lock that keeps a second process out."""

import fcntl
import os
import uuid
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import apsw

from ttgateway.orders.moment import Moment
from ttgateway.store import listeners, orders, preferences, tokens
from ttgateway.store.entry import COLUMNS, Entry

FILE = "ttgateway.db"
MEMORY = ":memory:"

_PRAGMAS = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # NORMAL would lose acknowledged orders in a power cut (faults.md, measured)
    "PRAGMA wal_autocheckpoint = 1000",
    "PRAGMA journal_size_limit = 4194304",
    "PRAGMA mmap_size = 0",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)


RECENT = 1_000
"""How many changes stay in memory: who is no further behind than this never touches the disk."""

_NEEDED = f"SELECT {COLUMNS} FROM changes WHERE seq > ? OR seq IN (SELECT seq FROM orders WHERE cleared IS NULL)"  # noqa: S608
"""The changes after some seq, and the newest of each active order: snapshots are made of those."""


class StoreUnusable(Exception):
    """The store cannot be opened; the text is one line for the operator, ``code`` the exit code of the process."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


class DamagedStoreError(Exception):
    """The file is not what was written."""


def lock(directory: Path) -> int:
    """Make the state directory where it is missing, and lock it for this process; raise `StoreUnusable`.

    Returns the descriptor that holds the lock; closing it, or the end of the process, gives it up.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnusable(f"{directory}: the state directory cannot be written: {error.strerror}", 73) from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise StoreUnusable(f"{directory}: another ttgateway is running on this state directory", 75) from None
    return held


def schema() -> list[str]:
    """Return the schema's steps, oldest first; a file of version n has had the first n of them."""
    folder = resources.files("ttgateway.store") / "schema"
    return [step.read_text("utf-8") for step in sorted(folder.iterdir(), key=lambda step: step.name)]


def connect(path: str) -> apsw.Connection:
    """Open the file at ``path`` as every connection of ours is opened."""
    connection = apsw.Connection(path)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except BaseException:
        leave(connection)
        raise
    return connection


def leave(connection: apsw.Connection) -> None:
    """Close a connection to a file that is not well, and leave the file and its log as they were found."""
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.close()


def open_file(path: str, boot: str, now: Moment, steps: Sequence[str]) -> apsw.Connection:
    """Return the writing connection to a store that is created, upgraded, checked, and set to the present boot.

    Raises `StoreUnusable` (newer than ours, not writable) and `DamagedStoreError`.
    """
    try:
        connection = connect(path)
        try:
            _upgrade(connection, path, boot, now, steps)
            _check(connection)
            _begin(connection, boot, now)
        except BaseException:
            leave(connection)
            raise
    except (apsw.CorruptError, apsw.NotADBError, ValueError, TypeError) as error:  # the latter: unreadable values
        raise DamagedStoreError(str(error)) from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
        raise StoreUnusable(f"{path}: cannot be written: {error}", 73) from error
    except apsw.FullError as error:
        raise StoreUnusable(f"{path}: the disk is full", 73) from error
    except apsw.Error as error:
        raise StoreUnusable(f"{path}: cannot be opened: {error}", 74) from error
    return connection


def open_memory(boot: str, now: Moment) -> apsw.Connection:
    """Return the connection to a fresh store in memory."""
    return open_file(MEMORY, boot, now, schema())


def close(connection: apsw.Connection, now: Moment) -> None:
    """Leave the mark of a clean stop, put the log into the file, and close the connection."""
    connection.execute("UPDATE gateway SET clean = 1, uptime = ?, wall = ?", (now.uptime, now.wall))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _upgrade(connection: apsw.Connection, path: str, boot: str, now: Moment, steps: Sequence[str]) -> None:
    version = int(connection.pragma("user_version"))
    if version > len(steps):
        raise StoreUnusable(
            f"{path}: was written by a newer ttgateway (schema {version}, this one knows {len(steps)}); "
            "install that version, or name another state directory",
            78,
        )
    if 0 < version < len(steps):
        copy(connection, Path(path).with_name(f"before-schema-{len(steps)}.db"))
    with connection:
        for number, step in enumerate(steps[version:], start=version + 1):
            connection.execute(step)
            connection.pragma("user_version", number)
        if version == 0:
            connection.execute(
                "INSERT INTO gateway (only, epoch, id, trimmed, boot, uptime, wall, clean)"
                " VALUES (1, ?, ?, 0, ?, ?, ?, 1)",
                (uuid.uuid4().hex[:12], str(uuid.uuid4()), boot, now.uptime, now.wall),
            )


def copy(connection: apsw.Connection, target: Path) -> None:
    """Write a whole copy of the store to ``target``: there is either all of it or nothing, and it is synced."""
    fresh = target.with_name(target.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)  # as the store itself
    destination = apsw.Connection(str(fresh))
    with destination.backup("main", connection, "main") as backup:
        backup.step(-1)
    destination.close()
    _sync(fresh)
    fresh.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(connection: apsw.Connection) -> None:
    """After an unclean stop: is every page what was written? And always: is what the start will read?"""
    if connection.execute("SELECT clean FROM gateway").get:
        _check_rows(connection, _kept_in_memory(connection))
    else:
        verify(connection)


def verify(connection: apsw.Connection) -> None:
    """Raise `DamagedStoreError` unless the pages fit together and the rows that are still needed can be read."""
    result = connection.pragma("quick_check")
    if result != "ok":
        raise DamagedStoreError(f"quick_check: {result}")
    since = _kept_in_memory(connection)
    waited_for = connection.execute("SELECT min(cursor) FROM listeners").get
    _check_rows(connection, since if waited_for is None else min(since, int(waited_for)))


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


def _begin(connection: apsw.Connection, boot: str, now: Moment) -> None:
    """Mark the store as open, and bring the active orders' ages over to the present boot.

    Within one boot an age is exact. Over a reboot it grows by the gap on the wall clock, if that clock did not go
    back (an appliance without a real-time clock may wake in 1970): never negative, never running back.
    """
    (then, uptime, wall) = connection.execute("SELECT boot, uptime, wall FROM gateway").get
    with connection:
        if then != boot:
            gap = max(0.0, now.wall - wall)
            connection.execute(
                "UPDATE orders SET born = ? - (? - born) - ? WHERE cleared IS NULL", (now.uptime, uptime, gap)
            )
        connection.execute(
            "UPDATE gateway SET clean = 0, boot = ?, uptime = ?, wall = ?",
            (boot, now.uptime, now.wall),
        )
