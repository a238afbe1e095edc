"""History and statistics, versions 1 and 2 (protocol section 4)."""

from typing import Any

from ttgateway.api.call import Access, Call, Reply
from ttgateway.api.codes import Endpoint
from ttgateway.api.fields import (
    After,
    AnyKind,
    AnyLocation,
    Before,
    Limit,
    Offset,
    OrderUuid,
    TargetTime,
    in_zone,
    past_order_id,
)
from ttgateway.api.reading import Asked
from ttgateway.api.render import items_v1, items_v2, past_order, past_order_v1
from ttgateway.api.routes import Routes
from ttgateway.api.shapes import Items, ItemsV1, OnePastOrder, PastOrder, PastOrderV1, Statistics, TodaysStatistics
from ttgateway.gateway import Gateway
from ttgateway.history import HistoryQuery
from ttgateway.orders.order import Order, OrderType

_PART = {"key": OrderUuid}
_LEADS = {"key": "/items/0/uuid"}


class Search(Asked, frozen=True):
    """Which orders of the history to show."""

    offset: Offset = None
    limit: Limit = None
    created_after: After = None
    created_before: Before = None
    order_type: AnyKind = None
    location_name: AnyLocation = None


class Target(Asked, frozen=True):
    """The target of the statistics."""

    target_time: TargetTime = None


def add_past_orders(routes: Routes, gateway: Gateway) -> None:
    """Serve ``orders`` and ``statistics``."""
    _add_orders(routes, gateway)
    _add_statistics(routes, gateway)


def _add_orders(routes: Routes, gateway: Gateway) -> None:
    opened = {"access": Access.OLD_DEVICES}

    async def found(query: Any) -> list[Order]:
        """Return the orders that a `Search` finds; its fields are what the readers made of them."""
        return await gateway.history.page(
            HistoryQuery(
                offset=query.offset,
                limit=query.limit,
                created_after=in_zone(query.created_after, gateway.zone),
                created_before=in_zone(query.created_before, gateway.zone),
                order_type=None if query.order_type is None else OrderType(query.order_type),
                location_name=query.location_name or "",
            )
        )

    @routes.v1("GET", "/orders", ItemsV1[PastOrderV1], query=Search, **opened)
    async def list_v1(call: Call, query: Search) -> Reply:
        """Orders, active ones and past ones, newest first."""
        return Reply(items_v1(past_order_v1(order) for order in await found(query)))

    @routes.v2("GET", "/orders", Endpoint.ORDERS, Items[PastOrder], query=Search, leads=_LEADS, **opened)
    async def list_v2(call: Call, query: Search) -> Reply:
        """Orders, active ones and past ones, newest first."""
        return Reply(items_v2(past_order(order, gateway.zone) for order in await found(query)))

    @routes.v2("GET", "/orders/<key>", Endpoint.ORDER, OnePastOrder, parts=_PART, **opened)
    async def show(call: Call, key: str) -> Reply:
        """One order, active or past."""
        return Reply(OnePastOrder(order=past_order(await gateway.history.order(past_order_id(key)), gateway.zone)))


def _add_statistics(routes: Routes, gateway: Gateway) -> None:
    async def statistics(query: Target) -> Statistics:
        seconds = query.target_time
        if seconds is None:
            seconds = float(gateway.preferences.values.target_time_default)
        today = await gateway.history.statistics(seconds)
        return Statistics(
            average_seconds=today.average_seconds,
            orders_today=today.orders_today,
            target_time=today.target_time,
            percent_goal=today.percent_goal,
        )

    @routes.v1("GET", "/statistics", Statistics, query=Target)
    async def statistics_v1(call: Call, query: Target) -> Reply:
        """The orders cleared today."""
        return Reply(await statistics(query))

    @routes.v2("GET", "/statistics", Endpoint.STATISTICS, TodaysStatistics, query=Target)
    async def statistics_v2(call: Call, query: Target) -> Reply:
        """The orders cleared today."""
        return Reply(TodaysStatistics(statistics=await statistics(query)))
