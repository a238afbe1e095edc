"""A snapshot: how things stand, told in place of what waits (protocol section 7)."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from ttgateway.notifier.delivery import SNAPSHOT, Delivery
from ttgateway.store.tables.entry import Entry
from ttgateway.store.tables.listeners import Listener


class Standing(Protocol):
    """How things stand: the part of a journal that a snapshot is made of."""

    @property
    def last(self) -> int:
        """The seq of the newest change."""

    def standing(self) -> list[Entry]:
        """Return the newest change of each active order, by seq."""


def snapshot(listener: Listener, cursor: int, journal: Standing, cleared: Sequence[Entry] = ()) -> deque[Delivery]:
    """Return the newest change of each active order, between two marks where the listener asked for snapshots.

    A listener that did not ask (a version 1 device knows no such thing) gets the orders alone, after those that were
    ``cleared`` among what waits: perhaps nothing. The last delivery takes the listener from ``cursor`` to the end of
    the journal.
    """
    last, standing = journal.last, journal.standing()
    told = parts(listener, [*cleared, *standing])
    if listener.snapshot:
        told.appendleft(_mark(b'{"type":"SNAPSHOT_BEGIN","seq":%d}' % last, last, ".begin"))
        told.append(_mark(b'{"type":"SNAPSHOT_END","seq":%d,"count":%d}' % (last, len(standing)), last, ".end"))
    if told:
        told[-1] = msgspec.structs.replace(told[-1], cursor=last, coalesced=max(0, last - cursor), ends_snapshot=True)
    return told


def parts(listener: Listener, entries: Iterable[Entry]) -> deque[Delivery]:
    """Return what tells ``entries`` as parts of a snapshot, none of which takes the listener any further."""
    return deque(Delivery(entry.seq, entry.text(listener.api), None, flags=SNAPSHOT) for entry in entries)


def _mark(body: bytes, seq: int, mark: str) -> Delivery:
    return Delivery(seq, body, None, flags=SNAPSHOT, mark=mark)
