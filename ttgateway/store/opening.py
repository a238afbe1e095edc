"""Opening the store: create, upgrade, check; and the lock that keeps a second process out."""

import contextlib
import fcntl
import os
import uuid
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import apsw

from ttgateway.orders.moment import Moment
from ttgateway.store import age, pages
from ttgateway.store.copies.copying import copy
from ttgateway.store.damage import log, soundness
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.disk import BACKUPS, BALLAST_FILE, numbered

FILE = "ttgateway.db"
LOCK = "lock"
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


CHECKSUMS_SINCE = 3
"""The schema's version from which on the pages of every file have checksums."""

_TAKEN_FOR_EMPTY = 1
"""Bytes: SQLite takes a file of one byte for an empty one, too (``unixFileSize``), and deletes its log."""

NOTE_TIME_EVERY = 1.0
"""Seconds between two notes of the time: a commit at most this old tells how long the orders had waited."""

NEWER = 78
"""The code where a newer version has written the file: EX_CONFIG."""

HELD = 75
"""The code where another process has the state directory: EX_TEMPFAIL."""


class StoreUnusable(Exception):
    """The store cannot be opened; the text is one line for the operator, ``code`` the exit code of the process."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def lock(directory: Path) -> int:
    """Make the state directory where it is missing, and lock it for this process; raise `StoreUnusable`.

    Returns the descriptor that holds the lock; closing it, or the end of the process, gives it up.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        why = "it is no directory" if isinstance(error, FileExistsError) else error.strerror
        raise StoreUnusable(f"{directory}: the state directory cannot be written: {why}", 73) from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise StoreUnusable(f"{directory}: another ttgateway is running on this state directory", HELD) from None
    return held


def schema() -> list[str]:
    """Return the schema's steps, oldest first; a file of version n has had the first n of them."""
    folder = resources.files("ttgateway.store") / "schema"
    return [step.read_text("utf-8") for step in sorted(folder.iterdir(), key=lambda step: step.name)]


def connect(path: str) -> apsw.Connection:
    """Open the file at ``path`` as every connection of ours is opened."""
    connection = pages.connect(path)
    try:
        if path != MEMORY and has_no_checksums(path):
            pages.read_unverified(connection)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except BaseException:
        leave(connection)
        raise
    return connection


def has_no_checksums(path: str) -> bool:
    """Tell whether the file is of a schema whose pages have no checksums.

    If an upgrade was interrupted they may have some, which the older gateway has written over since: by the version
    alone this is known. It is read through another connection, as what was read unverified must not stay in memory.
    """
    return 0 < pages.version_unverified(path) < CHECKSUMS_SINCE


def leave(connection: apsw.Connection) -> None:
    """Close a connection to a file that is not well, and leave the file and its log as they were found."""
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.close()


def open_file(path: str, boot: str, now: Moment, steps: Sequence[str]) -> apsw.Connection:
    """Return the writing connection to a store that is created, upgraded, checked, and set to the present boot.

    Raises `StoreUnusable` (newer than ours, not writable) and `DamagedStoreError`.
    """
    noted = log.noted_end(path)
    try:
        _refuse_empty(path)
        _close_to_others(path)
        connection = connect(path)
        try:
            refuse_newer(connection, path, steps)
            _check_log(connection, path, boot, noted)
            _upgrade(connection, path, boot, now, steps)
            soundness.check(connection)
            _begin(connection, boot, now)
            _settle(connection)  # so that the file itself says that it is in use, should the log get lost
        except BaseException:
            leave(connection)
            raise
    except (ValueError, TypeError) as error:  # unreadable values
        raise DamagedStoreError(str(error)) from error
    except OSError as error:
        raise StoreUnusable(f"{path}: cannot be looked at: {error.strerror}", 73) from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
        raise StoreUnusable(f"{path}: cannot be written: {error}", 73) from error
    except apsw.FullError as error:
        raise StoreUnusable(f"{path}: the disk is full", 73) from error
    except apsw.Error as error:
        if pages.is_damage(error):
            raise DamagedStoreError(str(error)) from error
        raise StoreUnusable(f"{path}: cannot be opened: {error}", 74) from error
    return connection


def open_memory(boot: str, now: Moment) -> apsw.Connection:
    """Return the connection to a fresh store in memory."""
    return open_file(MEMORY, boot, now, schema())


def close(connection: apsw.Connection, now: Moment) -> None:
    """Leave the mark of a clean stop, put the log into the file, and close the connection."""
    mark_clean(connection, now)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def mark_clean(connection: apsw.Connection, now: Moment) -> None:
    """Note in the file that nothing is written to it any more, and when that was."""
    with connection:
        age.note(connection, now)
        connection.execute("UPDATE gateway SET clean = 1")


