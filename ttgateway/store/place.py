"""Whether the store's files are still called what they were called when they were opened.

A file that is deleted, moved, or replaced by a copy while it is in use goes on to be written: SQLite does not mind. But
what is written then is gone with the process, all of it, since the next start looks for the name. As long as the
process lives nothing is lost: the open connection still reads everything.
"""

import os
from pathlib import Path

from ttgateway.store.disk import Disk


class DisplacedError(Exception):
    """The text is what has become of the files; ``savable`` tells whether what is open can be put in their place."""

    def __init__(self, text: str, *, savable: bool) -> None:
        super().__init__(text)
        self.savable = savable


class Place:
    """Where the files of an open store lie: ``path``, and its log beside it."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self.path, self.directory = path, path.parent
        self._disk = disk
        self._noted = {each: _identity(each) for each in (path.parent, path, path.with_name(f"{path.name}-wal"))}

    @property
    def is_lost(self) -> bool:
        """Whether the file itself has to be put back. A log that is gone needs nothing but the end of a clean stop."""
        displaced = self.displaced
        return str(self.path) in displaced and str(self.directory) not in displaced

    @property
    def displaced(self) -> list[str]:
        """What no longer is what it was when the store was opened; nothing, where all is well. Three system calls."""
        return [str(path) for path, was in self._noted.items() if was is not None and _identity(path) != was]

    def check(self, size: int) -> None:
        """Raise `DisplacedError` where something is displaced; ``size`` is the room that the store takes, in bytes."""
        displaced = self.displaced
        if not displaced:
            return
        what, free = f"{displaced[0]} was deleted, moved or replaced while it was in use", self._disk.free()
        if str(self.directory) in displaced:  # another one may be another gateway's, or a disk that came late
            raise DisplacedError(f"{what}; it cannot be put back", savable=False)
        if free is not None and free < size:
            raise DisplacedError(f"{what}; it cannot be put back, as the disk is full", savable=False)
        raise DisplacedError(what, savable=True)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of the same name; ``None``: there is none."""
    try:
        stat = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
