"""Stores as they are after a long time: many changes in the journal, many listeners; made by the store's own code."""

from collections.abc import Iterable, Iterator
from datetime import UTC
from pathlib import Path

import msgspec

from bench.daemon import TRACKERS
from bench.sink import Sink
from ttgateway.clock import MachineClock
from ttgateway.orders.change import ChangeType, OrderChange, change_of
from ttgateway.orders.moment import Moment
from ttgateway.orders.order import Order, OrderState, OrderType
from ttgateway.store import opening
from ttgateway.store.tables import listeners, orders
from ttgateway.store.tables.entry import COLUMNS, Values, entry_of
from ttgateway.store.tables.listeners import Listener, Progress

_INSERT = f"INSERT INTO changes ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608

_IDLE = 1_000_000
"""The number of the first idle listener."""


class Registered(msgspec.Struct, frozen=True):
    """A listener: where it is told, how many changes wait for it, and which types it wants (none: all)."""

    url: str
    behind: int = 0
    events: tuple[str, ...] = ()


def live(sink: Sink, count: int, behind: int = 1) -> list[Registered]:
    """Return the sink's first listeners, which want everything; so many changes wait for each."""
    return [Registered(sink.url(number), behind) for number in range(count)]


def idle(sink: Sink, count: int) -> list[Registered]:
    """Return listeners that want nothing of what happens here: nobody is paged."""
    return [Registered(sink.url(_IDLE + number), events=(ChangeType.PAGED,)) for number in range(count)]


def fill(state: Path, changes: int, registered: Iterable[Registered]) -> None:
    """Make the state directory of a gateway that was stopped in order.

    The changes are those of the first ``changes`` lines of `bench.daemon.moves`: the daemon goes on with the next.
    """
    state.mkdir(mode=0o700, parents=True)
    now = MachineClock().now()
    db = opening.open_file(str(state / opening.FILE), "the boot before", now, opening.schema())
    with db:
        db.executemany(_INSERT, _rows(changes, now))
        if changes:
            orders.save(db, (order_after(changes, tracker, now) for tracker in range(min(changes, TRACKERS))))
        for number, one in enumerate(registered):
            reached = changes - one.behind
            listener = Listener(id=f"listener-{number}", url=one.url, api=2, events=one.events, registered=now.wall)
            listeners.saving(listener, Progress(base=reached, cursor=reached, previous=reached))(db)
    opening.close(db, now)


def order_after(changes: int, tracker: int, now: Moment) -> Order:
    """Return the order of a tracker (from 0) as it is after so many changes, of which one at least is its own."""
    number = (changes - 1 - tracker) // TRACKERS * TRACKERS + tracker
    return Order(
        uuid=f"00000000-0000-4000-8000-{tracker:012}",
        name=str(tracker + 1),
        type=OrderType.ON_PREMISE,
        location=str(number // TRACKERS % 2 + 1),
        state=OrderState.LOCATED,
        started=now.wall,
        changed=now.wall,
        born=now.uptime,
        seq=number + 1,
        located=now.wall,
    )


def _rows(changes: int, now: Moment) -> Iterator[Values]:
    """Yield the rows of the journal; what each tracker tells at either table is worked out once."""
    first = [_told(number, now) for number in range(min(changes, TRACKERS))]
    told = [_told(number, now) for number in range(TRACKERS, 3 * TRACKERS)] if changes > TRACKERS else []
    for number in range(changes):
        change = first[number] if number < TRACKERS else told[(number - TRACKERS) % len(told)]
        yield entry_of(msgspec.structs.replace(change, seq=number + 1), now.wall).row()


def _told(number: int, now: Moment) -> OrderChange:
    kind = ChangeType.CREATED if number < TRACKERS else ChangeType.MODIFIED
    return change_of(order_after(number + 1, number % TRACKERS, now), kind, now, UTC)
