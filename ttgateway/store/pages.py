"""Connections to the store's file, each page of which ends with a checksum: SQLite notices no flipped bit by itself.

They are made by SQLite's own checksum VFS (https://sqlite.org/cksumvfs.html), which comes with apsw: written with each
page, verified whenever one is read. What does not match is an `apsw.IOError` that `is_damage` tells from others. The
frames of the log have checksums of their own, see `ttgateway.store.damage.log`.
"""

from functools import cache
from pathlib import Path

import apsw
import apsw.sqlite_extra

RESERVED = 8
"""Bytes at the end of each page that the checksum takes."""

_VFS = "cksmvfs"


def connect(path: str) -> apsw.Connection:
    """Return a connection to the file at ``path``; a new file will have checksums."""
    _load()
    connection = apsw.Connection(path, vfs=_VFS)
    connection.reserve_bytes("main", RESERVED)
    return connection


def connect_unchanging(path: Path) -> apsw.Connection:
    """Return a connection that reads a file which nobody writes, without its log; no file is made beside it."""
    _load()
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    return apsw.Connection(f"{path.absolute().as_uri()}?immutable=1", flags=flags, vfs=_VFS)


def have_checksums(connection: apsw.Connection) -> bool:
    """Tell whether the pages of the file have checksums, and are verified as they are read."""
    connection.pragma("schema_version")  # the first page, once read, tells
    return int(connection.pragma("checksum_verification")) == 1


def add_checksums(connection: apsw.Connection) -> None:
    """Write the whole file anew, with checksums: seconds for each gigabyte; it happens whole or not at all."""
    connection.execute("VACUUM")


def read_unverified(connection: apsw.Connection) -> None:
    """Let damaged pages be read as well, for what can be saved of them."""
    connection.pragma("checksum_verification", False)


def read_verified(connection: apsw.Connection) -> None:
    """Let no damaged page be read any more."""
    connection.pragma("checksum_verification", 1)  # the VFS does not know "true"


def version_unverified(path: str) -> int:
    """Return the version of the schema of the file at ``path``, though its pages may be damaged; 0 for none."""
    connection = connect(path)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    try:
        read_unverified(connection)
        return int(connection.pragma("user_version"))
    finally:
        connection.close()


def is_damage(error: BaseException | None) -> bool:
    """Tell whether ``error`` says that the file is not what was written, or came up in dealing with one that does."""
    if error is None:
        return False
    if isinstance(error, apsw.IOError):
        return bool(getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_DATA)
    # SQLite rolls back by itself where a page is damaged: that the transaction cannot be rolled back is what is raised.
    return isinstance(error, (apsw.CorruptError, apsw.NotADBError)) or is_damage(error.__context__)


@cache
def _load() -> None:
    """Make the VFS known to SQLite: it wraps what is the default one at this moment, and becomes the default."""
    connection = apsw.Connection(":memory:")
    apsw.sqlite_extra.load(connection, "cksumvfs")
    connection.close()
