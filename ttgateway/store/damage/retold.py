"""Orders of a damaged file as their newest change tells them: that has a CRC, a row of ``orders`` has none."""

from collections.abc import Collection
from datetime import datetime

import apsw
import msgspec

from ttgateway.orders.change import OrderChange
from ttgateway.orders.moment import Moment
from ttgateway.orders.order import ClearedReason, Order, OrderState, OrderType
from ttgateway.store.tables import orders
from ttgateway.store.tables.entry import COLUMNS, DamagedEntryError, Entry

_NEWEST = f"SELECT {COLUMNS} FROM changes WHERE seq IN (SELECT max(seq) FROM changes GROUP BY order_uuid)"  # noqa: S608

_OF_NOBODY = (
    "SELECT uuid FROM orders WHERE seq > iif(cleared IS NULL, (SELECT min(seq) - 1 FROM changes), ?)"
    " AND uuid NOT IN (SELECT order_uuid FROM changes)"
)
"""Orders that no change tells of, though one should: nothing says that there are such.

Of an active order the newest change is never trimmed; of one that has ended, all up to where the journal was.
"""


def retell(db: apsw.Connection, sound: Collection[str], then: Moment, trimmed: int) -> None:
    """Let each order that is not ``sound`` be what its newest change says, if there is one.

    ``sound`` holds the uuids of the orders that were read from sound pages; ``then`` is a moment of the boot to which
    the uptimes in the file belong; up to ``trimmed`` the journal has forgotten what has ended. An order that is missing
    comes back, unless it had ended; one that no change knows of, though one should, goes.
    """
    have = {order.uuid: order for order in _readable(db)}
    told = [order for order in _told(db, then) if order.uuid not in sound and _differs(order, have.get(order.uuid))]
    of_nobody = {str(uuid) for (uuid,) in db.execute(_OF_NOBODY, (trimmed,))}
    wrong = {order.uuid for order in told} | of_nobody - set(sound)
    db.executemany("DELETE FROM orders WHERE uuid = ?", [(uuid,) for uuid in wrong])
    orders.save(db, told)


def _readable(db: apsw.Connection) -> list[Order]:
    return [orders.from_row(row) for row in db.execute(f"SELECT {orders.COLUMNS} FROM orders")]  # noqa: S608


def _told(db: apsw.Connection, then: Moment) -> list[Order]:
    """Return each order as its newest readable change tells it."""
    found = []
    for row in db.execute(_NEWEST).fetchall():
        try:
            entry = Entry.from_row(row)
            found.append(_order_of(entry, msgspec.json.decode(entry.body, type=OrderChange), then))
        except (DamagedEntryError, ValueError):  # a row of another schema's gateway may lack what we need
            continue
    return found


def _differs(told: Order, row: Order | None) -> bool:
    """Tell whether a row is not what the change says; of one that ended long ago the row may be gone."""
    if row is None:
        return told.state != OrderState.CLEARED
    return _telling(told) != _telling(row) or abs(told.started - row.started) > 1  # ages are told in whole seconds


def _telling(order: Order) -> tuple[object, ...]:
    return (order.seq, order.name, order.type, order.location, order.state, order.paged, order.cleared is None)


def _order_of(entry: Entry, change: OrderChange, then: Moment) -> Order:
    """Return the order as the change left it; raise `ValueError`. Who cleared it, no change tells."""
    started = entry.at - change.elapsed_time
    changed = datetime.fromisoformat(change.state_changed) - datetime.fromisoformat(change.created)
    at = started + changed.total_seconds()
    cleared = change.state == OrderState.CLEARED
    return Order(
        uuid=change.uuid,
        name=change.name,
        type=OrderType(change.order_type),
        location=change.location_name,
        state=OrderState(change.state),
        started=started,
        changed=at,
        born=then.uptime - (then.wall - started),
        seq=entry.seq,
        located=at if change.state == OrderState.LOCATED else None,
        cleared=at if cleared else None,
        cleared_reason=ClearedReason.AUTOMATIC if cleared else None,
        paged=change.paged,
        paged_at=entry.at if change.paged else None,
        took=float(change.elapsed_time) if cleared else None,
    )
