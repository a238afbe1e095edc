"""Section 4."""

from typing import Any

import pytest

from tests.api.client import House
from tests.protocol.common import NOON, ORDERS, UNKNOWN, V1, V2, exactly, house_at, posted
from tests.support import result_of
from ttgateway.orders.order import ClearedReason

HISTORY, HISTORY_V1 = f"{V2}/orders", f"{V1}/orders"
STATISTICS, STATISTICS_V1 = f"{V2}/statistics", f"{V1}/statistics"


@pytest.fixture
def house() -> House:
    return House()


def names(house: House, query: str = "", path: str = HISTORY) -> list[str]:
    """Return the names of the orders that a query finds, in its order."""
    answer = house.get(f"{path}?{query}")
    assert answer.status == 200
    return [item["name"] for item in answer.json["items"]]


def past(uuid: str, **changed: object) -> dict[str, object]:
    """Return the sample of the page as version 2 shows it: what happened on one evening in August."""
    return {
        "locationName": "10",
        "orderLocated": "2014-08-21T10:05:55",
        "uuid": uuid,
        "orderCleared": "2014-08-21T10:06:04",
        "orderType": "ON_PREMISE",
        "orderStarted": "2014-08-21T10:05:27",
        "type": "ORDER_SUMMARY",
        "name": "66",
        "orderPaged": None,
        "orderClearedReason": "MANAGER_OVERRIDE",
        **changed,
    }


@pytest.fixture
def evening() -> tuple[House, str]:
    """Return a house in which the sample of the page has happened, and its order's uuid."""
    house = house_at("2014-08-21T10:05:27")
    uuid = posted(house, "66")
    house.timers.advance(28)
    posted(house, "66", "10")
    house.timers.advance(9)
    house.delete(f"{ORDERS}/66")
    return house, uuid


def test_version_1_shows_the_sample_of_the_page(evening: tuple[House, str]) -> None:
    house, uuid = evening
    item = {
        "locationName": "10",
        "orderLocated": "2014-08-21T10:05:55+00:00",
        "uuid": uuid,
        "orderCleared": "2014-08-21T10:06:04+00:00",
        "orderType": "ON_PREMISE",
        "orderStarted": "2014-08-21T10:05:27+00:00",
        "type": "ORDER_SUMMARY",
        "name": "66",
    }
    exactly(house.get(HISTORY_V1), {"status": 200, "count": "1", "items": [item]})


def test_version_2_shows_the_same_in_its_own_times_and_who_cleared_it(evening: tuple[House, str]) -> None:
    house, uuid = evening
    exactly(house.get(HISTORY), {"status": 200, "returnCode": 8, "count": 1, "items": [past(uuid)]})
    exactly(house.get(f"{HISTORY}/{uuid}"), {"status": 200, "returnCode": 9, "order": past(uuid)})


def test_an_empty_history_counts_nothing(house: House) -> None:
    exactly(house.get(HISTORY), {"status": 200, "returnCode": 8, "count": 0, "items": []})
    exactly(house.get(HISTORY_V1), {"status": 200, "count": "0", "items": []})


def test_an_active_order_is_there_and_what_is_not_known_is_null(house: House) -> None:
    uuid = posted(house, "66")
    unknown = {"orderLocated": None, "orderCleared": None}
    item: dict[str, Any] = past(uuid, **unknown, locationName="", orderStarted=NOON, orderClearedReason=None)
    exactly(house.get(f"{HISTORY}/{uuid}"), {"status": 200, "returnCode": 9, "order": item})
    older = {"locationName", "orderLocated", "uuid", "orderCleared", "orderType", "orderStarted", "type", "name"}
    shown = {key: value for key, value in item.items() if key in older}
    exactly(
        house.get(HISTORY_V1),
        {"status": 200, "count": "1", "items": [{**shown, "orderStarted": f"{NOON}+00:00"}]},
    )


def test_when_a_guest_was_paged_is_shown_and_that_a_tracker_cleared_the_order(house: House) -> None:
    uuid = posted(house, "66")
    house.timers.advance(9)
    house.post(f"{ORDERS}/66/page")
    house.timers.advance(60)
    result_of(house.gateway.clear("66", ClearedReason.TRACKER))
    shown = house.get(f"{HISTORY}/{uuid}").json["order"]
    assert (shown["orderPaged"], shown["orderClearedReason"]) == ("2016-09-22T19:09:01", "TRACKER")


@pytest.fixture
def busy() -> House:
    """Return a house that took orders 1 to 30, one a second; the even ones to go, every third at table 3."""
    house = House()
    for number in range(1, 31):
        posted(house, str(number), "" if number % 3 else "3", "ON_PREMISE" if number % 2 else "TO_GO")
        house.timers.advance(1)
    return house


@pytest.mark.parametrize("path", [HISTORY, HISTORY_V1])
def test_the_newest_25_come_first_unless_asked_otherwise(busy: House, path: str) -> None:
    assert names(busy, path=path) == [str(number) for number in range(30, 5, -1)]
    assert names(busy, "limit=2", path) == ["30", "29"]
    assert names(busy, "limit=2&offset=3", path) == ["27", "26"]
    assert len(names(busy, "limit=100", path)) == 30
    assert names(busy, "offset=29", path) == ["1"]
    assert names(busy, "offset=30", path) == []


