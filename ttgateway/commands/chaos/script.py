"""What is to be sent to a listener, act by act: a restaurant's changes, and faults among them. Pure."""

from collections import deque
from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from itertools import islice
from random import Random

import msgspec

from ttgateway.commands.chaos.book import Book, Picture
from ttgateway.commands.simulation.restaurant import Step
from ttgateway.notifier.delivery import COALESCED, REPLAY, Delivery
from ttgateway.notifier.snapshot import snapshot
from ttgateway.store.tables.entry import Entry
from ttgateway.store.tables.listeners import Listener

SELDOM, OFTEN = 8, 3
"""Changes between two faults, at most and at least."""

PAUSE = 2.5
"""Seconds of silence: longer than a gateway keeps an idle connection."""


class Fault(StrEnum):
    """What a listener has to withstand; ``docs/chaos.rst`` tells what each is, and what a right listener does."""

    DUPLICATE = "duplicate"
    REWIND = "rewind"
    UNREAD = "unread"
    HALF = "half"
    SLOW = "slow"
    PAUSE = "pause"
    GAP = "gap"
    COALESCED = "coalesced"
    SNAPSHOT = "snapshot"
    BROKEN_SNAPSHOT = "broken-snapshot"
    OLD_SNAPSHOT = "old-snapshot"
    NEW_JOURNAL = "new-journal"


class Manner(StrEnum):
    """How a request is sent."""

    WHOLE = "whole"
    UNREAD = "unread"
    """All of it, and the connection is closed before the answer is read."""
    HALF = "half"
    """Some of it, and the connection is closed."""
    SLOW = "slow"
    """In pieces, with pauses between them."""


class Act(msgspec.Struct, frozen=True):
    """One request: ``journal`` counts the journals so far, ``previous`` is what ``ttgateway-previous`` says.

    ``fault`` is what it is part of, ``None`` for a plain delivery; ``wait`` is for how many seconds nothing is sent
    before it, and ``at`` when it happens in the story.
    """

    delivery: Delivery
    previous: int
    at: float
    fault: Fault | None = None
    journal: int = 0
    attempt: int = 1
    manner: Manner = Manner.WHOLE
    wait: float = 0.0


