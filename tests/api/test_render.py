from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from ttgateway.api import render
from ttgateway.orders.moment import Moment
from ttgateway.orders.order import Order, OrderState, OrderType
from ttgateway.store.tables.tokens import Token, digest

ORDER = Order(
    uuid="f8853c42-3c10-4636-81e3-a3aeb65d9219",
    name="102",
    type=OrderType.TO_GO,
    location="22",
    state=OrderState.LOCATED,
    started=1_474_571_332.0,
    changed=1_474_571_341.9,
    born=100.0,
    seq=2,
    paged=True,
)
AT = Moment(wall=0.0, uptime=135.9)
NEW_YORK = ZoneInfo("America/New_York")


def told(shape: msgspec.Struct) -> Any:
    """Return what the JSON of a shape holds."""
    return msgspec.json.decode(msgspec.json.encode(shape))


def test_version_2_shows_nine_fields_with_their_kinds() -> None:
    assert told(render.order_v2(ORDER, AT, UTC)) == {
        "name": "102",
        "uuid": "f8853c42-3c10-4636-81e3-a3aeb65d9219",
        "orderType": "TO_GO",
        "locationName": "22",
        "state": "located",
        "created": "2016-09-22T19:08:52",
        "stateChanged": "2016-09-22T19:09:01",
        "paged": True,
        "elapsedTime": 35,
    }


def test_version_1_shows_seven_fields_alone_and_nine_in_a_list() -> None:
    alone = told(render.order_v1(ORDER, UTC))
    assert alone == {
        "uuid": "f8853c42-3c10-4636-81e3-a3aeb65d9219",
        "created": "2016-09-22T19:08:52",
        "orderType": "TO_GO",
        "locationName": "22",
        "state": "located",
        "stateStarted": "2016-09-22T19:09:01",
        "name": "102",
    }
    assert told(render.listed_order_v1(ORDER, AT, UTC)) == {**alone, "elapsedTime": 35, "paged": "Yes"}


def test_times_are_shown_in_the_zone() -> None:
    assert render.order_v2(ORDER, AT, NEW_YORK).created == "2016-09-22T15:08:52"
    assert render.order_v1(ORDER, NEW_YORK).state_started == "2016-09-22T15:09:01"


def test_counts_are_numbers_in_version_2_and_strings_in_version_1() -> None:
    assert told(render.items_v2([{}, {}])) == {"count": 2, "items": [{}, {}]}
    assert told(render.items_v1([{}, {}])) == {"count": "2", "items": [{}, {}]}


def test_a_token_is_shown_without_its_hash() -> None:
    token = Token(hash=digest("s"), name="till", kind="key", created=1_474_571_332.0)
    shown = {"name": "till", "creation_date": "2016-09-22T19:08:52", "last_used": None, "ip_address": None}
    assert told(render.token(token, UTC)) == shown
    token.last_used, token.ip_address = 1_474_571_341.0, "10.0.0.7"
    used = {**shown, "last_used": "2016-09-22T19:09:01", "ip_address": "10.0.0.7"}
    assert told(render.token(token, UTC)) == used