def refuse_newer(connection: apsw.Connection, path: str, steps: Sequence[str]) -> int:
    """Return the version of the file's schema; raise `StoreUnusable` where we do not know it."""
    version = int(connection.pragma("user_version"))
    if version > len(steps):
        raise StoreUnusable(
            f"{path}: was written by a newer ttgateway (schema {version}, this one knows {len(steps)}); "
            "install that version, or name another state directory",
            NEWER,
        )
    return version


def _check_log(connection: apsw.Connection, path: str, boot: str, noted: log.LogEnd | None) -> None:
    """Raise `DamagedStoreError` where the log of an unclean stop has lost something; then let a new one begin.

    A torn end must not look like the rest of a later transaction after the next power cut: a log without one sound
    page would go on under the same salt, if it were not cut to nothing. And whether the pages have checksums says the
    first page in the file, which an upgrade that was interrupted has only in the log.
    """
    if path == MEMORY:
        return
    written = int(connection.pragma("user_version")) > 0  # else it is in the log, if anything is
    clean, then = connection.execute("SELECT clean, boot FROM gateway").get if written else (0, boot)
    if not clean:
        # Over a reboot the index is what the system once happened to write to the disk.
        lost = log.loss(path, noted if then == boot else None)
        if lost is not None:
            raise DamagedStoreError(lost)
    _settle(connection, apsw.SQLITE_CHECKPOINT_TRUNCATE)


def _settle(connection: apsw.Connection, how: int = apsw.SQLITE_CHECKPOINT_RESTART) -> None:
    """Put the log into the file; what is written next begins the log anew."""
    connection.wal_checkpoint(mode=how)


def _upgrade(connection: apsw.Connection, path: str, boot: str, now: Moment, steps: Sequence[str]) -> None:
    version = int(connection.pragma("user_version"))
    if 0 < version < len(steps):
        copy(connection, Path(path).with_name(f"before-schema-{len(steps)}.db"))
    if version >= CHECKSUMS_SINCE and path != MEMORY and not pages.have_checksums(connection):
        raise DamagedStoreError("its pages have lost their checksums")
    if 0 < version < CHECKSUMS_SINCE:
        soundness.check_pages(connection)  # or the damage would be given sound checksums
        pages.add_checksums(connection)
        _settle(connection)  # by the file itself is known whether there is something to verify
        pages.read_verified(connection)
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


def _refuse_empty(path: str) -> None:
    """Raise `DamagedStoreError` where nothing is left of a file that was in use: SQLite would take it for a new one."""
    file = Path(path)
    there = file.exists()
    if file.name != FILE or (there and file.stat().st_size > _TAKEN_FOR_EMPTY):
        return
    backups = numbered(file.parent / BACKUPS, ".db")
    if there and (backups or (file.parent / BALLAST_FILE).exists()):
        raise DamagedStoreError("its file is empty")
    if backups:
        raise DamagedStoreError("its file is missing")


def _close_to_others(path: str) -> None:
    """Let nobody but its owner read a file, before there is anything in it: it names who may call us, and whom we call.

    What SQLite makes beside it has its mode; what an older version left may have another.
    """
    if path == MEMORY:
        return
    with contextlib.suppress(OSError):
        Path(path).touch(mode=0o600, exist_ok=False)
    for beside in ("", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            os.chmod(path + beside, 0o600)  # noqa: PTH101


def _begin(connection: apsw.Connection, boot: str, now: Moment) -> None:
    """Mark the store as open, and bring the active orders' ages over to the present boot.

    Within one boot an age is exact. Over a reboot it grows by the gap on the wall clock, where that can be believed
    (an appliance without a real-time clock may wake in 1970): never negative, never running back. A machine that was
    put back to an earlier state of the same boot counts as rebooted.
    """
    (then, uptime, wall, clean) = connection.execute("SELECT boot, uptime, wall, clean FROM gateway").get
    with connection:
        if then == boot and now.uptime >= uptime:
            lived = now.uptime - uptime
        else:
            # After a power cut the note of the time may be so much older than what was told last.
            lived = max(age.gap(wall, now.wall), 0.0 if clean else NOTE_TIME_EVERY)
            connection.execute(
                "UPDATE orders SET born = ? - (? - born) - ? WHERE cleared IS NULL", (now.uptime, uptime, lived)
            )
        connection.execute(
            "UPDATE gateway SET clean = 0, boot = ?, uptime = ?, wall = ?, age = age + ?",
            (boot, now.uptime, now.wall, lived),
        )
        age.mark(connection)
