"""Whole copies of the store that are made while it serves: our own from time to time, and those that are asked for.

They are read through a connection of their own, on a thread of its own: neither a commit nor a delivery waits for them.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import apsw
import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ttgateway.refusals import DiskFull, NotNow, TooMany
from ttgateway.store import pages
from ttgateway.store.copies.copying import copy
from ttgateway.store.disk import LEAST_FREE, MIB, Disk, numbered
from ttgateway.store.executor import Executor, Watched

MOST_BACKUPS = 2

ASKED = "asked.db"
"""The copy that was asked for, until whoever asked has taken it; there is one at a time."""


class Asked(msgspec.Struct, frozen=True):
    """How a copy that was asked for stands: ``done`` of ``pages``; ``why`` it failed."""

    state: Literal["copying", "ready", "failed"]
    done: int = 0
    pages: int = 0
    why: str = ""


class Backups:
    """The copies of the store at ``path``; ours are numbered (the clock may be wrong), the newest serves after damage.

    A copy is made where it leaves `LEAST_FREE` bytes on the disk: orders go before. And only while the store is
    ``in_place``: what lies there else is another one, or would be made, empty, by looking.
    """

    _log = Logger()

    def __init__(
        self, directory: Path, executor: Executor, path: Path, disk: Disk, in_place: Callable[[], bool] = lambda: True
    ) -> None:
        self._directory = directory
        self._executor = executor
        self._path = path
        self._disk = disk
        self._in_place = in_place
        self._stopping = False
        self._asked: Asked | None = None
        with contextlib.suppress(OSError):  # the next one that is asked for tells
            for left in directory.glob(f"{ASKED}*"):  # by a process that was killed
                left.unlink()

    @property
    def asked(self) -> Asked | None:
        """How the copy stands that was asked for last; ``None`` where there is none."""
        return self._asked

    @property
    def asked_path(self) -> Path:
        """Where it is, once it is ready."""
        return self._directory / ASKED

    def make(self) -> Deferred[None]:
        """Copy the store as it stands, and delete the oldest of our copies; a failure is the Deferred's."""
        return self._executor.run(self._make)

    def ask(self) -> None:
        """Begin a copy for somebody; `asked` tells how it stands. Raises `TooMany`, `DiskFull` and `NotNow`."""
        if self._stopping:
            raise NotNow("The gateway is stopping.")
        if self._asked is not None and self._asked.state == "copying":
            raise TooMany("A copy is being made already.")
        self._check_room()
        self._asked = Asked("copying")
        self._executor.run(self._make_asked).addCallbacks(self._made, self._failed)

    def take_back(self) -> None:
        """Delete the copy that was asked for: it was taken, or is not wanted. One that is being made stays."""
        if self._asked is not None and self._asked.state != "copying":
            self._asked = None
            with contextlib.suppress(OSError):  # it is deleted by the next copy, or at the next start
                self.asked_path.unlink()

    def on_error(self, ended: Callable[[BaseException | None], None]) -> None:
        """Call ``ended`` with how each copy has ended."""
        self._executor = Watched(self._executor, ended)

    def break_off(self) -> None:
        """Copy nothing any more: what is being copied ends soon, with `NotNow`."""
        self._stopping = True

    def stop(self) -> Deferred[None]:
        """Break off what is being copied; fires when nothing is any more."""
        self.break_off()
        return self._executor.run(lambda: None)

    def close(self) -> None:
        """End the thread."""
        self._executor.close()

    def _make(self) -> None:
        kept = numbered(self._directory, ".db")
        self._check_room()
        self._copy(self._directory / f"{int(kept[-1].stem) + 1 if kept else 1}.db")
        for path in kept[: -(MOST_BACKUPS - 1)]:
            path.unlink()

    def _make_asked(self) -> None:
        self.asked_path.unlink(missing_ok=True)
        self._copy(self.asked_path)

    def _copy(self, target: Path) -> None:
        if not self._in_place():
            raise NotNow(f"{self._path} was deleted, moved or replaced.")
        self._directory.mkdir(exist_ok=True)
        source = pages.connect(str(self._path))
        try:
            with source:  # what is read is of one instant, whatever is written meanwhile
                source.execute("SELECT only FROM gateway").get  # noqa: B018
                copy(source, target, self._go_on)
        finally:
            source.close()

    def _go_on(self, done: int, pages: int) -> None:
        if self._stopping:
            raise NotNow("The gateway is stopping.")
        if self._asked is not None and self._asked.state == "copying":
            self._asked = Asked("copying", done, pages)

    def _check_room(self) -> None:
        free = self._disk.free()
        size = 0
        for beside in ("", "-wal"):
            with contextlib.suppress(OSError):
                size += self._path.with_name(self._path.name + beside).stat().st_size
        if free is not None and free < size + LEAST_FREE:
            takes = f"it takes {-(-size // MIB)} MiB, and {LEAST_FREE // MIB} MiB must stay free"
            raise DiskFull(f"No room for a copy in {self._directory}: {takes}. Make room on that disk.")

    def _made(self, _: None) -> None:
        self._asked = Asked("ready")

    def _failed(self, failure: Failure) -> None:
        self._log.warn("A copy of the store failed: {failure.value!r}", failure=failure)
        known = failure.check(apsw.Error, OSError, NotNow)
        self._asked = Asked("failed", why=str(failure.value) if known else "its log says why")
