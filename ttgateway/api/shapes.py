"""What replies hold, as types: they render every reply, and the OpenAPI document is made from them.

The numbers ``status`` and ``returnCode`` are put in front of each (`ttgateway.api.call.Reply`).
"""

from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ttgateway.orders.order import ClearedReason, OrderState, OrderType

Item = TypeVar("Item")

Time = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$",
        description="In the gateway's time zone, without fraction and offset.",
        examples=["2016-09-22T19:08:52"],
    ),
]
UtcTime = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+00:00$",
        description="In UTC.",
        examples=["2014-08-21T10:05:27+00:00"],
    ),
]
Count = Annotated[int, Meta(ge=0)]
Uuid = Annotated[str, Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a reply, or a part of one, looks like."""


class Acknowledged(Shape, frozen=True):
    """Something was done, and there is nothing to show."""

    message: str


class Refused(Shape, frozen=True):
    """Why a request was not granted."""

    message: str
    cause: str | UnsetType = UNSET


class Items(Shape, Generic[Item], frozen=True):
    """A list; clients index by ``count``."""

    count: Count
    items: list[Item]


class ItemsV1(Shape, Generic[Item], frozen=True):
    """A list of version 1, where the count is a string."""

    count: Annotated[str, Meta(pattern="^[0-9]+$")]
    items: list[Item]


class ActiveOrder(Shape, frozen=True):
    """An active order (protocol section 3); ``elapsedTime`` in seconds."""

    name: str
    uuid: Uuid
    order_type: OrderType
    location_name: str
    state: OrderState
    created: Time
    state_changed: Time
    paged: bool
    elapsed_time: Count


class ActiveOrderList(Items[ActiveOrder], frozen=True):
    """The list with which a WebSocket begins (protocol section 8)."""

    type: Literal["ACTIVE_ORDERS"] = "ACTIVE_ORDERS"


class ActiveOrderV1(Shape, frozen=True):
    """An active order as version 1 shows it alone: without its age and its paging."""

    uuid: Uuid
    created: Time
    order_type: OrderType
    location_name: str
    state: OrderState
    state_started: Time
    name: str


class ListedOrderV1(ActiveOrderV1, frozen=True):
    """An active order as version 1 shows it in a list."""

    elapsed_time: Count
    paged: Literal["Yes", "No"]


class OneActiveOrder(Shape, frozen=True):
    """One active order."""

    activeorder: ActiveOrder


class PostedActiveOrder(OneActiveOrder, frozen=True):
    """One active order that was posted; ``message`` says where that changed nothing."""

    message: str | UnsetType = UNSET


class OneActiveOrderV1(Shape, frozen=True):
    """One active order, version 1."""

    activeorder: ActiveOrderV1


class AccessToken(Shape, frozen=True, rename=None):
    """What is told of a token; never its secret."""

    name: str
    creation_date: Time
    last_used: Time | None
    ip_address: str | None


class NewAccessToken(AccessToken, frozen=True, rename=None):
    """A token that was just made, with its secret: shown this once."""

    token: str


class OneAccessToken(Shape, frozen=True):
    """One token."""

    token: AccessToken


class MadeAccessToken(Shape, frozen=True):
    """A token that was just made."""

    token: NewAccessToken


class Registered(Acknowledged, frozen=True):
    """A listener was registered or removed; ``listener`` is its id."""

    listener: str


class PastOrder(Shape, frozen=True):
    """An order of the history; what is not known, or has not happened, is null (protocol section 4)."""

    location_name: str
    order_located: Time | None
    uuid: Uuid
    order_cleared: Time | None
    order_type: OrderType
    order_started: Time
    name: str
    order_paged: Time | None
    order_cleared_reason: ClearedReason | None
    type: Literal["ORDER_SUMMARY"] = "ORDER_SUMMARY"


class PastOrderV1(Shape, frozen=True):
    """An order of the history as version 1 shows it: times are UTC."""

    location_name: str
    order_located: UtcTime | None
    uuid: Uuid
    order_cleared: UtcTime | None
    order_type: OrderType
    order_started: UtcTime
    name: str
    type: Literal["ORDER_SUMMARY"] = "ORDER_SUMMARY"


class OnePastOrder(Shape, frozen=True):
    """One order of the history."""

    order: PastOrder


class Statistics(Shape, frozen=True):
    """The orders cleared today; seconds, and percent of the orders at or below the target."""

    average_seconds: float
    orders_today: float
    target_time: float
    percent_goal: float


class TodaysStatistics(Shape, frozen=True):
    """The orders cleared today."""

    statistics: Statistics
