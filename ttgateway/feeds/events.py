"""What a reader missed: the changes after a seq that it names, or the next one, once there is one."""

import apsw
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from ttgateway.refusals import ChangesGone, NotNow, TooMany
from ttgateway.sparing import sparing_logger
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.tables.entry import DamagedEntryError, Entry
from ttgateway.store.tables.journal import Journal

MOST_WAITING = 1_024
"""How many may wait for the next change at a time."""

_TAKE_THE_LIST = "Take the active orders instead."


class Events:
    """Reads the journal after a seq. Who waits is woken by the journal, or when its time on ``timers`` is over."""

    _log = sparing_logger("ttgateway.feeds")

    def __init__(self, journal: Journal, epoch: str, timers: IReactorTime) -> None:
        self._journal = journal
        self._epoch = epoch
        self._timers = timers
        self._waiting: dict[Deferred[None], None] = {}
        self._stopping = False
        journal.watch(self._wake)

    @property
    def last(self) -> int:
        """Return the last durable seq."""
        return self._journal.last

    def check(self, since: int, epoch: str | None) -> None:
        """Raise `ChangesGone` unless all changes after ``since`` are kept; another epoch is another count."""
        if epoch is not None and epoch != self._epoch:
            raise ChangesGone(f"The epoch is now {self._epoch}. {_TAKE_THE_LIST}")
        if since < self._journal.trimmed:
            raise ChangesGone(f"Changes up to {self._journal.trimmed} are no longer kept. {_TAKE_THE_LIST}")

    async def after(self, since: int, limit: int) -> list[Entry]:
        """Return the changes that follow ``since``, at most ``limit`` (and `journal.PAGE`) of them.

        Raises `ChangesGone` where one of them is damaged or was trimmed just now, and `NotNow` where the journal cannot
        be read.
        """
        if since >= self._journal.last:
            return []
        if self._journal.recent(since) is None:
            return (await self._page(since))[:limit]
        found: list[Entry] = []
        while len(found) < limit and (entry := self._journal.recent(since)) is not None:
            found.append(entry)
            since = entry.seq
        return found

    async def _page(self, since: int) -> list[Entry]:
        try:
            page = await self._journal.page(since)
        except DamagedEntryError as error:
            raise ChangesGone(f"The {error}. {_TAKE_THE_LIST}") from None
        except (apsw.Error, DamagedStoreError) as error:
            self._log.error("The journal cannot be read: {error!r}", error=error)
            raise NotNow("The journal cannot be read.") from None
        if page and page[-1].seq != since + len(page):
            raise ChangesGone(f"Changes after {since} are no longer kept. {_TAKE_THE_LIST}")
        return page

    def wait(self, seconds: float) -> Deferred[None]:
        """Fire when there are new changes, or after ``seconds``; raise `TooMany`. May be cancelled."""
        if self._stopping:
            return succeed(None)
        if len(self._waiting) >= MOST_WAITING:
            raise TooMany(f"Too many wait for the next change. At most {MOST_WAITING} may.")
        waiter: Deferred[None] = Deferred(lambda gone: self._waiting.pop(gone, None))
        timer = self._timers.callLater(seconds, self._release, waiter)
        self._waiting[waiter] = None

        def over(result: object) -> object:
            if timer.active():
                timer.cancel()
            return result

        return waiter.addBoth(over)

    def stop(self) -> None:
        """Let nobody wait any more: the gateway is stopping."""
        self._stopping = True
        self._wake()

    def _wake(self) -> None:
        for waiter in list(self._waiting):
            self._release(waiter)

    def _release(self, waiter: Deferred[None]) -> None:
        if waiter in self._waiting:
            del self._waiting[waiter]
            waiter.callback(None)
