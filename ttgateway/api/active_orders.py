"""Active orders, version 2 (protocol section 3)."""

from ttgateway.api.call import Call, Reply, acknowledged
from ttgateway.api.codes import Ack, Endpoint
from ttgateway.api.fields import Kind, Location, Name, OrderKey, Tracking
from ttgateway.api.reading import AskedCamel
from ttgateway.api.render import items_v2, order_v2
from ttgateway.api.routes import Routes
from ttgateway.api.shapes import Acknowledged, ActiveOrder, Items, OneActiveOrder, PostedActiveOrder
from ttgateway.gateway import Gateway
from ttgateway.orders.order import ClearedReason, Order, OrderState, OrderType, order_id


class PostedOrder(AskedCamel, frozen=True):
    """An order to start or to modify."""

    name: Name
    order_type: Kind
    location_name: Location = None


class Page(AskedCamel, frozen=True):
    """How to page a guest: whether the tracker is to be followed until it is put back."""

    tracking: Tracking = None


_PART = {"key": OrderKey}
_LEADS = {"key": "/activeorder/uuid"}


def add_active_orders(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v2/activeorders``."""

    def one(order: Order) -> ActiveOrder:
        return order_v2(order, gateway.now(), gateway.zone)

    @routes.v2("GET", "/activeorders", Endpoint.ACTIVE_ORDERS, Items[ActiveOrder])
    async def list_orders(call: Call) -> Reply:
        """The active orders, oldest first."""
        return Reply(items_v2(one(order) for order in await gateway.active_orders()))

    acks = (Ack.ALREADY_STARTED, Ack.ALREADY_LOCATED)

    @routes.v2(
        "POST", "/activeorders", Endpoint.ACTIVE_ORDERS, PostedActiveOrder, body=PostedOrder, acks=acks, leads=_LEADS
    )
    async def post_order(call: Call, body: PostedOrder) -> Reply:
        """Start an order, or modify the active one of this name."""
        posted = await gateway.post(body.name, OrderType(body.order_type), body.location_name or "")
        order = one(posted.order)
        if posted.changed:
            return Reply(PostedActiveOrder(activeorder=order))
        if posted.order.state is OrderState.STARTED:
            same = PostedActiveOrder(message="Order already started.", activeorder=order)
            return Reply(same, Ack.ALREADY_STARTED)
        same = PostedActiveOrder(message="Order already located.", activeorder=order)
        return Reply(same, Ack.ALREADY_LOCATED)

    @routes.v2("DELETE", "/activeorders", Endpoint.ACTIVE_ORDERS, Items[ActiveOrder])
    async def clear_orders(call: Call) -> Reply:
        """Clear all active orders."""
        return Reply(items_v2(one(order) for order in await gateway.clear_all(ClearedReason.MANAGER_OVERRIDE)))


def add_active_order(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v2/activeorders/{name or uuid}`` and what is below it."""

    def one(order: Order) -> Reply:
        return Reply(OneActiveOrder(activeorder=order_v2(order, gateway.now(), gateway.zone)))

    @routes.v2("GET", "/activeorders/<key>", Endpoint.ACTIVE_ORDER, OneActiveOrder, parts=_PART)
    async def show_order(call: Call, key: str) -> Reply:
        """One active order."""
        return one(await gateway.active_order(order_id(key)))

    @routes.v2("DELETE", "/activeorders/<key>", Endpoint.ACTIVE_ORDER, OneActiveOrder, parts=_PART)
    async def clear_order(call: Call, key: str) -> Reply:
        """Clear one active order."""
        return one(await gateway.clear(order_id(key), ClearedReason.MANAGER_OVERRIDE))

    @routes.v2(
        "POST", "/activeorders/<key>/guest_paging", Endpoint.ACTIVE_ORDER_PAGE, OneActiveOrder, parts=_PART, body=Page
    )
    @routes.v2("POST", "/activeorders/<key>/page", Endpoint.ACTIVE_ORDER_PAGE, OneActiveOrder, parts=_PART, body=Page)
    async def page_order(call: Call, key: str, body: Page) -> Reply:
        """Page the guest of an active order."""
        return one(await gateway.page(order_id(key), body.tracking is not False))

    shows, acks = Acknowledged, (Ack.PAGING_CANCELED, Ack.NOTHING_TO_CANCEL)

    @routes.v2("DELETE", "/activeorders/<key>/guest_paging", Endpoint.ACTIVE_ORDER_PAGE, shows, parts=_PART, acks=acks)
    @routes.v2("DELETE", "/activeorders/<key>/page", Endpoint.ACTIVE_ORDER_PAGE, shows, parts=_PART, acks=acks)
    async def cancel_page(call: Call, key: str) -> Reply:
        """End the paging of an active order."""
        if await gateway.cancel_page(order_id(key)):
            return acknowledged(Ack.PAGING_CANCELED, "Paging canceled.")
        return acknowledged(Ack.NOTHING_TO_CANCEL, "No paged tracker to cancel.")
