"""Active orders, version 1 (protocol section 3)."""

from ttgateway.api.active_orders import check_boolean, post
from ttgateway.api.render import items_v1, listed_order_v1, order_v1
from ttgateway.api.routes import Access, Call, Reply, Routes
from ttgateway.gateway import Gateway
from ttgateway.orders.order import ClearedReason, Order, order_id


def add_v1(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v1/activeorders`` and what is below it."""

    def one(order: Order) -> Reply:
        return Reply({"activeorder": order_v1(order, gateway.zone)})

    @routes.v1("GET", "/activeorders", access=Access.OLD_DEVICES)
    async def list_orders(call: Call) -> Reply:
        orders = await gateway.active_orders()
        return Reply(items_v1([listed_order_v1(order, gateway.now(), gateway.zone) for order in orders]))

    @routes.v1("POST", "/activeorders", access=Access.OLD_DEVICES)
    async def post_order(call: Call) -> Reply:
        return one((await post(gateway, call.body())).order)

    @routes.v1("DELETE", "/activeorders/<key>", access=Access.OLD_DEVICES)
    async def clear_order(call: Call, key: str) -> Reply:
        return one(await gateway.clear(order_id(key), ClearedReason.MANAGER_OVERRIDE))

    @routes.v1("POST", "/activeorders/<key>/page", access=Access.OLD_DEVICES)
    async def page_order(call: Call, key: str) -> Reply:
        check_boolean("tracking", call.body().get("tracking"))
        return one(await gateway.page(order_id(key)))