class Script:
    """What is sent to ``listener``: the changes of ``story``, and between them ``faults``, dealt out by ``random``.

    In the end a listener that made no mistake shows the orders of ``book``.
    """

    def __init__(
        self, listener: Listener, story: Iterator[Step], book: Book, faults: Collection[Fault], random: Random
    ) -> None:
        self._listener = listener
        self._story = story
        self._book = book
        self._faults = list(faults)
        self._random = random
        self._deck: list[Fault] = []
        self._at = 0.0
        self._previous = 0
        self._told: deque[Act] = deque(maxlen=OFTEN)
        self._pictures: deque[Picture] = deque(maxlen=4)
        self._acts: dict[Fault, Callable[[], Iterator[Act]]] = {
            Fault.DUPLICATE: self._duplicate,
            Fault.REWIND: self._rewind,
            Fault.UNREAD: self._unread,
            Fault.HALF: self._half,
            Fault.SLOW: self._slow,
            Fault.PAUSE: self._pause,
            Fault.GAP: self._gap,
            Fault.COALESCED: self._coalesced,
            Fault.SNAPSHOT: self._snapshot,
            Fault.BROKEN_SNAPSHOT: self._broken_snapshot,
            Fault.OLD_SNAPSHOT: self._old_snapshot,
            Fault.NEW_JOURNAL: self._new_journal,
        }
        self.written = 0
        """How many changes there were."""
        self.journal = 0
        """How many journals there were before this one."""

    def acts(self, changes: int | None) -> Iterator[Act]:
        """Yield what is to be sent, until there were ``changes`` changes (``None``: without end), or a few more."""
        while changes is None or self.written < changes:
            for _ in range(self._random.randint(OFTEN, SELDOM)):
                yield from self._plain()
            if self._faults:
                yield from self._acts[self._dealt()]()
                self._told.clear()

    def _dealt(self) -> Fault:
        """Return the next fault: each comes before any comes again."""
        if not self._deck:
            self._deck = self._random.sample(self._faults, len(self._faults))
        return self._deck.pop()

    # Faults of the way.

    def _plain(self) -> Iterator[Act]:
        act = self._next()
        self._told.append(act)
        yield act

    def _next(self, fault: Fault | None = None) -> Act:
        """Return the delivery of the next change."""
        return self._act(self._change(self._write()), fault)

    def _duplicate(self) -> Iterator[Act]:
        act = self._next(Fault.DUPLICATE)
        yield act
        yield msgspec.structs.replace(act, attempt=2)

    def _rewind(self) -> Iterator[Act]:
        """The last few come again, as after a crash: the gateway had not yet noted that they were delivered."""
        for act in self._told:
            yield msgspec.structs.replace(act, fault=Fault.REWIND)

    def _unread(self) -> Iterator[Act]:
        return self._twice(Fault.UNREAD, Manner.UNREAD)

    def _half(self) -> Iterator[Act]:
        return self._twice(Fault.HALF, Manner.HALF)

    def _twice(self, fault: Fault, manner: Manner) -> Iterator[Act]:
        act = self._next(fault)
        yield msgspec.structs.replace(act, manner=manner)
        yield msgspec.structs.replace(act, attempt=2)

    def _slow(self) -> Iterator[Act]:
        yield msgspec.structs.replace(self._next(Fault.SLOW), manner=Manner.SLOW)

    def _pause(self) -> Iterator[Act]:
        yield msgspec.structs.replace(self._next(Fault.PAUSE), wait=PAUSE)

    # Faults of what is told.

    def _gap(self) -> Iterator[Act]:
        """Some changes never reach the listener, though the gateway has noted them as delivered; then a replay."""
        lost = self._pass_over()
        self._previous = lost[-1].seq
        told = self._write()
        yield self._act(self._change(told), Fault.GAP)
        for entry in (*lost, told):
            yield self._act(Delivery(entry.seq, entry.text(self._listener.api), None, flags=REPLAY), Fault.GAP)

    def _coalesced(self) -> Iterator[Act]:
        newest = {entry.order_uuid: entry for entry in self._pass_over()}
        for entry in sorted(newest.values(), key=lambda entry: entry.seq):
            flagged = msgspec.structs.replace(self._change(entry), flags=COALESCED)
            yield self._act(flagged, Fault.COALESCED)

    def _snapshot(self) -> Iterator[Act]:
        self._pass_over()
        return self._show(self._book.picture(), Fault.SNAPSHOT)

    def _broken_snapshot(self) -> Iterator[Act]:
        """A snapshot ends in the middle, and begins anew."""
        shown = snapshot(self._listener, 0, self._book.picture())
        for delivery in islice(shown, max(1, len(shown) // 2)):
            yield self._act(delivery, Fault.BROKEN_SNAPSHOT)
        self._pass_over()
        yield from self._show(self._book.picture(), Fault.BROKEN_SNAPSHOT)

    def _old_snapshot(self) -> Iterator[Act]:
        old = self._pictures[0] if self._pictures else self._book.picture()
        yield from self._plain()
        yield from self._show(old, Fault.OLD_SNAPSHOT)

    def _new_journal(self) -> Iterator[Act]:
        self.journal += 1
        self._book.begin_anew()
        self._pictures.clear()
        return self._show(self._book.picture(), Fault.NEW_JOURNAL)

    def _show(self, picture: Picture, fault: Fault) -> Iterator[Act]:
        for delivery in snapshot(self._listener, 0, picture):
            yield self._act(delivery, fault)

    def _pass_over(self) -> list[Entry]:
        """Return some changes that are not told."""
        return [self._write() for _ in range(self._random.randint(2, 5))]

    def _change(self, entry: Entry) -> Delivery:
        return Delivery(entry.seq, entry.text(self._listener.api), None, entry=entry)

    def _write(self) -> Entry:
        step = next(self._story)
        self._at = step.at
        self.written += 1
        if self.written % 12 == 0:
            self._pictures.append(self._book.picture())
        return self._book.write(step)

    def _act(self, delivery: Delivery, fault: Fault | None) -> Act:
        """Return the sending of ``delivery``, which the next one then names as that before it."""
        act = Act(delivery, self._previous, self._at, fault, self.journal)
        self._previous = delivery.seq
        return act
