"""The store as the gateway sees it: the journal, the listeners, the tokens, and one way to write and to read."""

from collections.abc import Callable, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TypeVar

import apsw
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ttgateway.clock import Clock
from ttgateway.refusals import NotNow
from ttgateway.settings import Journal as Limits
from ttgateway.sparing import sparing_logger
from ttgateway.store import age, opening
from ttgateway.store.commits import GroupCommit
from ttgateway.store.copies import restore
from ttgateway.store.copies.backups import Backups
from ttgateway.store.damage import recovery
from ttgateway.store.damage.findings import Findings
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.disk import BACKUPS, Disk, NoDisk, StateDisk
from ttgateway.store.executor import Executor, Watched
from ttgateway.store.opening import NOTE_TIME_EVERY
from ttgateway.store.pace import CommitPace, Pace
from ttgateway.store.place import DisplacedError, Place
from ttgateway.store.tables import listeners, openings, orders, preferences, tokens
from ttgateway.store.tables.journal import Journal
from ttgateway.store.transactions import Work
from ttgateway.store.upkeep import Upkeep

T = TypeVar("T")


class Store:
    """One open store. ``writing`` and ``reading`` may be one connection, where both executors are one (in memory)."""

    _log = sparing_logger("ttgateway.store")

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
        backups: Backups | None = None,
        place: Place | None = None,
    ) -> None:
        self._clock = clock
        self._connections = (reading, writing)
        self.disk = disk
        self._place = place
        self.epoch, self.id, known = map(str, writing.execute("SELECT epoch, id, damage FROM gateway").get)
        self._on_failure: Callable[[orders.Standing], None] = lambda standing: None
        self.writer_pace, self.reader_pace = Pace(writer), Pace(reader)
        self.commits = GroupCommit(self.writer_pace, writing, timers, orders.standing, self._failed)
        self.findings = Findings(self.commits, timers, known)
        self.commit_pace = CommitPace(self.commits)
        watched = Watched(self.reader_pace, self.findings.read)
        self._executors: tuple[Executor, Executor] = (watched, self.writer_pace)
        self.journal = Journal(self.commits, watched, reading)
        self.cursors = listeners.Cursors(self.commits)
        self.uses = tokens.Uses(self.commits)
        self.commits.add_rider(_TimeNotes(clock))
        self.backups = backups
        if backups is not None:
            backups.on_error(self.findings.copied)
        self.upkeep = Upkeep(self.commits, self.journal, disk, clock, limits, backups, self.look)
        self.standing = orders.standing(writing)
        self.listeners = listeners.load(writing)
        self.tokens = tokens.load(writing)
        self.preferences = preferences.load(writing)
        self.openings = openings.load(writing)
        self.clean = False

    @property
    def damage(self) -> str:
        """What the store has lost, in words for the operator; ``""`` for nothing."""
        return self.findings.damage

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

    async def look(self) -> bool:
        """Tell whether the files are still in their place; what is found out, `Findings` hears."""
        place, reading = self._place, self._connections[0]
        try:
            if place is not None:
                await self._executors[0].run(lambda: place.check(_size(reading)))
        except DisplacedError:
            return False
        return True

    def _failed(self, standing: orders.Standing) -> None:
        self.disk.lighten()
        self._on_failure(standing)

    async def stop(self) -> None:
        """Write what waits, leave the mark of a clean stop, and close everything; a damaged file is left as it is."""
        if self.backups is not None:
            await self.backups.stop()
        await self.commits.stop()
        reading, writing = self._connections
        reader, writer = self._executors
        if reading is not writing:
            await reader.run(reading.close)
        try:
            await writer.run(lambda: self._close(writing))
        except (apsw.Error, OSError, opening.StoreUnusable) as error:
            self._log.error("The store could not be closed cleanly: {error!r}", error=error)
        for executor in self._executors:
            executor.close()
        if self.backups is not None:
            self.backups.close()

    def _close(self, writing: apsw.Connection) -> None:
        if self.findings.damaged:
            opening.leave(writing)
        elif self._place is not None and self._place.is_lost:
            try:
                opening.mark_clean(writing, self._clock.now())
                restore.put_back(self._place.directory, writing)
                self.findings.put_back(self._place.path)
            finally:
                opening.leave(writing)  # or SQLite would delete by its name the log of what is there now
            self.clean = True
        else:
            opening.close(writing, self._clock.now())
            self.clean = True


def _size(connection: apsw.Connection) -> int:
    """Return how many bytes a copy of the store takes."""
    return int(connection.pragma("page_count")) * int(connection.pragma("page_size"))


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
        return lambda db: age.note(db, now)

    def lost(self) -> None:
        """The next commit notes the time."""
        self._noted = float("-inf")


def open_store(
    directory: Path,
    *,
    clock: Clock,
    timers: IReactorTime,
    executor: Callable[[str], Executor],
    limits: Limits,
    zone: tzinfo,
    disk: Callable[[Path], Disk] = StateDisk,
) -> Store:
    """Open the store in ``directory``, or what can be saved of it; raise `StoreUnusable`.

    ``executor`` makes an executor with a given name: one for the writing and one for the reading connection, and one
    for backups. ``disk`` makes what knows the room on the disk of a directory.
    """
    path = str(directory / opening.FILE)
    steps = opening.schema()
    try:
        restore.finish(directory)
        recovery.check_finished(directory)
        writing = opening.open_file(path, clock.boot, clock.now(), steps)
    except DamagedStoreError as error:
        writing = _recovered(directory, clock, zone, steps, str(error))
    reading = opening.connect(path)
    room = disk(directory)
    room.load()
    place = Place(Path(path), room)
    return Store(
        clock=clock,
        timers=timers,
        writer=executor("store-writer"),
        writing=writing,
        reader=executor("store-reader"),
        reading=reading,
        limits=limits,
        disk=room,
        backups=Backups(directory / BACKUPS, executor("store-copier"), Path(path), room, lambda: not place.displaced),
        place=place,
    )


def _recovered(directory: Path, clock: Clock, zone: tzinfo, steps: Sequence[str], why: str) -> apsw.Connection:
    """Recover the store; raise `StoreUnusable` where the disk does not let us: the next start tries again."""
    try:
        return recovery.recover(directory, clock.boot, clock.now(), zone, steps, why)
    except OSError as error:
        told = error.strerror
    except apsw.Error as error:
        told = str(error)
    raise opening.StoreUnusable(
        f"{directory}: is damaged ({why}), and cannot be recovered (is the disk full?): {told}", 73
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
