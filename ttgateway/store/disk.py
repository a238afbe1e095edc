"""The disk below the store: how much room it has, and a ballast to throw out when it has none."""

import contextlib
import os
import re
from pathlib import Path
from typing import Protocol

from ttgateway.refusals import DiskFull, NotNow

MIB = 1024 * 1024

LEAST_FREE = 64 * MIB
"""Bytes that must be free for a new order to be taken: what is taken must also be kept and acknowledged."""

BALLAST = MIB
"""Bytes of the file that is given up on a full disk: SQLite needs room even to write an acknowledgement."""


BALLAST_FILE = "ballast"
"""Its name; nothing in it is secret."""

BACKUPS = "backups"
"""The folder, beside the store, with its whole copies."""


class Disk(Protocol):
    """What the store needs to know of the disk. Tests replace it."""

    def free(self) -> int | None:
        """Return how many bytes are free; ``None`` where there is no disk."""

    def check_room(self) -> None:
        """Raise `DiskFull` where there is too little room for a new order."""

    def lighten(self) -> None:
        """Give up the ballast: the disk is full."""

    def load(self) -> None:
        """Take the ballast aboard again, where there is room for it."""


class StateDisk:
    """The disk that holds the state directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ballast = directory / BALLAST_FILE

    def free(self) -> int:
        """Return how many bytes are free for us; none on a disk that cannot be asked. One system call."""
        try:
            return self._ask()
        except OSError:
            return 0

    def _ask(self) -> int:
        stat = os.statvfs(self._directory)
        return stat.f_bavail * stat.f_frsize

    def check_room(self) -> None:
        """Raise `DiskFull` where less than `LEAST_FREE` bytes are free, `NotNow` where nobody can tell."""
        try:
            free = self._ask()
        except OSError as error:
            raise NotNow(f"The state directory cannot be reached: {error.strerror}.") from None
        if free < LEAST_FREE:
            raise DiskFull("The disk is full.")

    def lighten(self) -> None:
        """Give up the ballast."""
        with contextlib.suppress(OSError):
            self._ballast.unlink()

    def load(self) -> None:
        """Write the ballast, unless it is there or the room is scarce."""
        if self._ballast.exists() or self.free() < LEAST_FREE:
            return
        with contextlib.suppress(OSError):
            self._ballast.write_bytes(os.urandom(BALLAST))  # nothing that a file system could store as a hole


def numbered(directory: Path, suffix: str = "") -> list[Path]:
    """Return what in ``directory`` is called ``<number><suffix>``, by number: nothing else in there is ours."""
    if not directory.is_dir():
        return []
    found = [path for path in directory.iterdir() if path.suffix == suffix and re.fullmatch("[1-9][0-9]*", path.stem)]
    return sorted(found, key=lambda path: int(path.stem))


class NoDisk:
    """For a store in memory."""

    def free(self) -> None:
        """There is no disk."""

    def check_room(self) -> None:
        """There is always room."""

    def lighten(self) -> None:
        """There is no ballast."""

    def load(self) -> None:
        """There is no ballast."""
