"""How things look in replies: the shapes of version 1 and version 2 (protocol sections 1 to 3)."""

from collections.abc import Sequence
from datetime import tzinfo

from ttgateway.orders.moment import Moment, shown
from ttgateway.orders.order import Order
from ttgateway.store.tokens import Token

Shape = dict[str, object]


def order_v2(order: Order, at: Moment, zone: tzinfo) -> Shape:
    """Return an order as version 2 shows it, alone or in a list."""
    return {
        "name": order.name,
        "uuid": order.uuid,
        "orderType": order.type,
        "locationName": order.location,
        "state": order.state,
        "created": shown(order.started, zone),
        "stateChanged": shown(order.changed, zone),
        "paged": order.paged,
        "elapsedTime": order.elapsed(at.uptime),
    }


def order_v1(order: Order, zone: tzinfo) -> Shape:
    """Return an order as version 1 shows it alone: without its age and its paging."""
    return {
        "uuid": order.uuid,
        "created": shown(order.started, zone),
        "orderType": order.type,
        "locationName": order.location,
        "state": order.state,
        "stateStarted": shown(order.changed, zone),
        "name": order.name,
    }


def listed_order_v1(order: Order, at: Moment, zone: tzinfo) -> Shape:
    """Return an order as version 1 shows it in a list."""
    return {
        **order_v1(order, zone),
        "elapsedTime": order.elapsed(at.uptime),
        "paged": "Yes" if order.paged else "No",
    }


def items_v2(items: Sequence[Shape]) -> Shape:
    """Return a list of version 2; clients index by the count."""
    return {"count": len(items), "items": items}


def items_v1(items: Sequence[Shape]) -> Shape:
    """Return a list of version 1, where the count is a string."""
    return {"count": str(len(items)), "items": items}


def token(known: Token, zone: tzinfo) -> Shape:
    """Return what is told of a token; never its secret."""
    return {
        "name": known.name,
        "creation_date": shown(known.created, zone),
        "last_used": None if known.last_used is None else shown(known.last_used, zone),
        "ip_address": known.ip_address,
    }
