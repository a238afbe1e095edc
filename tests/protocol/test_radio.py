"""Sections 5 and 9: repeaters, trackers and pairing, with a radio bridge and without."""

from typing import Any

import msgspec
import pytest

from tests.api.client import House
from tests.protocol.common import NOON, ORDERS, V2, acknowledges, exactly, posted
from ttgateway.radio import RepeaterReport
from ttgateway.settings import Bridge, Settings

REPEATERS, TRACKERS = f"{V2}/repeaters", f"{V2}/trackers"
ON, OFF = "Gateway listening for repeaters.", "Gateway has stopped listening for repeaters."
BRIDGED = Settings(bridge=Bridge(at="/run/radio"))
FIELDS = {
    "extendedAddress": "0013A20040A1B2C3",
    "shortAddress": "8CA3",
    "label": "Bar",
    "manufacturerId": "101E",
    "profileId": "C105",
    "parentShortAddress": "0000",
    "firmwareVersion": "2.1",
    "hardwareVersion": "3",
    "remainingChildren": 4,
    "deviceType": "ROUTER",
    "deviceModel": "RPT-1",
}


class Air:
    """A bridge, and what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def page(self, name: str, tracking: bool) -> None:
        self.told.append({"page": name, "tracking": tracking})

    def unpage(self, name: str) -> None:
        self.told.append({"unpage": name})

    def pair(self, seconds: int) -> None:
        self.told.append({"pairing": seconds})

    def replaced(self) -> None:
        self.told.append("replaced")


@pytest.fixture
def house() -> House:
    return House()


def bridged() -> tuple[House, Air]:
    """Return a house with a bridge that has just connected."""
    house, air = House(settings=BRIDGED), Air()
    house.gateway.radio.attach(air)
    air.told.clear()
    return house, air


def test_without_a_bridge_the_lists_are_empty(house: House) -> None:
    exactly(house.get(REPEATERS), {"status": 200, "returnCode": 15, "count": 0, "repeaters": []})
    exactly(house.get(TRACKERS), {"status": 200, "returnCode": 18, "count": 0, "items": []})


@pytest.mark.parametrize("query", ["", "?refresh=true", "?refresh=false"])
def test_a_repeater_is_shown_with_every_field_of_the_page(query: str) -> None:
    house, _ = bridged()
    house.gateway.radio.reported(msgspec.convert(FIELDS, RepeaterReport))
    shown: dict[str, Any] = {**FIELDS, "status": "ACTIVE", "lastSeen": NOON}
    exactly(house.get(REPEATERS + query), {"status": 200, "returnCode": 15, "count": 1, "repeaters": [shown]})


def test_a_repeater_that_is_away_is_inactive() -> None:
    house, air = bridged()
    house.gateway.radio.reported(msgspec.convert(FIELDS, RepeaterReport))
    house.gateway.radio.detach(air)
    assert house.get(REPEATERS).json["repeaters"][0]["status"] == "INACTIVE"


def test_what_a_bridge_did_not_tell_of_a_repeater_is_missing() -> None:
    house, _ = bridged()
    house.gateway.radio.reported(msgspec.convert({"extendedAddress": "0013A200"}, RepeaterReport))
    shown = {"extendedAddress": "0013A200", "status": "ACTIVE", "lastSeen": NOON}
    exactly(house.get(REPEATERS), {"status": 200, "returnCode": 15, "count": 1, "repeaters": [shown]})


@pytest.mark.parametrize("value", ["yes", "", "1", "TRUE"])
def test_a_refresh_that_is_no_boolean_is_400(house: House, value: str) -> None:
    message = "Invalid boolean value for refresh parameter. Must be true or false."
    house.get(f"{REPEATERS}?refresh={value}").refuses(400, -15, message)


def test_repeaters_are_cleared() -> None:
    house, _ = bridged()
    house.gateway.radio.reported(msgspec.convert(FIELDS, RepeaterReport))
    acknowledges(house.delete(REPEATERS), 1006, "Repeater clearing successful.")
    assert house.get(REPEATERS).json["count"] == 0


def test_trackers_are_listed_and_cleared() -> None:
    house, _ = bridged()
    house.gateway.radio.seen("66")
    house.timers.advance(9)
    house.gateway.radio.seen("7", False)
    items = [
        {"name": "66", "lastSeen": NOON, "pageable": True},
        {"name": "7", "lastSeen": "2016-09-22T19:09:01", "pageable": False},
    ]
    exactly(house.get(TRACKERS), {"status": 200, "returnCode": 18, "count": 2, "items": items})
    acknowledges(house.delete(TRACKERS), 1007, "Tracker clearing successful.")
    assert house.get(TRACKERS).json["count"] == 0


@pytest.mark.parametrize(
    ("query", "body", "seconds"),
    [
        ("", None, 60),
        ("", {}, 60),
        ("?timeout=1", None, 1),
        ("?timeout=254", {}, 254),
        ("", {"timeout": 30}, 30),
        ("", {"timeout": "30"}, 30),
    ],
)
def test_pairing_begins(query: str, body: object, seconds: int) -> None:
    house, air = bridged()
    acknowledges(house.post(f"{REPEATERS}/beginPairing{query}", body), 1012, ON)
    assert air.told == [{"pairing": seconds}]


def test_pairing_ends_by_a_timeout_of_0_and_by_its_own_path() -> None:
    house, air = bridged()
    acknowledges(house.post(f"{REPEATERS}/beginPairing?timeout=0"), 1013, OFF)
    acknowledges(house.post(f"{REPEATERS}/endPairing"), 1013, OFF)
    assert air.told == [{"pairing": 0}] * 2


@pytest.mark.parametrize("value", ["255", "-1", "x", "", "1.5"])
def test_a_bad_timeout_is_400(house: House, value: str) -> None:
    message = "Invalid integer value for timeout query parameter. Must be a valid integer between 0-254"
    house.post(f"{REPEATERS}/beginPairing?timeout={value}").refuses(400, -16, message)


@pytest.mark.parametrize(
    ("body", "tracking"), [(None, True), ({"tracking": "true"}, True), ({"tracking": False}, False)]
)
def test_the_bridge_is_told_of_a_page_with_its_tracking_and_of_its_end(body: object, tracking: bool) -> None:
    house, air = bridged()
    posted(house, "66")
    house.post(f"{ORDERS}/66/page", body)
    house.delete(f"{ORDERS}/66/page")
    assert air.told == [{"page": "66", "tracking": tracking}, {"unpage": "66"}]


def test_nobody_is_paged_while_the_bridge_is_away() -> None:
    house = House(settings=BRIDGED)
    posted(house, "66")
    answer = house.post(f"{ORDERS}/66/page")
    answer.refuses(answer.status, -13)
    assert house.get(f"{ORDERS}/66").json["activeorder"]["paged"] is False


def test_a_tracker_that_cannot_be_paged_is_told_so() -> None:
    house, air = bridged()
    posted(house, "66")
    house.gateway.radio.seen("66", False)
    answer = house.post(f"{ORDERS}/66/page")
    answer.refuses(answer.status, -14)
    assert air.told == []
    assert house.get(f"{ORDERS}/66").json["activeorder"]["paged"] is False
