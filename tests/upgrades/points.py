"""Where a process can be interrupted, and a process that kills itself at one of these points."""

import json
import os
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import apsw

INSTRUCTIONS = 500
"""Of SQLite's machine, between two points within one statement."""

_FILES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate", "os.chmod", "shutil.copyfile"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Points:
    """The points that a process has come to; at number ``kill_at`` it kills itself (``None``: at none)."""

    def __init__(self, folder: Path, kill_at: int | None) -> None:
        self.seen: list[str] = []
        self._folder = str(folder)
        self._kill_at = kill_at

    def come_to(self, what: str) -> None:
        """Count a point, and kill the process if it is the one."""
        self.seen.append(what)
        if len(self.seen) == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take what Python tells of calls of the system (``sys.addaudithook``)."""
        if event in _FILES:
            self.come_to(event)
        elif event == "open" and str(arguments[0]).startswith(self._folder) and (arguments[2] or 0) & _WRITES:
            self.come_to("open")


_counting: list[Points] = []
"""The points of this process, while it is one that may be killed."""


def _reached(what: str) -> bool:
    """Count a point; ``False`` lets SQLite go on."""
    for points in _counting:
        points.come_to(what)
    return False


class _File(apsw.VFSFile):
    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        _reached("write")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        _reached("sync")
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        _reached("truncate")
        super().xTruncate(newsize)


class _Files(apsw.VFS):
    """The files of SQLite, with points; it becomes the default VFS, on which that with the checksums is built."""

    def __init__(self) -> None:
        self._name = "points"
        super().__init__(self._name, "unix", makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:  # noqa: N802
        return _File("unix", name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        _reached("delete")
        super().xDelete(filename, syncdir)


@cache
def stand_below_sqlite() -> apsw.VFS:
    """Put points into SQLite's files; to be called before the first store is opened in this process."""
    return _Files()


def _watch(connection: apsw.Connection) -> None:
    connection.exec_trace = lambda cursor, sql, bindings: not _reached("statement")
    connection.set_progress_handler(lambda: _reached("instructions"), INSTRUCTIONS)


class Ended(NamedTuple):
    """How a process ended: the points that it came to (none if it was killed), and what went wrong."""

    killed: bool
    seen: list[str]
    error: str


def run(act: Callable[[], None], folder: Path, kill_at: int | None) -> Ended:
    """Run ``act`` in a process of its own, which kills itself at a point; ``folder`` is what it works in."""
    with tempfile.TemporaryFile() as report:
        child = os.fork()
        if child == 0:
            _act(act, folder, kill_at, report.fileno())
        _, status = os.waitpid(child, 0)
        report.seek(0)
        told = report.read()
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if killed:
        return Ended(killed, [], "")
    seen, error = json.loads(told) if told else ([], f"ended with status {status}")
    return Ended(killed, seen, error)


def _act(act: Callable[[], None], folder: Path, kill_at: int | None, report: int) -> None:
    """Be the process. It never returns."""
    points = Points(folder, kill_at)
    error = ""
    try:
        apsw.connection_hooks.append(_watch)
        sys.addaudithook(points.audit)
        synced = os.fsync

        def fsync(fd: Any) -> None:
            points.come_to("fsync")
            synced(fd)

        os.fsync = fsync
        _counting.append(points)
        act()
    except BaseException:
        error = traceback.format_exc()
    _counting.clear()
    os.write(report, json.dumps([points.seen, error]).encode())
    os._exit(0)


def summary(seen: list[str]) -> str:
    """Return how many points there are of each kind."""
    return ", ".join(f"{count} {what}" for what, count in sorted(Counter(seen).items()))
