"""How things look in replies: what the gateway knows becomes a shape of version 1 or version 2."""

from collections.abc import Iterable
from datetime import UTC, tzinfo

from ttgateway.api.shapes import (
    AccessToken,
    ActiveOrder,
    ActiveOrderV1,
    Item,
    Items,
    ItemsV1,
    ListedOrderV1,
    NewAccessToken,
    PastOrder,
    PastOrderV1,
)
from ttgateway.orders.moment import Moment, shown
from ttgateway.orders.order import Order
from ttgateway.secrets import NewToken
from ttgateway.store.tables.tokens import Token


def order_v2(order: Order, at: Moment, zone: tzinfo) -> ActiveOrder:
    """Return an order as version 2 shows it, alone or in a list."""
    return ActiveOrder(
        name=order.name,
        uuid=order.uuid,
        order_type=order.type,
        location_name=order.location,
        state=order.state,
        created=shown(order.started, zone),
        state_changed=shown(order.changed, zone),
        paged=order.paged,
        elapsed_time=order.elapsed(at.uptime),
    )


def order_v1(order: Order, zone: tzinfo) -> ActiveOrderV1:
    """Return an order as version 1 shows it alone."""
    return ActiveOrderV1(
        uuid=order.uuid,
        created=shown(order.started, zone),
        order_type=order.type,
        location_name=order.location,
        state=order.state,
        state_started=shown(order.changed, zone),
        name=order.name,
    )


def listed_order_v1(order: Order, at: Moment, zone: tzinfo) -> ListedOrderV1:
    """Return an order as version 1 shows it in a list."""
    return ListedOrderV1(
        uuid=order.uuid,
        created=shown(order.started, zone),
        order_type=order.type,
        location_name=order.location,
        state=order.state,
        state_started=shown(order.changed, zone),
        name=order.name,
        elapsed_time=order.elapsed(at.uptime),
        paged="Yes" if order.paged else "No",
    )


def past_order(order: Order, zone: tzinfo) -> PastOrder:
    """Return an order as the history of version 2 shows it."""
    return PastOrder(
        location_name=order.location,
        order_located=_shown(order.located, zone),
        uuid=order.uuid,
        order_cleared=_shown(order.cleared, zone),
        order_type=order.type,
        order_started=shown(order.started, zone),
        name=order.name,
        order_paged=_shown(order.paged_at, zone),
        order_cleared_reason=order.cleared_reason,
    )


def past_order_v1(order: Order) -> PastOrderV1:
    """Return an order as the history of version 1 shows it: in UTC, with its offset."""
    return PastOrderV1(
        location_name=order.location,
        order_located=_utc(order.located),
        uuid=order.uuid,
        order_cleared=_utc(order.cleared),
        order_type=order.type,
        order_started=shown(order.started, UTC) + "+00:00",
        name=order.name,
    )


def items_v2(items: Iterable[Item]) -> Items[Item]:
    """Return a list of version 2."""
    held = list(items)
    return Items(count=len(held), items=held)


def items_v1(items: Iterable[Item]) -> ItemsV1[Item]:
    """Return a list of version 1."""
    held = list(items)
    return ItemsV1(count=str(len(held)), items=held)


def token(known: Token, zone: tzinfo) -> AccessToken:
    """Return what is told of a token."""
    return AccessToken(
        name=known.name,
        creation_date=shown(known.created, zone),
        last_used=_shown(known.last_used, zone),
        ip_address=known.ip_address,
    )


def new_token(made: NewToken, zone: tzinfo) -> NewAccessToken:
    """Return what is told of a token that was just made."""
    return NewAccessToken(
        name=made.token.name,
        creation_date=shown(made.token.created, zone),
        last_used=None,
        ip_address=None,
        token=made.secret,
    )


def _shown(wall: float | None, zone: tzinfo) -> str | None:
    return None if wall is None else shown(wall, zone)


def _utc(wall: float | None) -> str | None:
    return None if wall is None else shown(wall, UTC) + "+00:00"
