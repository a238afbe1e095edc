"""What is done to the store from time to time: trimming what nobody needs, copies, and the ballast."""

from collections.abc import Awaitable, Callable

import apsw
from twisted.logger import Logger

from ttgateway.clock import Clock
from ttgateway.settings import Journal as Limits
from ttgateway.store import age
from ttgateway.store.commits import GroupCommit
from ttgateway.store.copies.backups import Backups
from ttgateway.store.disk import Disk
from ttgateway.store.tables import orders
from ttgateway.store.tables.journal import Journal

EVERY = 60.0
"""Seconds between rounds."""

BATCH = 2_000
"""Rows that one write deletes at the most: orders wait for no longer than that takes."""

BACKUP_EVERY = 6 * 60
"""Rounds between two backups: six hours."""

_DAY = 86_400.0
_BEYOND = 1 << 62  # no seq is as large


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
        backups: Backups | None,
        look: Callable[[], Awaitable[bool]],
    ) -> None:
        self._commits = commits
        self._journal = journal
        self._disk = disk
        self._clock = clock
        self._limits = limits
        self._backups = backups
        self._look = look
        self._rounds = 0
        self._ending = False

    async def round(self) -> None:
        """Look whether the files are in their place, trim, load the ballast, and make a backup when one is due."""
        try:
            if not await self._look():
                return
            await self._trim()
            self._disk.load()
            self._rounds += 1
            if self._backups is not None and self._rounds % BACKUP_EVERY == 1:
                await self._backups.make()
        except Exception as error:  # the next round tries again; a reason that lasts shows in the log each minute
            if not self._ending:
                self._log.warn("The store's upkeep failed: {error!r}", error=error)

    def break_off(self) -> None:
        """Let a round that is under way end soon: a copy may take longer than a stop should."""
        self._ending = True
        if self._backups is not None:
            self._backups.break_off()

    async def _trim(self) -> None:
        uptime = self._clock.now().uptime
        while True:
            trimmed = await self._commits.write(lambda db: trim(db, uptime, self._limits))
            if trimmed is None:
                break
            self._journal.trimmed_to(trimmed)
        while await self._commits.write(lambda db: forget_orders(db, uptime, self._limits)):
            pass


def trim(db: apsw.Connection, uptime: float, limits: Limits) -> int | None:
    """Delete at most `BATCH` changes that need not be kept; return up to which seq, or ``None`` if there are none.

    Kept are the changes that a listener waits for, in a replay too (up to ``keep_pending``), and beyond them those of
    the last ``keep_days``, up to ``keep_changes``; and the newest change of each active order, of which snapshots are
    made. ``uptime`` is the present one: days are counted by the store's age.
    """
    last = orders.last_seq(db)
    trimmed = int(db.execute("SELECT trimmed FROM gateway").get)
    young = age.first_since(db, age.at(db, uptime) - limits.keep_days * _DAY)
    waited_for = db.execute("SELECT min(iif(replay_after < replay_upto, replay_after, cursor)) FROM listeners").get
    upto = max(last - limits.keep_changes, (last if young is None else young) - 1)
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


def forget_orders(db: apsw.Connection, uptime: float, limits: Limits) -> int:
    """Delete at most `BATCH` orders that were cleared more than ``history_days`` ago; return how many."""
    lived = age.at(db, uptime)
    young = age.first_since(db, lived - limits.history_days * _DAY)
    age.forget(db, lived - max(limits.keep_days, limits.history_days) * _DAY)
    db.execute(
        "DELETE FROM orders WHERE rowid IN (SELECT rowid FROM orders INDEXED BY orders_ended"
        " WHERE cleared IS NOT NULL AND seq < ? LIMIT ?)",
        (_BEYOND if young is None else young, BATCH),
    )
    return db.changes()
