"""An SQLite VFS above the real one: it keeps the log of what is done in a directory, and cuts the power there.

Everything passes through to the real files, which may lie anywhere (``/dev/shm`` is fast). Of each directory that is
watched, `Recording` has the log of operations and knows what is durable. `Recording.power_cut` puts the files into
a state that a power cut could have left, and cuts off whoever had them open: his writes go nowhere from then on.

Not recorded: the lock and the ballast (both stay as they are), and ``-shm`` files, but for what
`Recording.look_at_index` finds in them (else a power cut takes them away).
"""

# ruff: noqa: N802  # SQLite's names
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import RLock
from typing import Final

import apsw

from tests.disks import calls
from tests.disks.faults import METHODS, Fault
from tests.disks.file import BASE, RecordedFile
from tests.disks.laying import INDEX, image_in, is_ignored, lay_out
from tests.disks.medium import Image, Medium
from tests.disks.operations import Create, Delete, Note, Operation, Rename, SyncFolder, Truncate, Write

INDEX_HEAD: Final = 136
"""Bytes at the start of a ``-shm`` file: its header, twice, and what checkpoints know."""

NAME: Final = "recording"


class Recording:
    """The log of one directory, and the power over it. Times and random numbers come from the caller alone."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.operations: list[Operation] = []
        self.life = 0  # how often the power was cut
        self.first = image_in(directory)
        self.medium = Medium(self.first)
        self._faults: list[Fault] = []
        self._opened: set[str] = set()  # in this life: only who opened a file may delete it
        self._unseen: dict[int, tuple[int, int]] = {}  # files that Python may write to, with what was seen of them
        self._lock = RLock()  # the store works on two threads

    def note(self, value: object) -> None:
        """Remember ``value`` at this point of the log."""
        self.apply(Note(value))

    def apply(self, operation: Operation) -> None:
        """Append an operation that has been done to the log."""
        with self._lock:
            self.operations.append(operation)
            self.medium.apply(operation)

    def power_cut(self, random: Random) -> Image:
        """Leave of the real files what a power cut could leave now, and cut off who has them open; return it.

        What had been in the log stays there; a recording that goes on begins with what is left, all of it durable.
        """
        with self._lock:
            self.look()
            image = self.medium.image(random)
            self.restart(image)
        return image

    def restart(self, image: Image) -> None:
        """Begin a new life with ``image`` in the directory; the log begins anew."""
        with self._lock:
            self.life += 1
            lay_out(image, self.directory)  # before the log begins anew: these calls are seen, too
            self.operations = []
            self.first = image
            self.medium = Medium(image)
            self._faults, self._opened, self._unseen = [], set(), {}

    def fail(
        self,
        method: str,
        error: Exception,
        *,
        ending: str = "",
        after: int = 0,
        times: int | None = None,
        partly: bool = False,
    ) -> None:
        """Have calls of ``method`` (of `METHODS`) on files whose name has this ``ending`` fail with ``error``.

        The first ``after`` calls still work, then ``times`` fail, or all; ``partly`` lets a failing write write its
        first half, up to the last sector that is whole. It holds until `mend` or a power cut.
        """
        assert method in METHODS, method
        self._faults.append(Fault(method, error, ending, after, times, partly))

    def mend(self) -> None:
        """Let everything work again."""
        self._faults = []

    @contextmanager
    def untroubled(self) -> Iterator[None]:
        """Let nothing fail meanwhile: for those who only look on."""
        faults, self._faults = self._faults, []
        try:
            yield
        finally:
            self._faults = faults

    def failure(self, method: str, path: str) -> tuple[Exception, bool] | None:
        """Return what a call must fail with, if it must, and whether its first half is done."""
        for fault in self._faults:
            if fault.strikes(method, path):
                return fault.error, fault.partly
        return None

    def check(self, method: str, path: str) -> None:
        """Raise what a call must fail with."""
        if (failure := self.failure(method, path)) is not None:
            raise failure[0]

    def opened(self, path: str, truncated: bool = False) -> int:
        """Return the file at ``path``, a new one where none has this name."""
        with self._lock:
            self._opened.add(path)
            file = self.medium.file(path)
            if file is None:
                file = self.medium.new()
                self.apply(Create(path, file))
            elif truncated and self.medium.content(file):
                self.apply(Truncate(file, 0))
            return file

    def renamed(self, old: str, new: str) -> None:
        """Take note that ``old`` is called ``new``; whoever may delete the one may delete the other."""
        with self._lock:
            self._opened.add(new)
            self.apply(Rename(old, new))

    def may_delete(self, path: str) -> bool:
        """Return whether a deletion comes from the living: who opened a file before the power cut deletes nothing."""
        return path in self._opened

    def look_at_index(self) -> None:
        """Take note of the heads of the ``-shm`` files: SQLite maps them into memory, and nobody syncs them.

        The system writes such a page to the disk when it likes: after a power cut any of these heads may be there.
        """
        with self._lock:
            there = {path.name for path in self.directory.glob(f"*{INDEX}")}
            for path, _ in self.medium.named():
                if path.endswith(INDEX) and path not in there:
                    self.apply(Delete(path))
            for path in sorted(there):
                head = (self.directory / path).read_bytes()[:INDEX_HEAD]
                file = self.opened(path)
                if self.medium.content(file) != head:
                    self.apply(Write(file, 0, head))

    def written_by_python(self, file: int) -> None:
        """Look at this file again and again: who has it open writes past the VFS."""
        self._unseen[file] = (-1, -1)

    def look(self, *, closed: int | None = None) -> None:
        """Take note of what was written past the VFS; ``closed``: nothing more will be to this file."""
        with self._lock:
            for path, file in self.medium.named():
                if file in self._unseen:
                    self._look(path, file)
            if closed is not None:
                self._unseen.pop(closed, None)

    def _look(self, path: str, file: int) -> None:
        try:
            stat = os.stat(self.directory / path)  # noqa: PTH116
        except OSError:
            return
        if self._unseen[file] == (stat.st_mtime_ns, stat.st_size):
            return
        self._unseen[file] = (stat.st_mtime_ns, stat.st_size)
        now, known = (self.directory / path).read_bytes(), self.medium.content(file)
        if len(now) < len(known):
            self.apply(Truncate(file, len(now)))
            known = known[: len(now)]
        if now != known:
            same = len(known) if now.startswith(known) else 0
            self.apply(Write(file, same, now[same:]))


class RecordingVFS(apsw.VFS):
    """Passes everything to SQLite's own VFS, and records what concerns the directories that are watched."""

    def __init__(self) -> None:
        self._recordings: dict[str, Recording] = {}
        self._random = Random(0)  # noqa: S311
        super().__init__(NAME, BASE)

    def watch(self, directory: Path) -> Recording:
        """Record what is done in ``directory`` from now on; what lies there counts as durable."""
        real = directory.resolve()
        recording = Recording(real)
        self._recordings[str(real)] = self._recordings[str(directory.absolute())] = recording
        return recording

    def forget(self, recording: Recording) -> None:
        """Record no more, and let who still has the files open write nowhere."""
        recording.life += 1
        self._recordings = {path: one for path, one in self._recordings.items() if one is not recording}

    def seed(self, number: int) -> None:
        """Let SQLite draw the same random numbers again (the salts of its logs)."""
        self._random = Random(number)  # noqa: S311
        apsw.randomness(0)

    def found(self, path: str) -> tuple[Recording, str] | None:
        """Return whose ``path`` is, and what it is called there; ``None`` for what is not recorded."""
        for directory, recording in self._recordings.items():
            if path == directory:
                return recording, ""
            if path.startswith(directory + "/"):
                inside = path[len(directory) + 1 :]
                return None if is_ignored(inside) else (recording, inside)
        return None

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        found = self.found(path) if path else None
        if name is None or found is None:
            return apsw.VFSFile(BASE, name, flags)
        found[0].check("xOpen", found[1])
        return RecordedFile(found[0], name, found[1], flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        found = self.found(filename)
        if found is None:
            super().xDelete(filename, syncdir)
            return
        recording, path = found
        recording.check("xDelete", path)
        if not recording.may_delete(path):
            return
        super().xDelete(filename, syncdir)
        recording.apply(Delete(path))
        if syncdir:
            recording.apply(SyncFolder(os.path.dirname(path)))  # noqa: PTH120

    def xRandomness(self, numbytes: int) -> bytes:
        return self._random.randbytes(numbytes)


_installed: list[RecordingVFS] = []


def install() -> RecordingVFS:
    """Make recording SQLite's default in this process, for good; Python's own calls on files are seen, too."""
    if not _installed:
        _installed.append(RecordingVFS())
        apsw.set_default_vfs(NAME)
        calls.intercept(_installed[0].found)
    return _installed[0]
