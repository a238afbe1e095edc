import json
from datetime import UTC
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttgateway.orders.change import ChangeType, OrderChangeV1, change_of
from ttgateway.orders.moment import Moment, shown
from ttgateway.orders.order import Order, OrderState, OrderType

SAMPLE = 1_474_571_332.0  # 2016-09-22T19:08:52 UTC
ORDER = Order(
    uuid="147e7ccd-c17f-45b4-b5d4-bf14e9c0e244",
    name="66",
    type=OrderType.ON_PREMISE,
    location="22",
    state=OrderState.LOCATED,
    started=SAMPLE,
    changed=SAMPLE + 9,
    located=SAMPLE + 9,
    born=50.0,
    seq=196,
)
AT = Moment(wall=SAMPLE + 9, uptime=59.7)


def test_a_change_is_told_in_exactly_twelve_fields() -> None:
    change = change_of(ORDER, ChangeType.MODIFIED, AT, UTC)
    assert json.loads(msgspec.json.encode(change)) == {
        "elapsedTime": 9,
        "uuid": "147e7ccd-c17f-45b4-b5d4-bf14e9c0e244",
        "seq": 196,
        "created": "2016-09-22T19:08:52",
        "orderType": "ON_PREMISE",
        "locationName": "22",
        "state": "located",
        "stateStarted": "2016-09-22T19:09:01",
        "type": "ORDER_MODIFIED",
        "name": "66",
        "stateChanged": "2016-09-22T19:09:01",
        "paged": False,
    }


def test_version_1_is_told_exactly_ten_of_them() -> None:
    told = msgspec.json.encode(change_of(ORDER, ChangeType.MODIFIED, AT, UTC))
    version_1 = msgspec.json.encode(msgspec.json.decode(told, type=OrderChangeV1))
    expected = json.loads(told)
    del expected["stateChanged"], expected["paged"]
    assert json.loads(version_1) == expected
    assert len(expected) == 10


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (ChangeType.CREATED, "ORDER_CREATED"),
        (ChangeType.MODIFIED, "ORDER_MODIFIED"),
        (ChangeType.PAGED, "ORDER_PAGED"),
    ],
)
def test_the_types_are_called_as_the_protocol_calls_them(kind: ChangeType, name: str) -> None:
    assert change_of(ORDER, kind, AT, UTC).type == name


def test_an_order_without_a_table_has_an_empty_location_and_paging_is_a_boolean() -> None:
    order = msgspec.structs.replace(ORDER, location="", state=OrderState.STARTED, paged=True)
    told = json.loads(msgspec.json.encode(change_of(order, ChangeType.PAGED, AT, UTC)))
    assert (told["locationName"], told["state"], told["paged"]) == ("", "started", True)


def test_times_are_shown_in_the_gateways_zone() -> None:
    assert shown(SAMPLE, UTC) == "2016-09-22T19:08:52"
    assert shown(SAMPLE, ZoneInfo("America/New_York")) == "2016-09-22T15:08:52"
    assert change_of(ORDER, ChangeType.MODIFIED, AT, ZoneInfo("America/New_York")).created == "2016-09-22T15:08:52"


@given(st.floats(0, 4e9))
def test_a_time_has_no_fraction_and_no_zone(wall: float) -> None:
    text = shown(wall, UTC)
    assert len(text) == len("2016-09-22T19:08:52")
    assert text[10] == "T"


@given(st.floats(-1e9, 1e9))
def test_the_age_told_is_never_negative(uptime: float) -> None:
    assert change_of(ORDER, ChangeType.MODIFIED, Moment(wall=0.0, uptime=uptime), UTC).elapsed_time >= 0
