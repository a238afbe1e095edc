"""Calls that fail."""

from typing import Final

import apsw

METHODS: Final = ("xOpen", "xRead", "xWrite", "xSync", "xTruncate", "xDelete", "xFileSize")
"""What `Recording.fail` can make fail."""


_CODES: Final = {
    "xRead": apsw.SQLITE_IOERR_READ,
    "xWrite": apsw.SQLITE_IOERR_WRITE,
    "xSync": apsw.SQLITE_IOERR_FSYNC,
    "xTruncate": apsw.SQLITE_IOERR_TRUNCATE,
    "xDelete": apsw.SQLITE_IOERR_DELETE,
    "xFileSize": apsw.SQLITE_IOERR_FSTAT,
}
"""How SQLite's own VFS says which call failed."""


class Fault:
    """A fault that waits for its turn."""

    def __init__(self, method: str, error: Exception, ending: str, after: int, times: int | None, partly: bool) -> None:
        self.method = method
        self.error = error
        self.ending = ending
        self.after = after
        self.times = times
        self.partly = partly
        if isinstance(error, apsw.IOError) and method in _CODES and not hasattr(error, "extendedresult"):
            setattr(error, "extendedresult", _CODES[method])  # noqa: B010  # as on each error that apsw makes itself

    def strikes(self, method: str, path: str) -> bool:
        """Return whether this call fails; it counts as one."""
        if method != self.method or not path.endswith(self.ending) or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True
