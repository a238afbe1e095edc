"""Active orders, version 2 (protocol section 3)."""

from ttgateway.api.codes import Ack, BooleanInvalid, Endpoint
from ttgateway.api.render import Shape, items_v2, order_v2
from ttgateway.api.routes import Call, Reply, Routes, acknowledged
from ttgateway.gateway import Gateway, Posted
from ttgateway.orders.order import (
    ClearedReason,
    Order,
    OrderState,
    location_name,
    order_id,
    order_name,
    order_type,
)


def add_active_orders(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v2/activeorders``."""

    def one(order: Order) -> Shape:
        return order_v2(order, gateway.now(), gateway.zone)

    @routes.v2("GET", "/activeorders", Endpoint.ACTIVE_ORDERS)
    async def list_orders(call: Call) -> Reply:
        return Reply(items_v2([one(order) for order in await gateway.active_orders()]))

    @routes.v2("POST", "/activeorders", Endpoint.ACTIVE_ORDERS)
    async def post_order(call: Call) -> Reply:
        posted = await post(gateway, call.body())
        if posted.changed:
            return Reply({"activeorder": one(posted.order)})
        if posted.order.state is OrderState.STARTED:
            return acknowledged(Ack.ALREADY_STARTED, "Order already started.", activeorder=one(posted.order))
        return acknowledged(Ack.ALREADY_LOCATED, "Order already located.", activeorder=one(posted.order))

    @routes.v2("DELETE", "/activeorders", Endpoint.ACTIVE_ORDERS)
    async def clear_orders(call: Call) -> Reply:
        cleared = await gateway.clear_all(ClearedReason.MANAGER_OVERRIDE)
        return Reply(items_v2([one(order) for order in cleared]))


def add_active_order(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v2/activeorders/{name or uuid}`` and what is below it."""

    def one(order: Order) -> Reply:
        return Reply({"activeorder": order_v2(order, gateway.now(), gateway.zone)})

    @routes.v2("GET", "/activeorders/<key>", Endpoint.ACTIVE_ORDER)
    async def show_order(call: Call, key: str) -> Reply:
        return one(await gateway.active_order(order_id(key)))

    @routes.v2("DELETE", "/activeorders/<key>", Endpoint.ACTIVE_ORDER)
    async def clear_order(call: Call, key: str) -> Reply:
        return one(await gateway.clear(order_id(key), ClearedReason.MANAGER_OVERRIDE))

    @routes.v2("POST", "/activeorders/<key>/guest_paging", Endpoint.ACTIVE_ORDER_PAGE)
    @routes.v2("POST", "/activeorders/<key>/page", Endpoint.ACTIVE_ORDER_PAGE)
    async def page_order(call: Call, key: str) -> Reply:
        check_boolean("tracking", call.body().get("tracking"))
        return one(await gateway.page(order_id(key)))

    @routes.v2("DELETE", "/activeorders/<key>/guest_paging", Endpoint.ACTIVE_ORDER_PAGE)
    @routes.v2("DELETE", "/activeorders/<key>/page", Endpoint.ACTIVE_ORDER_PAGE)
    async def cancel_page(call: Call, key: str) -> Reply:
        if await gateway.cancel_page(order_id(key)):
            return acknowledged(Ack.PAGING_CANCELED, "Paging canceled.")
        return acknowledged(Ack.NOTHING_TO_CANCEL, "No paged tracker to cancel.")


async def post(gateway: Gateway, body: Shape) -> Posted:
    """Start or modify the order that the body of a POST describes, in either version."""
    name = order_name(body.get("name"))
    kind = order_type(body.get("orderType"))
    return await gateway.post(name, kind, location_name(body.get("locationName")))


def check_boolean(name: str, value: object) -> None:
    """Raise `BooleanInvalid` unless ``value`` is a boolean, spells one, or is missing."""
    if value is not None and not isinstance(value, bool) and value not in ("true", "false"):
        raise BooleanInvalid(f"Invalid boolean value for {name}. Must be true or false.")
