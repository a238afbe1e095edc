"""What is done to the files and names of a directory: one value for each operation.

Paths are relative to the directory; a file is a number that it keeps when its name changes.
"""

from dataclasses import dataclass, field
from pathlib import PurePosixPath

SECTOR = 512
"""Bytes that survive a power cut, or get lost, as one."""


@dataclass(frozen=True, slots=True)
class Write:
    """``data`` was written to the file at ``offset``."""

    file: int
    offset: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Truncate:
    """The file was cut, or extended by zeros, to ``size`` bytes."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """The file was synced, with these flags of SQLite's (0: by Python)."""

    file: int
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Create:
    """A new, empty file got the name ``path``."""

    path: str
    file: int


@dataclass(frozen=True, slots=True)
class Delete:
    """The name ``path`` was taken away."""

    path: str


@dataclass(frozen=True, slots=True)
class Rename:
    """What was called ``old`` is called ``new``; a file that had this name has none any more."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class MakeFolder:
    """A folder was made."""

    path: str


@dataclass(frozen=True, slots=True)
class RemoveFolder:
    """An empty folder was removed."""

    path: str


@dataclass(frozen=True, slots=True)
class SyncFolder:
    """A folder was synced: the names in it are durable. ``""`` is the directory itself."""

    path: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that whoever recorded wanted to remember at this point of the log."""

    value: object


Naming = Create | Delete | Rename | MakeFolder | RemoveFolder
Data = Write | Truncate
Operation = Data | Sync | Naming | SyncFolder | Note


def do(content: bytearray, change: Data) -> None:
    """Change the bytes of a file."""
    if isinstance(change, Truncate):
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
        return
    content.extend(bytes(max(0, change.offset - len(content))))
    content[change.offset : change.offset + len(change.data)] = change.data


def sectors(change: Data) -> list[Data]:
    """Return the parts of a write that survive or get lost as one."""
    if isinstance(change, Truncate):
        return [change]
    parts: list[Data] = []
    at, end = change.offset, change.offset + len(change.data)
    while at < end:
        upto = min(end, (at // SECTOR + 1) * SECTOR)
        parts.append(Write(change.file, at, change.data[at - change.offset : upto - change.offset]))
        at = upto
    return parts


def folders(change: Naming) -> set[str]:
    """Return which folders a change of names is a change of."""
    match change:
        case Rename(old, new):
            return {folder(old), folder(new), old, new}  # what is renamed may be a folder
        case MakeFolder(path) | RemoveFolder(path):
            return {folder(path), path}
        case _:
            return {folder(change.path)}


def resting_on(changes: list[Naming], wanted: set[str]) -> list[Naming]:
    """Return the changes of these folders, and the earlier ones that they rest on, in their order."""
    touched, found = set(wanted), []
    for change in reversed(changes):
        if folders(change) & touched:
            touched |= folders(change)
            found.append(change)
    return found[::-1]


def folder(path: str) -> str:
    """Return which folder a path is in."""
    parent = str(PurePosixPath(path).parent)
    return "" if parent == "." else parent


def above(path: str) -> list[str]:
    """Return the folders that must be there for a path to be."""
    return [str(parent) for parent in PurePosixPath(path).parents if str(parent) != "."]
