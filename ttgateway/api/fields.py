"""The fields that requests may hold: their types, for the OpenAPI document, and who reads each (`reading`)."""

import re
from datetime import datetime, tzinfo
from typing import Annotated, Literal

from ttgateway.api import codes
from ttgateway.api.reading import Reader, reads
from ttgateway.orders.errors import OrderIdInvalid
from ttgateway.orders.moment import unix_time
from ttgateway.orders.order import OrderType, location_name, order_id, order_name, order_type
from ttgateway.whole import MOST_WHOLE

_DIGITS = "^[0-9]{1,10}$"
_UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_DAY = (
    r"([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    r"|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(Z|[+ -]\d\d:\d\d)?", re.ASCII)
_FIRST, _LAST = datetime(1000, 1, 1), datetime(2999, 12, 31, 23, 59, 59)  # noqa: DTZ001  # in the gateway's zone
_MOST_OFFSET = 2**63 - 1


def boolean(name: str) -> Reader:
    """Return a reader of the boolean ``name``, which may also be spelled, and may be missing."""

    def take(value: object) -> bool | None:
        if value is None or isinstance(value, bool):
            return value
        if value not in ("true", "false"):
            raise codes.BooleanInvalid(f"Invalid boolean value for {name}. Must be true or false.")
        return value == "true"

    return take


def whole(least: int, most: int, refusal: type[Exception], words: str, default: int | None = None) -> Reader:
    """Return a reader of a whole number, given as such or in digits; ``default`` where it is missing."""

    def take(value: object) -> int | None:
        if value is None:
            return default
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise refusal(words)
        return value

    return take


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        seconds = -1.0
    if isinstance(value, bool) or not 0 <= seconds <= 86_400 or (isinstance(value, str) and not _plain(value)):
        raise codes.TargetTimeInvalid("Invalid target_time. Must be seconds from 0 to 86400.")
    return seconds


def _plain(number: str) -> bool:
    return number.isascii() and number.replace(".", "", 1).isdigit()


def _date(name: str) -> Reader:
    """Return a reader of a time: naive ones are left so, and mean the gateway's own zone (`in_zone`)."""

    def take(value: object) -> datetime | None:
        if value is None:
            return None
        try:
            return instant(str(value))
        except ValueError:
            raise codes.DateInvalid(f"Invalid date for {name}. Must be YYYY-MM-DDTHH:MM:SS.") from None

    return take


def instant(text: str) -> datetime:
    """Return the time that ``text`` spells, naive where it names no offset; raise ``ValueError``."""
    parts = _TIME.fullmatch(text)
    if parts is None:
        raise ValueError(text)
    offset = (parts[2] or "").replace(" ", "+")  # a plus sign that was not escaped in the query
    spelt = datetime.fromisoformat(parts[1] + offset)
    if spelt.year < _FIRST.year:  # some software's "always" and "never": not every zone can tell what that is in UTC
        return _FIRST
    return _LAST if spelt.year > _LAST.year else spelt


def in_zone(instant: datetime | None, zone: tzinfo) -> float | None:
    """Return ``instant`` as Unix time in seconds; one without an offset is in ``zone`` (`unix_time`)."""
    if instant is None:
        return None
    return unix_time(instant, zone) if instant.tzinfo is None else instant.timestamp()


def past_order_id(value: str) -> str:
    """Return ``value`` as a uuid; raise `UuidInvalid`."""
    try:
        if "-" in value:
            return order_id(value)
    except OrderIdInvalid:
        pass
    raise codes.UuidInvalid("Invalid order uuid.")


_SEQ = whole(0, MOST_WHOLE, codes.BodyInvalid, "Invalid since. Must be the seq of a change, or 0.")


def _since(value: object) -> object:
    if value is None:
        raise codes.BodyInvalid("Missing since. Must be the seq of a change, or 0.")
    return _SEQ(value)


def _type_or_any(value: object) -> OrderType | None:
    return None if value is None else order_type(value)


def _location_or_any(value: object) -> str | None:
    return None if value is None else (location_name(value) or location_name(" "))


Name = Annotated[str, reads(order_name, pattern=_DIGITS, description="The order's number.", examples=["102"])]
Kind = Annotated[Literal["ON_PREMISE", "ON_PREMISES", "TO_GO"], reads(order_type)]
Location = (
    Annotated[str, reads(location_name, pattern=r"^[0-9]{0,10}$", description="The table.", examples=["22"])] | None
)
OrderKey = Annotated[
    str, reads(order_id, pattern=f"^([0-9]{{1,10}}|{_UUID})$", description="The order's name, or its uuid.")
]
OrderUuid = Annotated[str, reads(past_order_id, pattern=f"^{_UUID}$", description="The order's uuid.")]
Tracking = Annotated[bool | Literal["true", "false"], reads(boolean("tracking"))] | None
Refresh = Annotated[Literal["true", "false"], reads(boolean("refresh parameter"))] | None
AnyKind = Annotated[Literal["ON_PREMISE", "ON_PREMISES", "TO_GO"], reads(_type_or_any)] | None
AnyLocation = Annotated[str, reads(_location_or_any, pattern=_DIGITS)] | None
Since = Annotated[int, reads(_since, ge=0, le=MOST_WHOLE)]
Offset = (
    Annotated[
        int,
        reads(whole(0, _MOST_OFFSET, codes.OffsetInvalid, "Invalid offset. Must be 0 or more.", 0), ge=0),
    ]
    | None
)
Limit = (
    Annotated[
        int,
        reads(
            whole(1, 100, codes.LimitInvalid, "Invalid limit. Must be a whole number from 1 to 100.", 25), ge=1, le=100
        ),
    ]
    | None
)
After = (
    Annotated[str, reads(_date("created_after"), pattern=f"^{_DAY}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z?$")]
    | None
)
Before = (
    Annotated[str, reads(_date("created_before"), pattern=f"^{_DAY}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z?$")]
    | None
)
TargetTime = Annotated[float, reads(_seconds, ge=0, le=86_400, description="Seconds.")] | None
