import json
from pathlib import Path

import pytest

from tests.commands.stand_ins import House
from tests.support import result_of
from ttgateway.commands.history import history, history_table
from ttgateway.orders.order import ClearedReason, OrderType

ONE = {
    "locationName": "22",
    "orderLocated": "2016-09-22T19:09:10",
    "uuid": "0f3e9d3a-0000-0000-0000-000000000000",
    "orderCleared": "2016-09-22T19:21:07",
    "orderType": "ON_PREMISE",
    "orderStarted": "2016-09-22T19:08:52",
    "name": "66",
    "orderPaged": None,
    "orderClearedReason": "TRACKER",
    "type": "ORDER_SUMMARY",
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A gateway with three orders, of which the first is cleared."""
    house = House(tmp_path)
    for name, kind, table in (
        ("66", OrderType.ON_PREMISE, "22"),
        ("7", OrderType.TO_GO, ""),
        ("8", OrderType.TO_GO, ""),
    ):
        result_of(house.gateway.post(name, kind, table))
        house.reactor.advance(60)
    result_of(house.gateway.clear("66", ClearedReason.MANAGER_OVERRIDE))
    return house


def names(house: House, *words: str) -> list[str]:
    return [one["name"] for one in json.loads(house.invoke(history, *words, "--json").stdout)]


def test_the_newest_come_first_and_active_ones_are_among_them(house: House) -> None:
    assert names(house) == ["8", "7", "66"]
    assert "No order" not in house.invoke(history).stdout
    assert house.names() == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--limit", "1"), ["8"]),
        (("--limit", "1", "--offset", "1"), ["7"]),
        (("--type", "ON_PREMISE"), ["66"]),
        (("--table", "22"), ["66"]),
        (("--after", "2016-09-22T19:09:00"), ["8", "7"]),
        (("--before", "2016-09-22T19:09:00"), ["66"]),
        (("--before", "2015-01-01T00:00:00"), []),
    ],
)
def test_what_is_asked_for_is_shown_and_nothing_else(house: House, words: tuple[str, ...], expected: list[str]) -> None:
    assert names(house, *words) == expected


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--after", "yesterday", "must be a time, as 2026-11-26T18:00:00"),
        ("--before", "2026-13-45T00:00:00", "must be a time, as 2026-11-26T18:00:00"),
        ("--table", "x", "Must be a string of 1 to 10 digits"),
        ("--table", "", "Must be a string of 1 to 10 digits"),
    ],
)
def test_a_time_or_a_table_that_is_none_is_told_in_one_line(house: House, option: str, value: str, why: str) -> None:
    result = house.invoke(history, option, value)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith(f"ttgateway: {option}: ")
    assert why in result.stderr
    assert house.names() == []


def test_a_gateway_that_is_not_there_is_told_in_one_line(house: House) -> None:
    house.stop_daemon()
    for words in ((), ("--token", "some")):
        result = house.invoke(history, *words)
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)


def test_an_order_is_one_line() -> None:
    active = {**ONE, "name": "7", "locationName": "", "orderType": "TO_GO", "orderLocated": None, "orderCleared": None}
    assert history_table([ONE, {**active, "orderClearedReason": None}]).splitlines() == [
        "STARTED              ORDER  TYPE        TABLE  LOCATED   PAGED  CLEARED   WHY",
        "2016-09-22 19:08:52     66  ON_PREMISE     22  19:09:10         19:21:07  TRACKER",
        "2016-09-22 19:08:52      7  TO_GO",
    ]


def test_nothing_found_is_said() -> None:
    assert history_table([]) == "No order was found."
