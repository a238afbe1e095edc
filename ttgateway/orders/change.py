"""An order change: what listeners are told, and the journal keeps."""

from datetime import tzinfo
from enum import StrEnum

import msgspec

from ttgateway.orders.moment import Moment, shown
from ttgateway.orders.order import Order


class ChangeType(StrEnum):
    """What happened to the order (protocol section 7)."""

    CREATED = "ORDER_CREATED"
    MODIFIED = "ORDER_MODIFIED"
    PAGED = "ORDER_PAGED"


class OrderChangeV1(msgspec.Struct, frozen=True, rename="camel"):
    """One order change as version 1 tells it: exactly these ten fields (protocol section 7)."""

    elapsed_time: int
    uuid: str
    seq: int
    created: str
    order_type: str
    location_name: str
    state: str
    state_started: str
    type: str
    name: str


class OrderChange(OrderChangeV1, frozen=True, rename="camel"):
    """One order change as version 2 tells it: the ten, the state's time under its newer name, and the paging.

    It is written out once, when the order changes, and that text is what the journal keeps: so a retry sends
    the same bytes even after a restart, another time zone or a newer gateway (protocol section 7).
    """

    state_changed: str
    paged: bool


def change_of(order: Order, kind: ChangeType, at: Moment, zone: tzinfo) -> OrderChange:
    """Return the change that brought ``order`` to its present state, with times shown in ``zone``."""
    changed = shown(order.changed, zone)
    return OrderChange(
        elapsed_time=order.elapsed(at.uptime),
        uuid=order.uuid,
        seq=order.seq,
        created=shown(order.started, zone),
        order_type=order.type,
        location_name=order.location,
        state=order.state,
        state_started=changed,
        type=kind,
        name=order.name,
        state_changed=changed,
        paged=order.paged,
    )
