"""An order: what it is called, where it is, what state it is in."""

import re
from enum import StrEnum

import msgspec

from ttgateway.orders.errors import (
    LocationInvalid,
    NameInvalid,
    NameMissing,
    OrderIdInvalid,
    TypeInvalid,
    TypeMissing,
)

_DIGITS = re.compile(r"[0-9]{1,10}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class OrderType(StrEnum):
    """Where the guest eats."""

    ON_PREMISE = "ON_PREMISE"
    TO_GO = "TO_GO"


class OrderState(StrEnum):
    """How far an order has come (protocol section 3)."""

    STARTED = "started"
    LOCATED = "located"
    CLEARED = "cleared"


class ClearedReason(StrEnum):
    """Who ended an order (protocol section 4)."""

    TRACKER = "TRACKER"
    MANAGER_OVERRIDE = "MANAGER_OVERRIDE"
    AUTOMATIC = "AUTOMATIC"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it stands.

    ``started``, ``located``, ``cleared``, ``paged_at`` and ``changed`` (of the state) are Unix times in
    seconds, for showing. ``born`` is the uptime in seconds, on the scale of the present boot, at which the
    order was started: ages are counted from it alone. ``seq`` is that of the order's newest change. ``took`` is the
    age in seconds at which a cleared order ended; ``None`` where only the Unix times tell it.
    """

    uuid: str
    name: str
    type: OrderType
    location: str
    state: OrderState
    started: float
    changed: float
    born: float
    seq: int
    located: float | None = None
    cleared: float | None = None
    cleared_reason: ClearedReason | None = None
    paged: bool = False
    paged_at: float | None = None
    took: float | None = None

    def elapsed(self, uptime: float) -> int:
        """Return the order's age in whole seconds at ``uptime``; never negative."""
        return max(0, int(uptime - self.born))


def order_name(value: object) -> str:
    """Return ``value`` if it is an order's name; raise `NameMissing` or `NameInvalid`."""
    if value is None:
        raise NameMissing("Missing order name.")
    if not isinstance(value, str) or not _DIGITS.fullmatch(value):
        raise NameInvalid("Invalid order name. Must be a string of 1 to 10 digits.")
    return value


def order_type(value: object) -> OrderType:
    """Return the type that ``value`` spells; raise `TypeMissing` or `TypeInvalid`."""
    if value is None:
        raise TypeMissing("Missing order type.")
    if value == "ON_PREMISES":  # the older spelling, still sent by some devices
        return OrderType.ON_PREMISE
    try:
        return OrderType(value)  # type: ignore[arg-type]  # a value of another kind is just not found
    except ValueError:
        raise TypeInvalid("Invalid order type. Must be ON_PREMISE or TO_GO.") from None


def location_name(value: object) -> str:
    """Return ``value`` if it is a table (``""`` for none, also for ``None``); raise `LocationInvalid`."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not _DIGITS.fullmatch(value):
        raise LocationInvalid("Invalid location name. Must be a string of 1 to 10 digits.")
    return value


def order_id(value: str) -> str:
    """Return the name or the (lower-cased) uuid that ``value`` is; raise `OrderIdInvalid`."""
    if value.isascii() and value.isdigit():
        return value
    if _UUID.fullmatch(value.lower()):
        return value.lower()
    raise OrderIdInvalid("Invalid order id. Must be the order's name or its uuid.")
