"""The files and names of one directory: what of them is durable, and what a power cut may leave.

What holds is what POSIX promises, and no more. Data is durable once its file was synced, a name once its folder was.
Until then each write may be lost, in any sector of `SECTOR` bytes, without regard to others; but no sector is ever half
old and half new, and none is touched that was not written (SQLite counts on this: ``POWERSAFE_OVERWRITE``). Names
change in the order in which they were changed within a folder, as every file system with a journal does it; between
folders there is no order. A rename is one change of both of its folders.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from tests.disks.operations import (
    Create,
    Data,
    Delete,
    MakeFolder,
    Naming,
    Note,
    Operation,
    RemoveFolder,
    Rename,
    Sync,
    SyncFolder,
    Truncate,
    Write,
    above,
    do,
    folders,
    resting_on,
    sectors,
)


@dataclass
class Image:
    """What lies in the directory after a power cut: files with their bytes, and folders."""

    files: dict[str, bytes] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)


@dataclass
class _File:
    durable: bytes = b""
    now: bytearray = field(default_factory=bytearray)
    pending: list[Data] = field(default_factory=list)


class _Names:
    """Which names there are, folders among them (those have no file)."""

    def __init__(self) -> None:
        self.files: dict[str, int] = {}
        self.folders: set[str] = set()

    def copy(self) -> "_Names":
        other = _Names()
        other.files, other.folders = dict(self.files), set(self.folders)
        return other

    def apply(self, change: Naming) -> None:
        match change:
            case Create(path, file):
                self.files[path] = file
            case Delete(path):
                self.files.pop(path, None)
            case MakeFolder(path):
                self.folders.add(path)
            case RemoveFolder(path):
                self.folders.discard(path)
            case Rename(old, new):
                if old in self.files:
                    self.files[new] = self.files.pop(old)
                elif old in self.folders:
                    self._move(old, new)

    def _move(self, old: str, new: str) -> None:
        def moved(path: str) -> str:
            return new + path[len(old) :] if path == old or path.startswith(f"{old}/") else path

        self.files = {moved(path): file for path, file in self.files.items()}
        self.folders = {moved(path) for path in self.folders}


class Medium:
    """What one directory holds, durable or not."""

    def __init__(self, image: Image | None = None) -> None:
        image = image or Image()
        self._durable = _Names()
        self._durable.folders = set(image.folders)
        self._files: dict[int, _File] = {}
        for number, (path, data) in enumerate(sorted(image.files.items())):
            self._durable.files[path] = number
            self._files[number] = _File(data, bytearray(data))
        self._now = self._durable.copy()
        self._changes: list[Naming] = []  # of names, which are not durable yet

    def new(self) -> int:
        """Return the number that the next file gets."""
        return len(self._files)

    def file(self, path: str) -> int | None:
        """Return the file that is called ``path`` now."""
        return self._now.files.get(path)

    def named(self) -> list[tuple[str, int]]:
        """Return what each file is called now, and the file."""
        return sorted(self._now.files.items())

    def is_folder(self, path: str) -> bool:
        """Return whether ``path`` is a folder now."""
        return path == "" or path in self._now.folders

    def content(self, file: int) -> bytes:
        """Return what a file holds now, as long as the power stays on."""
        return bytes(self._files[file].now)

    def apply(self, operation: Operation) -> None:
        """Take note of an operation."""
        match operation:
            case Write() | Truncate():
                file = self._files[operation.file]
                do(file.now, operation)
                file.pending.append(operation)
            case Sync(number):
                file = self._files[number]
                if file.pending:
                    file.durable, file.pending = bytes(file.now), []
            case SyncFolder(path):
                self._sync_folder(path)
            case Note():
                pass
            case _:
                if isinstance(operation, Create):
                    self._files[operation.file] = _File()
                self._now.apply(operation)
                self._changes.append(operation)

    @property
    def unsynced(self) -> list[Data]:
        """All writes and truncations that a power cut may undo, file by file, of files that have a name."""
        return [change for file in self._alive() for change in self._files[file].pending]

    @property
    def unsynced_names(self) -> int:
        """How many changes of names a power cut may undo."""
        return len(self._changes)

    def _alive(self) -> list[int]:
        return sorted({*self._now.files.values(), *self._durable.files.values()})

    def _sync_folder(self, path: str) -> None:
        kept = resting_on(self._changes, {path})
        for change in kept:
            self._durable.apply(change)
        self._changes = [change for change in self._changes if not any(change is one for one in kept)]

    def image(self, random: Random) -> Image:
        """Return one state that a power cut could leave now."""
        names = self._some_names(random)
        return self._image(names, {file: self._some_data(file, random) for file in set(names.files.values())})

    def image_of(self, kept: Callable[[int], bool], names: int | None = None) -> Image:
        """Return the state in which of the unsynced writes those survive that ``kept`` wants, by their number.

        The numbers are the places in `unsynced`. Of the changes of names the first ``names`` survive, or all.
        """
        table = self._durable.copy()
        for naming in self._changes if names is None else self._changes[:names]:
            table.apply(naming)
        named = set(table.files.values())
        contents, number = {file: self._files[file].durable for file in named}, 0
        for file in self._alive():
            pending = self._files[file].pending
            if file in named:
                content = bytearray(self._files[file].durable)
                for place, change in enumerate(pending, start=number):
                    if kept(place):
                        do(content, change)
                contents[file] = bytes(content)
            number += len(pending)
        return self._image(table, contents)

    def _image(self, names: _Names, contents: dict[int, bytes]) -> Image:
        there = {path for path in names.folders if all(up in names.folders for up in above(path))}
        files = {path: file for path, file in names.files.items() if all(up in there for up in above(path))}
        return Image({path: contents[file] for path, file in files.items()}, there)

    def _some_names(self, random: Random) -> _Names:
        """Return names as they might be: some folders' changes up to some point, and what these rest on."""
        names = self._durable.copy()
        kept: list[Naming] = list(self._changes)
        if kept and random.random() < 0.75:
            kept = kept[: random.randint(0, len(kept))]
            if random.random() < 0.5:
                touched = sorted({folder for change in kept for folder in folders(change)})
                kept = resting_on(kept, {folder for folder in touched if random.random() < 0.5})
        for change in kept:
            names.apply(change)
        return names

    def _some_data(self, number: int, random: Random) -> bytes:
        file = self._files[number]
        if not file.pending:
            return file.durable
        how = random.randrange(6)
        if how == 0:
            return file.durable
        if how == 1:
            return bytes(file.now)
        if how == 2:
            last = random.randint(0, len(file.pending))
            pieces: Iterable[Data] = file.pending[:last]
        elif how == 3:
            missing = random.randrange(len(file.pending))
            pieces = (change for place, change in enumerate(file.pending) if place != missing)
        else:
            likely = random.choice((0.1, 0.5, 0.9))
            torn = how == 5
            pieces = [
                piece
                for change in file.pending
                for piece in (sectors(change) if torn else (change,))
                if random.random() < likely
            ]
        content = bytearray(file.durable)
        for piece in pieces:
            do(content, piece)
        return _lengthened(content, file, random)


def _lengthened(content: bytearray, file: _File, random: Random) -> bytes:
    """Return ``content`` with the length that it has, or, as a file's length lives elsewhere, one it was to have."""
    if len(file.now) > len(content) and random.random() < 0.2:
        content.extend(bytes(random.randint(0, len(file.now) - len(content))))
    return bytes(content)
