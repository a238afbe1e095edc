"""What a listener is to be told next: read from the journal, after its cursor.

Normally that is the change that follows the cursor: from memory, or from a page that is read from the file. A
listener that asked for the latest only and is behind gets, of the changes that wait, the newest of each order. A
listener that is due a snapshot gets the newest change of each active order instead of what waits; one that knows no
marks, by which it would see which orders are no longer active, first gets the change that cleared each of those. And
before all that it gets again what a replay is to tell, each change of it.
"""

from collections import deque
from collections.abc import Sequence

from twisted.internet.defer import Deferred

from ttgateway.clock import Clock
from ttgateway.notifier.delivery import COALESCED, REPLAY, SNAPSHOT, Again, Delivery
from ttgateway.notifier.resyncs import Resyncs
from ttgateway.notifier.snapshot import parts, snapshot
from ttgateway.orders.change import ChangeType
from ttgateway.store.tables.entry import Entry
from ttgateway.store.tables.journal import Journal
from ttgateway.store.tables.listeners import CatchUp, Listener, Progress

BEHIND = 200
"""More changes than this wait, or the oldest for longer than `LATE` seconds: a listener that asked for the latest
only is caught up (design section 4)."""

LATE = 60.0


class Upcoming:
    """The deliveries of one listener that come next.

    ``moved`` tells that the progress has changed here: what the listener does not want is passed over without a
    delivery. Who has it written sets it back.
    """

    __slots__ = (
        "_as_of",
        "_begun",
        "_cleared_upto",
        "_clock",
        "_course",
        "_damaged",
        "_failed",
        "_journal",
        "_listener",
        "_progress",
        "_ready",
        "_resyncs",
        "moved",
    )

    def __init__(self, listener: Listener, progress: Progress, journal: Journal, clock: Clock) -> None:
        self._clock = clock
        self._listener = listener
        self._progress = progress
        self._journal = journal
        self._resyncs = Resyncs()
        self._ready: deque[Delivery] | None = None  # none for most listeners at most times
        self._begun = False  # some of the snapshot that is ready was told
        self._failed = False  # what is ready was tried in vain
        self._cleared_upto = 0  # the seq up to which a snapshot without marks has told which orders were cleared
        self._damaged = False  # some of what waits was found to be
        self._as_of = 0  # the seq up to which what is ready tells how things stand
        self._course = 0  # another number: what is being read is no longer what comes next
        self.moved = False

    def renew(self, listener: Listener) -> None:
        """The listener registered again: what was made ready may not be what it wants now."""
        self._listener = listener
        self._resyncs.begins_anew()
        if self._begun or listener.snapshot:
            self._resyncs.waive()
        self._drop()

    def resync(self, *, telling: bool) -> None:
        """A snapshot was asked for, and is due now. ``telling``: a part of one is in flight."""
        self._resyncs.ask(begun=self._begun or telling)
        self.replay(telling=telling)

    def replay(self, *, telling: bool) -> None:
        """Something is to come first; but a snapshot that has begun is told to its end. ``telling`` as in `resync`."""
        if not (self._begun or telling):
            self._drop()

    def next(self) -> Delivery | None:
        """Return the delivery to make, and leave it there; ``None`` if nothing waits, or `read` must be called."""
        if self._failed and self._as_of < self._journal.last:
            self._drop()
        if self._ready:
            return self._ready[0]
        self._ready = None
        progress = self._progress
        if progress.replaying and not self._begun:
            if progress.replay_after >= self._journal.trimmed:
                return None
            self.lose()
        if self._is_due():
            if self._must_read_cleared():
                return None
            self._make_snapshot()
            return self.next()
        events = self._listener.events
        if events and self._journal.last_of(events) <= progress.cursor < self._journal.last:  # it wants none of these
            self._pass_over(self._journal.last, self._journal.last - progress.cursor)
            return None
        return None if self._is_behind() else self._from_memory()

    def must_read(self) -> bool:
        """Tell, after `next` has returned ``None``, whether something waits that must be read from the file."""
        progress = self._progress
        return progress.cursor < self._journal.last or progress.replaying

    def is_held(self) -> bool:
        """Tell whether a snapshot is due that has to wait, while changes are told."""
        return self._progress.snapshot_due and not self._begun and self._resyncs.holds(self._clock.now().uptime)

    def failed(self) -> None:
        """The listener is down: what tells it how things stand is made anew, if they stand otherwise by then."""
        ready = self._ready
        self._failed = bool(ready and ready[0].flags in (COALESCED, SNAPSHOT) and not self._begun)

    def done(self, delivery: Delivery) -> None:
        """Drop the delivery that `next` returned: it was made, or given up."""
        if not self._ready or self._ready[0] is not delivery:
            return
        self._ready.popleft()
        self._failed = False
        if delivery.flags != SNAPSHOT:
            return
        if not self._begun:
            self._begun = True
            self._resyncs.begins(self._clock.now().uptime)
        if delivery.ends_snapshot:
            self._end_snapshot()

    def lose(self, *, damaged: bool = False) -> None:
        """What comes next is gone, or ``damaged``: what is left of a replay ends, and a snapshot makes it good."""
        progress = self._progress
        self._damaged = self._damaged or damaged
        if not self._begun:  # else the replay is yet to come
            progress.replay_after = progress.replay_upto
        progress.snapshot_due = True
        self._resyncs.waive()
        self.moved = True

    def read(self) -> Deferred[object]:
        """Read a page of what waits; fails with `DamagedEntryError`."""
        progress, journal, course = self._progress, self._journal, self._course
        cursor, last = progress.cursor, journal.last
        if progress.replaying and not self._begun:
            after = progress.replay_after
            again = journal.page_again(self._listener.id, after, progress.replay_upto)
            reading = again.addCallback(self._take_again, course, after)
        elif self._is_due() and self._must_read_cleared():
            after = max(self._owes_cleared(), journal.trimmed)
            cleared = journal.cleared_page(after, last, sound=self._damaged)
            reading = cleared.addCallback(self._take_cleared, course)
        elif self._is_behind():
            newest = journal.newest_page(cursor, last, self._listener.events)
            reading = newest.addCallback(self._take_newest, course, cursor, last)
        else:
            reading = journal.page(cursor).addCallback(self._take, course, cursor)
        return reading.addErrback(lambda failure: failure if course == self._course else None)

    def _drop(self) -> None:
        self._ready = None
        self._begun = self._failed = False
        self._cleared_upto = 0
        self._course += 1

    def _is_due(self) -> bool:
        """Tell whether a snapshot is to be told now, or the rest of one."""
        progress = self._progress
        return progress.cursor < self._journal.trimmed or (progress.snapshot_due and not self.is_held())

    def _owes_cleared(self) -> int:
        """Return after which seq a snapshot must tell which orders were cleared: without marks only that shows it."""
        listener = self._listener
        if listener.snapshot or (listener.events and ChangeType.MODIFIED not in listener.events):
            return self._journal.last
        return max(self._progress.cursor, self._cleared_upto)

    def _must_read_cleared(self) -> bool:
        """Tell whether that must be read: what is in memory is told with the snapshot, or changes could hold it up."""
        after = self._owes_cleared()
        return after < self._journal.last and self._journal.recent(after) is None

    def _from_memory(self) -> Delivery | None:
        progress, journal, events = self._progress, self._journal, self._listener.events
        while (entry := journal.recent(progress.cursor)) is not None:
            if not events or entry.type in events:
                return Delivery(entry.seq, entry.text(self._listener.api), entry.seq, entry=entry)
            self._pass_over(entry.seq, 1)
        return None

    def _is_behind(self) -> bool:
        """Tell whether the listener is to be caught up with the newest state of each order."""
        waiting = self._journal.last - self._progress.cursor
        if self._listener.catch_up is not CatchUp.LATEST or not waiting:
            return False
        oldest = self._journal.recent(self._progress.cursor)
        if waiting > BEHIND or oldest is None:
            return True
        return self._journal.waited(oldest, self._clock.wall()) > LATE

    def _is_whole(self, page: Sequence[Entry], after: int) -> bool:
        """Tell whether nothing is missing from a page: it may have been trimmed while that was being read."""
        return bool(page) and page[-1].seq == after + len(page)

    def _take(self, page: list[Entry], course: int, after: int) -> None:
        """Make the changes of a page ready, those that the listener does not want only counted."""
        if course != self._course:
            return
        if not self._is_whole(page, after):
            self.lose()
            return
        events, api = self._listener.events, self._listener.api
        ready: deque[Delivery] = deque()
        filtered = 0
        for entry in page:
            if events and entry.type not in events:
                filtered += 1
                continue
            ready.append(Delivery(entry.seq, entry.text(api), entry.seq, filtered=filtered, entry=entry))
            filtered = 0
        if not ready:
            self._pass_over(page[-1].seq, filtered)
        self._ready = ready

    def _take_again(self, page: list[tuple[Entry, bool]], course: int, after: int) -> None:
        """Make the changes of a page of a replay ready, those that the listener does not want left out."""
        if course != self._course:
            return
        if not self._is_whole([entry for entry, _ in page], after):
            self.lose()
            return
        events, api = self._listener.events, self._listener.api
        ready: deque[Delivery] = deque()
        for entry, parked in page:
            if not events or entry.type in events:
                again = Again(after, entry.seq, parked)
                ready.append(Delivery(entry.seq, entry.text(api), None, flags=REPLAY, again=again))
                after = entry.seq
        if not ready:
            self._progress.replay_after = page[-1][0].seq
            self.moved = True
        self._ready = ready

    def _take_newest(self, page: list[tuple[Entry, int]] | None, course: int, cursor: int, last: int) -> None:
        """Make the newest change of each order ready; what they supersede is counted as coalesced."""
        if course != self._course:
            return
        if page is None:
            self.lose()
            return
        ready: deque[Delivery] = deque()
        for entry, filtered in page:
            body, passed = entry.text(self._listener.api), entry.seq - cursor - 1 - filtered
            ready.append(
                Delivery(entry.seq, body, entry.seq, flags=COALESCED, coalesced=passed, filtered=filtered, entry=entry)
            )
            cursor = entry.seq
        if not page:
            self._pass_over(last, last - cursor)
        self._ready, self._as_of = ready, last

    def _take_cleared(self, page: tuple[list[Entry], int], course: int) -> None:
        """Make ready, as the first part of a snapshot, what cleared the orders that are no longer active."""
        if course != self._course:
            return
        entries, self._cleared_upto = page
        self._ready, self._as_of = parts(self._listener, entries), self._cleared_upto

    def _pass_over(self, seq: int, filtered: int) -> None:
        self._progress.filtered += filtered
        self._progress.cursor = seq
        self.moved = True

    def _make_snapshot(self) -> None:
        progress, last = self._progress, self._journal.last
        cleared = self._journal.cleared_lately(self._owes_cleared())
        self._ready, self._as_of = snapshot(self._listener, progress.cursor, self._journal, cleared), last
        self._damaged = False
        if not self._ready:
            progress.coalesced += max(0, last - progress.cursor)
            progress.move_to(last)
            self._end_snapshot()
            self.moved = True

    def _end_snapshot(self) -> None:
        self._begun = False
        self._progress.snapshot_due = self._resyncs.ended()
