"""Active orders, version 1 (protocol section 3)."""

from ttgateway.api.active_orders import Page, PostedOrder
from ttgateway.api.call import Access, Call, Reply
from ttgateway.api.fields import OrderKey
from ttgateway.api.render import items_v1, listed_order_v1, order_v1
from ttgateway.api.routes import Routes
from ttgateway.api.shapes import ItemsV1, ListedOrderV1, OneActiveOrderV1
from ttgateway.gateway import Gateway
from ttgateway.orders.order import ClearedReason, Order, OrderType, order_id

_PART = {"key": OrderKey}
_OPEN = Access.OLD_DEVICES


def add_v1(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v1/activeorders`` and what is below it."""

    def one(order: Order) -> Reply:
        return Reply(OneActiveOrderV1(activeorder=order_v1(order, gateway.zone)))

    @routes.v1("GET", "/activeorders", ItemsV1[ListedOrderV1], access=_OPEN)
    async def list_orders(call: Call) -> Reply:
        """The active orders, oldest first."""
        orders = await gateway.active_orders()
        return Reply(items_v1(listed_order_v1(order, gateway.now(), gateway.zone) for order in orders))

    @routes.v1("POST", "/activeorders", OneActiveOrderV1, access=_OPEN, body=PostedOrder)
    async def post_order(call: Call, body: PostedOrder) -> Reply:
        """Start an order, or modify the active one of this name."""
        return one((await gateway.post(body.name, OrderType(body.order_type), body.location_name or "")).order)

    @routes.v1("DELETE", "/activeorders/<key>", OneActiveOrderV1, access=_OPEN, parts=_PART)
    async def clear_order(call: Call, key: str) -> Reply:
        """Clear one active order."""
        return one(await gateway.clear(order_id(key), ClearedReason.MANAGER_OVERRIDE))

    @routes.v1("POST", "/activeorders/<key>/page", OneActiveOrderV1, access=_OPEN, parts=_PART, body=Page)
    async def page_order(call: Call, key: str, body: Page) -> Reply:
        """Page the guest of an active order."""
        return one(await gateway.page(order_id(key), body.tracking is not False))
