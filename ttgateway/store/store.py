"""The store as the gateway sees it: the journal, the listeners, the tokens, and one way to write and to read."""

import contextlib
import os
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import TypeVar

import apsw
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ttgateway.clock import Clock
from ttgateway.refusals import NotNow
from ttgateway.settings import Journal as Limits
from ttgateway.store import damage, listeners, opening, orders, preferences, tokens
from ttgateway.store.commits import GroupCommit, Work
from ttgateway.store.disk import Disk, NoDisk, StateDisk
from ttgateway.store.executor import Executor
from ttgateway.store.journal import Journal
from ttgateway.store.opening import DamagedStoreError
from ttgateway.store.upkeep import Backups, Upkeep

T = TypeVar("T")

NOTE_TIME_EVERY = 1.0
"""Seconds between two notes of the time: a commit at most this old tells how long the orders had waited."""


class Store:
    """One open store. ``writing`` and ``reading`` may be one connection, where both executors are one (in memory)."""

    _log = Logger()

    def __init__(
        self,
        *,
        clock: Clock,
        timers: IReactorTime,
        writer: Executor,
        writing: apsw.Connection,
        reader: Executor,
        reading: apsw.Connection,
        limits: Limits,
        disk: Disk,
        backups: Path | None = None,
    ) -> None:
        self._clock = clock
        self._executors = (reader, writer)
        self._connections = (reading, writing)
        self.disk = disk
        self.epoch, self.id, self.damage = map(str, writing.execute("SELECT epoch, id, damage FROM gateway").get)
        self._on_failure: Callable[[orders.Standing], None] = lambda standing: None
        self.commits = GroupCommit(writer, writing, timers, orders.standing, self._failed)
        self.journal = Journal(self.commits, reader, reading)
        self.cursors = listeners.Cursors(self.commits)
        self.uses = tokens.Uses(self.commits)
        self.commits.add_rider(_TimeNotes(clock))
        made = Backups(backups, reader, reading) if backups else None
        self.upkeep = Upkeep(self.commits, self.journal, disk, clock, limits, made)
        self.standing = orders.standing(writing)
        self.listeners = listeners.load(writing)
        self.tokens = tokens.load(writing)
        self.preferences = preferences.load(writing)
        self.clean = False

    def on_failure(self, reread: Callable[[orders.Standing], None]) -> None:
        """Call ``reread`` with what the file holds, whenever a commit has failed."""
        self._on_failure = reread

    def write(self, work: Work[T]) -> Deferred[T]:
        """Run ``work`` in the next commit."""
        return self.commits.write(work)

    async def read(self, work: Work[T]) -> T:
        """Return what ``work`` reads, of what is durable; raise `NotNow` where the file cannot be read."""
        try:
            return await self._executors[0].run(lambda: work(self._connections[0]))
        except (apsw.Error, ValueError) as error:  # the latter: a value that is not what was written
            self._log.error("The store cannot be read: {error!r}", error=error)
            raise NotNow("The store cannot be read.") from None

    def _failed(self, standing: orders.Standing) -> None:
        self.disk.lighten()
        self._on_failure(standing)

    async def stop(self) -> None:
        """Write what waits, leave the mark of a clean stop, and close everything."""
        await self.commits.stop()
        reading, writing = self._connections
        reader, writer = self._executors
        if reading is not writing:
            await reader.run(reading.close)
        try:
            await writer.run(lambda: opening.close(writing, self._clock.now()))
            self.clean = True
        except apsw.Error as error:
            self._log.error("The store could not be closed cleanly: {error!r}", error=error)
        for executor in self._executors:
            executor.close()


class _TimeNotes:
    """Notes in the file when it was last written: the ages of orders are counted from there after a reboot."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._noted = clock.now().uptime

    def take(self) -> Work[object] | None:
        """Return the note, at most one in `NOTE_TIME_EVERY` seconds."""
        now = self._clock.now()
        if now.uptime - self._noted < NOTE_TIME_EVERY:
            return None
        self._noted = now.uptime
        return lambda db: db.execute("UPDATE gateway SET uptime = ?, wall = ?", (now.uptime, now.wall))

    def lost(self) -> None:
        """The next commit notes a later time anyway."""


def open_store(
    directory: Path,
    *,
    clock: Clock,
    timers: IReactorTime,
    executor: Callable[[str], Executor],
    limits: Limits,
    zone: tzinfo,
) -> Store:
    """Open the store in ``directory``, or what can be saved of it; raise `StoreUnusable`.

    ``executor`` makes an executor with a given name: one for the writing and one for the reading connection.
    """
    path = str(directory / opening.FILE)
    steps = opening.schema()
    try:
        damage.check_finished(directory)
        writing = opening.open_file(path, clock.boot, clock.now(), steps)
    except DamagedStoreError as error:
        writing = damage.recover(directory, clock.boot, clock.now(), zone, steps, str(error))
    with contextlib.suppress(OSError):
        os.chmod(path, 0o600)  # noqa: PTH101  # it names who may call us, and whom we call
    reading = opening.connect(path)
    disk = StateDisk(directory)
    disk.load()
    return Store(
        clock=clock,
        timers=timers,
        writer=executor("store-writer"),
        writing=writing,
        reader=executor("store-reader"),
        reading=reading,
        limits=limits,
        disk=disk,
        backups=directory / "backups",
    )


def open_memory(*, clock: Clock, timers: IReactorTime, executor: Executor, limits: Limits) -> Store:
    """Open a store that lives in memory only: the same code, for tests and trials."""
    connection = opening.open_memory(clock.boot, clock.now())
    return Store(
        clock=clock,
        timers=timers,
        writer=executor,
        writing=connection,
        reader=executor,
        reading=connection,
        limits=limits,
        disk=NoDisk(),
    )
