"""What is done to the store from time to time: trimming what nobody needs, copies, and the ballast."""

from pathlib import Path

import apsw
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ttgateway.clock import Clock
from ttgateway.settings import Journal as Limits
from ttgateway.store import orders
from ttgateway.store.commits import GroupCommit
from ttgateway.store.disk import Disk, numbered
from ttgateway.store.executor import Executor
from ttgateway.store.journal import Journal
from ttgateway.store.opening import copy

EVERY = 60.0
"""Seconds between rounds."""

BATCH = 2_000
"""Rows that one write deletes at the most: orders wait for no longer than that takes."""

BACKUP_EVERY = 6 * 60
"""Rounds between two backups: six hours."""

MOST_BACKUPS = 2

_DAY = 86_400.0


class Upkeep:
    """Keeps the store within its bounds. `round` is called every `EVERY` seconds."""

    _log = Logger()

    def __init__(
        self,
        commits: GroupCommit,
        journal: Journal,
        disk: Disk,
        clock: Clock,
        limits: Limits,
        backups: "Backups | None",
    ) -> None:
        self._commits = commits
        self._journal = journal
        self._disk = disk
        self._clock = clock
        self._limits = limits
        self._backups = backups
        self._rounds = 0

    async def round(self) -> None:
        """Trim journal and history, load the ballast, and make a backup when one is due."""
        try:
            await self._trim()
            self._disk.load()
            self._rounds += 1
            if self._backups is not None and self._rounds % BACKUP_EVERY == 1:
                await self._backups.make()
        except Exception as error:  # the next round tries again; a reason that lasts shows in the log each minute
            self._log.warn("The store's upkeep failed: {error!r}", error=error)

    async def _trim(self) -> None:
        wall = self._clock.now().wall
        while True:
            trimmed = await self._commits.write(lambda db: trim(db, wall, self._limits))
            if trimmed is None:
                break
            self._journal.trimmed_to(trimmed)
        while await self._commits.write(lambda db: forget_orders(db, wall, self._limits)):
            pass


def trim(db: apsw.Connection, wall: float, limits: Limits) -> int | None:
    """Delete at most `BATCH` changes that need not be kept; return up to which seq, or ``None`` if there are none.

    Kept are the changes that a listener waits for, in a replay too (up to ``keep_pending``), and beyond them those of
    the last ``keep_days``, up to ``keep_changes``; and the newest change of each active order, of which snapshots are
    made.
    """
    last = orders.last_seq(db)
    trimmed = int(db.execute("SELECT trimmed FROM gateway").get)
    young = db.execute("SELECT min(seq) FROM changes WHERE at >= ?", (wall - limits.keep_days * _DAY,)).get
    waited_for = db.execute("SELECT min(iif(replay_after < replay_upto, replay_after, cursor)) FROM listeners").get
    upto = max(last - limits.keep_changes, (young or last) - 1)
    if waited_for is not None:
        upto = min(upto, max(int(waited_for), last - limits.keep_pending))
    upto = max(trimmed, min(upto, trimmed + BATCH, last - 1))
    db.execute(
        "DELETE FROM changes WHERE seq IN (SELECT seq FROM changes WHERE seq <= ?"
        " AND seq NOT IN (SELECT seq FROM orders WHERE cleared IS NULL) ORDER BY seq LIMIT ?)",
        (upto, BATCH),
    )
    if upto == trimmed and not db.changes():
        return None
    db.execute("UPDATE gateway SET trimmed = ?", (upto,))
    return upto


def forget_orders(db: apsw.Connection, wall: float, limits: Limits) -> int:
    """Delete at most `BATCH` orders that were cleared more than ``history_days`` ago; return how many."""
    db.execute(
        "DELETE FROM orders WHERE rowid IN (SELECT rowid FROM orders WHERE cleared < ? LIMIT ?)",
        (wall - limits.history_days * _DAY, BATCH),
    )
    return db.changes()


class Backups:
    """The last whole copies of the store, numbered (the clock may be wrong): the newest serves after damage.

    They are made through the reading connection: a commit does not wait for them.
    """

    def __init__(self, directory: Path, executor: Executor, connection: apsw.Connection) -> None:
        self._directory = directory
        self._executor = executor
        self._connection = connection

    def make(self) -> Deferred[None]:
        """Copy the store as it stands, and delete the oldest copies."""
        return self._executor.run(self._make)

    def _make(self) -> None:
        self._directory.mkdir(exist_ok=True)
        kept = numbered(self._directory, ".db")
        copy(self._connection, self._directory / f"{int(kept[-1].stem) + 1 if kept else 1}.db")
        for path in kept[: -(MOST_BACKUPS - 1)]:
            path.unlink()
