"""What is found out about a store while it is in use: whether it can be read, and whether it is what was written.

A page whose checksum does not match is found when it is read, for a listener or for the next backup, perhaps days
after it was damaged; and what stands on it cannot be told. Nothing is mended under way: the gateway ends and starts
anew, and the start recovers the store (`ttgateway.store.damage.recovery`), as it does after a power cut. Where a row
alone does not fit its CRC, on a sound page, the listeners that want it get a snapshot, and the operator is told. And
where a file was deleted, moved or replaced, the gateway starts anew too: its end puts back what it has.
"""

from collections.abc import Callable
from pathlib import Path

import apsw
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ttgateway.store import pages
from ttgateway.store.commits import GroupCommit
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.place import DisplacedError
from ttgateway.store.tables.entry import DamagedEntryError

FRESH = 5.0
"""Seconds for which a read that failed counts: what waits for the file is tried again each second."""


class Findings:
    """What was found; ``damage`` is that in words for the operator, ``""`` for nothing.

    ``damaged`` tells that the file has to be recovered: it must not be closed as if all were well. ``displaced``, that
    it has to be put back.
    """

    _log = Logger()

    def __init__(self, commits: GroupCommit, timers: IReactorTime, known: str) -> None:
        self._commits = commits
        self._timers = timers
        self._failed_at = float("-inf")
        self._on_damage: Callable[[], None] = lambda: None
        self.damage = known
        self.damaged = False
        self.displaced = False
        self._unsavable = ""  # what was told of a file that cannot be put back
        commits.on_error(self._look)

    def on_damage(self, recover: Callable[[], None]) -> None:
        """Call ``recover``, once, when the file turns out to be damaged."""
        self._on_damage = recover

    @property
    def unreadable(self) -> bool:
        """Whether the file could not be read just now."""
        return self._timers.seconds() - self._failed_at < FRESH

    def read(self, error: BaseException | None) -> None:
        """Take note of how a read has ended."""
        if isinstance(error, apsw.Error) and not isinstance(error, apsw.FullError):  # that is of a backup
            self._failed_at = self._timers.seconds()
        if error is not None:
            self._look(error)

    async def seen(self) -> str:
        """Forget what was found, as somebody has seen it; return it. What is yet to be recovered is not forgotten."""
        known = self.damage
        if known and not self.damaged:
            await self._commits.write(forget_damage)
            self.damage = ""
        return known

    def copied(self, error: BaseException | None) -> None:
        """Take note of how a backup has ended: what it could not write says nothing about the store."""
        if error is not None and pages.is_damage(error):
            self._look(error)

    def put_back(self, path: Path) -> None:
        """Tell that the store is at ``path`` again, of which it had lost the name."""
        self._log.warn("What the store holds is in {path} again; what lay there is in replaced", path=str(path))

    def _look(self, error: BaseException) -> None:
        if isinstance(error, DamagedEntryError):
            self._note(str(error))
        elif (pages.is_damage(error) or isinstance(error, DamagedStoreError)) and not self.damaged:
            self.damaged = True
            self.damage = self.damage or f"found while running: {error}"
            self._log.critical("The store is damaged: {error!r}; the gateway starts anew to recover it", error=error)
            self._on_damage()
        elif isinstance(error, DisplacedError):
            self._look_at_place(error)

    def _look_at_place(self, error: DisplacedError) -> None:
        if error.savable and not self.displaced:
            self.displaced = True
            self._log.critical("{error}; the gateway puts back what it has, and starts anew", error=error)
            self._on_damage()
        elif not error.savable and str(error) != self._unsavable:
            self._unsavable = str(error)
            self._log.critical("{error}", error=error)
            self._note(self._unsavable)

    def _note(self, damage: str) -> None:
        """Keep what was found, unless something is known already: the health stays red until somebody has seen it."""
        if not self.damage:
            self.damage = damage
            noted = self._commits.write(lambda db: db.execute("UPDATE gateway SET damage = ?", (damage,)))
            noted.addErrback(lambda _: None)  # it is in the log, and found again when it is read again


def noted_damage(db: apsw.Connection) -> str:
    """Return what is noted in the file that the store has lost; ``""`` for nothing."""
    return str(db.execute("SELECT damage FROM gateway").get)


def forget_damage(db: apsw.Connection) -> None:
    """Note in the file that nothing is lost that nobody has seen."""
    db.execute("UPDATE gateway SET damage = ''")
