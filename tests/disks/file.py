"""A file that SQLite has open, and that is recorded."""

# ruff: noqa: N802  # SQLite's names
import os
from typing import TYPE_CHECKING, Final

import apsw

from tests.disks.operations import SECTOR, Sync, SyncFolder, Truncate, Write

if TYPE_CHECKING:
    from tests.disks.recording import Recording

BASE: Final = "unix"
"""SQLite's own VFS."""


class RecordedFile(apsw.VFSFile):
    """A file of a watched directory that SQLite has open."""

    def __init__(self, recording: "Recording", name: str | apsw.URIFilename, path: str, flags: list[int]) -> None:
        super().__init__(BASE, name, flags)
        self._recording = recording
        self._path = path
        self._life = recording.life
        self._file = recording.opened(path)
        log = flags[0] & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL)
        # As the real VFS does it: the first sync of a new log syncs its folder, too.
        self._folder = os.path.dirname(path) if log and flags[0] & apsw.SQLITE_OPEN_CREATE else None  # noqa: PTH120

    @property
    def _dead(self) -> bool:
        return self._life != self._recording.life

    def xRead(self, amount: int, offset: int) -> bytes:
        if not self._dead:
            self._recording.check("xRead", self._path)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._dead:
            return
        failure = self._recording.failure("xWrite", self._path)
        if failure is not None:
            whole = (offset + len(data) // 2) // SECTOR * SECTOR - offset  # no disk is full in the middle of a sector
            if failure[1] and whole > 0:
                self._write(data[:whole], offset)
            raise failure[0]
        self._write(data, offset)

    def _write(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._recording.apply(Write(self._file, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        if self._dead:
            return
        self._recording.check("xTruncate", self._path)
        super().xTruncate(newsize)
        self._recording.apply(Truncate(self._file, newsize))

    def xSync(self, flags: int) -> None:
        if self._dead:
            return
        self._recording.check("xSync", self._path)
        self._recording.apply(Sync(self._file, flags))  # the real file may lie in memory: it is not synced
        if self._folder is not None:
            self._recording.apply(SyncFolder(self._folder))
            self._folder = None

    def xFileSize(self) -> int:
        if not self._dead:
            self._recording.check("xFileSize", self._path)
        return super().xFileSize()

    def xLock(self, level: int) -> None:
        if self._dead and level == apsw.SQLITE_LOCK_EXCLUSIVE:
            raise apsw.BusyError("the power was cut")  # or its end would delete a log that is another's by now
        super().xLock(level)
