"""What a listener is to be told next: read from the journal, after its cursor.

Normally that is the change that follows the cursor: from memory, or from a page that is read from the file. A
listener that asked for the latest only and is behind gets, of the changes that wait, the newest of each order. A
listener that is due a snapshot gets the newest change of each active order instead of what waits.
"""

from collections import deque
from collections.abc import Iterable

import msgspec
from twisted.internet.defer import Deferred

from ttgateway.clock import Clock
from ttgateway.store.entry import Entry
from ttgateway.store.journal import Journal
from ttgateway.store.listeners import CatchUp, Listener, Progress

BEHIND = 200
"""More changes than this wait, or the oldest for longer than `LATE` seconds: a listener that asked for the latest
only is caught up (design section 4)."""

LATE = 60.0

COALESCED = "coalesced"
SNAPSHOT = "snapshot"


class Delivery(msgspec.Struct, gc=False):
    """One thing to tell, and what the accounts are when it is told.

    ``mark`` is appended to the webhook-id, for what is no change of its own; ``cursor`` is where the listener stands
    afterwards (``None``: where it stood before), having passed over ``coalesced`` and ``filtered`` changes.
    """

    seq: int
    body: bytes
    cursor: int | None
    flags: str = ""
    mark: str = ""
    coalesced: int = 0
    filtered: int = 0
    ends_snapshot: bool = False

    @property
    def is_change(self) -> bool:
        """Tell whether this delivers a change that waited; a snapshot only tells how things stand."""
        return self.cursor is not None and not self.ends_snapshot

    def alone(self) -> "Delivery":
        """Return this without what it ends: another snapshot has become due while it was in flight."""
        if self.is_change:
            return self
        return msgspec.structs.replace(self, cursor=None, coalesced=0, ends_snapshot=False)


class Upcoming:
    """The deliveries of one listener that come next."""

    __slots__ = ("_clock", "_journal", "_listener", "_progress", "_ready")

    def __init__(self, listener: Listener, progress: Progress, journal: Journal, clock: Clock) -> None:
        self._clock = clock
        self._listener = listener
        self._progress = progress
        self._journal = journal
        self._ready: deque[Delivery] | None = None  # none for most listeners at most times

    def renew(self, listener: Listener) -> None:
        """The listener registered again: what was made ready may not be what it wants now."""
        self._listener = listener
        self._ready = None

    def next(self) -> Delivery | None:
        """Return the delivery to make, and leave it there; ``None`` if nothing waits, or `read` must be called."""
        if self._ready is None and self._due_snapshot():
            self._ready = self._snapshot()
        if self._ready:
            return self._ready[0]
        self._ready = None
        return None if self._is_behind() else self._from_memory()

    def must_read(self) -> bool:
        """Tell, after `next` has returned ``None``, whether something waits that must be read from the file."""
        return self._progress.cursor < self._journal.last

    def done(self) -> None:
        """Drop the delivery that `next` returned: it was made, or given up."""
        if self._ready:
            self._ready.popleft()

    def read(self) -> Deferred[None]:
        """Read a page of what waits; fails with `DamagedEntryError`."""
        cursor, last = self._progress.cursor, self._journal.last
        if self._is_behind():
            newest = self._journal.newest_page(cursor, last, self._listener.events)
            return newest.addCallback(self._take_newest, cursor, last)
        return self._journal.page(cursor).addCallback(self._take)

    def _from_memory(self) -> Delivery | None:
        progress, journal, events = self._progress, self._journal, self._listener.events
        while (entry := journal.recent(progress.cursor)) is not None:
            if not events or entry.type in events:
                return Delivery(entry.seq, entry.text(self._listener.api), entry.seq)
            progress.cursor = entry.seq
            progress.filtered += 1
        return None

    def _due_snapshot(self) -> bool:
        return self._progress.snapshot_due or self._progress.cursor < self._journal.trimmed

    def _is_behind(self) -> bool:
        """Tell whether the listener is to be caught up with the newest state of each order."""
        waiting = self._journal.last - self._progress.cursor
        if self._listener.catch_up is not CatchUp.LATEST or not waiting:
            return False
        oldest = self._journal.recent(self._progress.cursor)
        return waiting > BEHIND or oldest is None or self._clock.now().wall - oldest.at > LATE

    def _take(self, page: list[Entry]) -> None:
        """Make the changes of a page ready, those that the listener does not want only counted."""
        events, api = self._listener.events, self._listener.api
        ready: deque[Delivery] = deque()
        filtered = 0
        for entry in page:
            if events and entry.type not in events:
                filtered += 1
                continue
            ready.append(Delivery(entry.seq, entry.text(api), entry.seq, filtered=filtered))
            filtered = 0
        if not ready and page:
            self._pass_over(page[-1].seq, filtered)
        self._ready = ready

    def _take_newest(self, page: list[tuple[Entry, int]], cursor: int, last: int) -> None:
        """Make the newest change of each order ready; what they supersede is counted as coalesced."""
        ready: deque[Delivery] = deque()
        for entry, filtered in page:
            ready.append(
                Delivery(
                    entry.seq,
                    entry.text(self._listener.api),
                    entry.seq,
                    flags=COALESCED,
                    coalesced=entry.seq - cursor - 1 - filtered,
                    filtered=filtered,
                )
            )
            cursor = entry.seq
        if not page:
            self._pass_over(last, last - cursor)
        self._ready = ready

    def _pass_over(self, seq: int, filtered: int) -> None:
        self._progress.filtered += filtered
        self._progress.cursor = seq

    def _snapshot(self) -> deque[Delivery]:
        """Return what tells how things stand, between two marks where the listener asked for snapshots.

        A listener that did not ask (a version 1 device knows no such thing) gets the orders alone.
        """
        last, cursor = self._journal.last, self._progress.cursor
        standing = self._journal.standing()
        ready = deque(self._standing(standing))
        if self._listener.snapshot:
            ready.appendleft(_mark(b'{"type":"SNAPSHOT_BEGIN","seq":%d}' % last, last, ".begin"))
            ready.append(_mark(b'{"type":"SNAPSHOT_END","seq":%d,"count":%d}' % (last, len(standing)), last, ".end"))
        if ready:
            ready[-1] = msgspec.structs.replace(
                ready[-1], cursor=last, coalesced=max(0, last - cursor), ends_snapshot=True
            )
        else:
            self._progress.coalesced += max(0, last - cursor)
            self._progress.cursor = last
            self._progress.snapshot_due = False
        return ready

    def _standing(self, entries: Iterable[Entry]) -> Iterable[Delivery]:
        for entry in entries:
            yield Delivery(entry.seq, entry.text(self._listener.api), None, flags=SNAPSHOT)


def _mark(body: bytes, seq: int, mark: str) -> Delivery:
    return Delivery(seq, body, None, flags=SNAPSHOT, mark=mark)