@pytest.mark.parametrize("path", [HISTORY, HISTORY_V1])
def test_orders_are_found_by_type_and_by_table(busy: House, path: str) -> None:
    assert names(busy, "order_type=TO_GO&limit=2", path) == ["30", "28"]
    assert names(busy, "order_type=ON_PREMISE&limit=2", path) == ["29", "27"]
    assert names(busy, "order_type=ON_PREMISES&limit=2", path) == ["29", "27"]
    assert names(busy, "location_name=3&order_type=TO_GO&limit=2", path) == ["30", "24"]
    assert names(busy, "location_name=4", path) == []


@pytest.mark.parametrize("path", [HISTORY, HISTORY_V1])
@pytest.mark.parametrize(
    "form",
    [
        "2016-09-22T19:08:{}",
        "2016-09-22%2019:08:{}",
        "2016-09-22+19:08:{}",
        "2016-09-22T19:08:{}%2B00:00",
        "2016-09-22T21:08:{}%2B02:00",
        "2016-09-22T15:08:{}-04:00",
    ],
)
def test_after_is_inclusive_and_before_is_not(busy: House, form: str, path: str) -> None:
    after, before = f"created_after={form.format(54)}", f"created_before={form.format(57)}"
    assert names(busy, f"{after}&{before}", path) == ["5", "4", "3"]
    assert names(busy, after, path)[-1] == "6"  # the oldest of the 25 newest
    assert names(busy, before, path) == ["5", "4", "3", "2", "1"]


def test_a_time_without_an_offset_is_in_the_zone_that_is_set(busy: House) -> None:
    busy.post(f"{V2}/gateway/settings", {"timezone": "America/New_York"})
    assert names(busy, "created_before=2016-09-22T15:08:54") == ["2", "1"]
    assert names(busy, "created_before=2016-09-22T19:08:54%2B00:00") == ["2", "1"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        *((f"offset={value}", -24) for value in ("-1", "x", "", "1.5")),
        *((f"limit={value}", -23) for value in ("0", "101", "-1", "x", "")),
        *((f"created_after={value}", -25) for value in ("x", "", "2016-09-22", "2016-02-30T00:00:00", "1474571332")),
        *((f"created_before={value}", -25) for value in ("x", "2016-09-22T19:08", "2016-09-22T25:00:00")),
        *((f"order_type={value}", -12) for value in ("DRIVE_IN", "", "to_go")),
        *((f"location_name={value}", -10) for value in ("bar", "", "-1")),
    ],
)
def test_a_bad_query_is_400_with_the_code_of_its_field(house: House, query: str, code: int) -> None:
    house.get(f"{HISTORY}?{query}").refuses(400, code)
    house.get(f"{HISTORY_V1}?{query}").refuses(400, None)


def test_an_order_is_found_by_its_uuid_alone(house: House) -> None:
    uuid = posted(house)
    house.get(f"{HISTORY}/{UNKNOWN}").refuses(404, -6)
    for key in ("102", "abc", uuid[:-1]):
        house.get(f"{HISTORY}/{key}").refuses(400, -27)


def served(house: House, name: str, seconds: float) -> None:
    """Start an order, and clear it so many seconds later."""
    posted(house, name)
    house.timers.advance(seconds)
    house.delete(f"{ORDERS}/{name}")


def test_the_check_of_the_page(house: House) -> None:
    served(house, "1", 3611)
    served(house, "2", 8)
    posted(house, "3")
    figures = {"averageSeconds": 1809.5, "ordersToday": 2.0, "targetTime": 109.0, "percentGoal": 50.0}
    expected = {"status": 200, "returnCode": 10, "statistics": figures}
    exactly(house.get(f"{STATISTICS}?target_time=109"), expected)
    exactly(house.get(f"{STATISTICS}/?target_time=109"), expected)
    exactly(house.get(f"{STATISTICS_V1}?target_time=109"), {"status": 200, **figures})


def test_the_target_is_300_seconds_unless_it_is_set_or_asked_for(house: House) -> None:
    served(house, "1", 300)
    served(house, "2", 301)
    assert house.get(STATISTICS).json["statistics"]["percentGoal"] == 50.0
    assert b'"targetTime":300.0' in house.get(STATISTICS).body
    house.post(f"{V2}/gateway/settings", {"targetTimeDefault": 301})
    assert b'"targetTime":301.0' in house.get(STATISTICS_V1).body
    assert house.get(STATISTICS).json["statistics"]["percentGoal"] == 100.0
    assert house.get(f"{STATISTICS}?target_time=299").json["statistics"]["percentGoal"] == 0.0


@pytest.mark.parametrize("path", [STATISTICS, STATISTICS_V1])
def test_an_empty_day_is_all_zeros_and_these_are_floats_in_the_text(house: House, path: str) -> None:
    body = house.get(path).body
    for figure in (b'"averageSeconds":0.0', b'"ordersToday":0.0', b'"percentGoal":0.0', b'"targetTime":300.0'):
        assert figure in body


def test_today_is_a_day_in_the_zone_that_is_set() -> None:
    house = house_at("2016-09-22T23:59:50")
    served(house, "1", 5)
    house.timers.advance(5)
    assert house.get(STATISTICS).json["statistics"]["ordersToday"] == 0.0
    house.post(f"{V2}/gateway/settings", {"timezone": "America/New_York"})
    assert house.get(STATISTICS).json["statistics"]["ordersToday"] == 1.0


@pytest.mark.parametrize("value", ["x", "", "-1", "nan", "inf", "1e2", "0x10"])
def test_a_bad_target_is_400(house: House, value: str) -> None:
    house.get(f"{STATISTICS}?target_time={value}").refuses(400, -22)
    house.get(f"{STATISTICS_V1}?target_time={value}").refuses(400, None)
