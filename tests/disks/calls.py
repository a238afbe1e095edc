"""What Python itself does with files in a directory that is recorded: names changed, files copied, written, synced."""

import builtins
import contextlib
import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.disks.operations import (
    Delete,
    MakeFolder,
    Naming,
    RemoveFolder,
    Sync,
    SyncFolder,
    Truncate,
    Write,
)

if TYPE_CHECKING:
    from tests.disks.recording import Recording

    Found = Callable[[str], tuple[Recording, str] | None]
    """Whose path it is and what it is called there; ``None`` where nobody records."""

COPIED_AT_ONCE = 64 * 1024
"""Bytes of a copied file that are one write."""


def intercept(found: "Found") -> Callable[[], None]:
    """See every call from now on; return what ends that."""
    seen = _Seen(found)
    replaced: list[tuple[Any, str, Any]] = []

    def replace(module: Any, name: str, by: Any) -> None:
        replaced.append((module, name, getattr(module, name)))
        setattr(module, name, by)

    for name in ("rename", "replace"):
        replace(os, name, seen.renaming(getattr(os, name)))
    for name, change in (("unlink", Delete), ("remove", Delete), ("mkdir", MakeFolder), ("rmdir", RemoveFolder)):
        replace(os, name, seen.changing(getattr(os, name), change))
    for name in ("fsync", "fdatasync"):
        replace(os, name, seen.syncing(getattr(os, name)))
    replace(os, "open", seen.opening(os.open))
    replace(io, "open", seen.opening(io.open))
    replace(builtins, "open", io.open)
    replace(shutil, "copyfile", seen.copying(shutil.copyfile))
    replace(shutil, "_use_fd_functions", False)  # or `rmtree` names what it deletes by numbers that we cannot follow

    def end() -> None:
        for module, name, was in reversed(replaced):
            setattr(module, name, was)

    return end


class _Seen:
    """Makes of each function one that also tells whoever records."""

    def __init__(self, found: "Found") -> None:
        self._found = found

    def _whose(self, path: Any) -> "tuple[Recording, str] | None":
        if not isinstance(path, str | bytes | os.PathLike):
            return None
        return self._found(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100  # it is called often

    def renaming(self, real: Callable[..., None]) -> Callable[..., None]:
        def rename(old: Any, new: Any, **options: Any) -> None:
            source, target = self._whose(old), self._whose(new)
            with _looked_at(source):
                real(old, new, **options)
            if source is not None and target is not None and source[0] is target[0]:
                source[0].renamed(source[1], target[1])
            elif source is not None:
                source[0].apply(Delete(source[1]))
            elif target is not None:
                _arrived(*target)

        return rename

    def changing(self, real: Callable[..., None], change: Callable[[str], Naming]) -> Callable[..., None]:
        def changed(path: Any, *arguments: Any, **options: Any) -> None:
            found = None if options.get("dir_fd") is not None else self._whose(path)
            with _looked_at(found):
                real(path, *arguments, **options)
            if found is not None:
                found[0].apply(change(found[1]))

        return changed

    def syncing(self, real: Callable[[int], None]) -> Callable[[Any], None]:
        def sync(file: Any) -> None:
            number = file if isinstance(file, int) else file.fileno()
            found = self._found(str(Path(f"/proc/self/fd/{number}").readlink()))
            if found is None:
                real(number)
                return
            recording, path = found
            recording.look()
            inside = recording.medium.file(path)
            if inside is not None:
                recording.apply(Sync(inside))
            elif recording.medium.is_folder(path):
                recording.apply(SyncFolder(path))

        return sync

    def opening(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(path: Any, how: Any = "r", *arguments: Any, **options: Any) -> Any:
            if isinstance(how, int):
                writes = bool(how & (os.O_WRONLY | os.O_RDWR))
                truncates = bool(how & os.O_TRUNC)
            else:
                writes, truncates = any(letter in how for letter in "wax+"), "w" in how
            found = self._whose(path) if writes else None
            with _looked_at(found):
                file = real(path, how, *arguments, **options)
            if found is not None:
                found[0].written_by_python(found[0].opened(found[1], truncates))
            return file

        return opened

    def copying(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def copy(source: Any, target: Any, **options: Any) -> Any:
            found = self._whose(target)
            done = real(source, target, **options)
            if found is not None:
                _arrived(*found)
            return done

        return copy


@contextlib.contextmanager
def _looked_at(found: "tuple[Recording, str] | None") -> Iterator[None]:
    if found is not None:
        found[0].look()
    yield


def _arrived(recording: "Recording", path: str) -> None:
    """Take note of a file that has come from elsewhere, or was written as a whole."""
    data = (recording.directory / path).read_bytes()
    known = recording.medium.file(path)
    file = recording.opened(path, truncated=True)
    if known is None or recording.medium.content(file) != data:
        recording.apply(Truncate(file, 0))
        for at in range(0, len(data), COPIED_AT_ONCE):
            recording.apply(Write(file, at, data[at : at + COPIED_AT_ONCE]))
