"""Section 3, version 1; its samples to the letter."""

import pytest

from tests.api.client import House
from tests.protocol.common import NOON, ORDERS, UNKNOWN, V1, exactly, house_at

ACTIVE = f"{V1}/activeorders"
SAMPLE = {"name": "66", "orderType": "ON_PREMISE"}


@pytest.fixture
def house() -> House:
    return House()


def started(house: House) -> str:
    uuid: str = house.post(ACTIVE, SAMPLE).json["activeorder"]["uuid"]
    return uuid


def alone(uuid: str, **changed: object) -> dict[str, object]:
    """Return the order as a single reply shows it."""
    return {
        "uuid": uuid,
        "created": NOON,
        "orderType": "ON_PREMISE",
        "locationName": "",
        "state": "started",
        "stateStarted": NOON,
        "name": "66",
        **changed,
    }


def test_the_list_of_the_page() -> None:
    house = house_at("2014-08-25T06:57:45")
    uuid = started(house)
    house.timers.advance(2124)
    listed = {
        "elapsedTime": 2124,
        "uuid": uuid,
        "created": "2014-08-25T06:57:45",
        "orderType": "ON_PREMISE",
        "paged": "No",
        "locationName": "",
        "state": "started",
        "stateStarted": "2014-08-25T06:57:45",
        "name": "66",
    }
    exactly(house.get(ACTIVE), {"status": 200, "count": "1", "items": [listed]})


def test_the_cleared_order_of_the_page() -> None:
    house = house_at("2014-08-25T08:09:42")
    uuid = started(house)
    house.timers.advance(8)
    cleared = {
        "uuid": uuid,
        "created": "2014-08-25T08:09:42",
        "orderType": "ON_PREMISE",
        "locationName": "",
        "state": "cleared",
        "stateStarted": "2014-08-25T08:09:50",
        "name": "66",
    }
    exactly(house.delete(f"{ACTIVE}/66"), {"status": 200, "activeorder": cleared})
    exactly(house.get(ACTIVE), {"status": 200, "count": "0", "items": []})


def test_posting_shows_the_order_without_its_age_and_paging(house: House) -> None:
    answer = house.post(ACTIVE, {"name": "66", "orderType": "ON_PREMISES", "locationName": "22"})
    shown = alone(answer.json["activeorder"]["uuid"], locationName="22", state="located")
    exactly(answer, {"status": 200, "activeorder": shown})


def test_posting_what_stands_shows_it_and_is_notified_to_nobody(house: House) -> None:
    uuid = started(house)
    exactly(house.post(ACTIVE, SAMPLE), {"status": 200, "activeorder": alone(uuid)})
    assert house.store.journal.last == 1


@pytest.mark.parametrize("by_uuid", [False, True])
def test_paging_by_name_and_by_uuid_shows_in_the_list_as_a_word(house: House, by_uuid: bool) -> None:
    uuid = started(house)
    answer = house.post(f"{ACTIVE}/{uuid if by_uuid else '66'}/page", {"tracking": "true"})
    exactly(answer, {"status": 200, "activeorder": alone(uuid)})
    listed = alone(uuid, paged="Yes", elapsedTime=0)
    exactly(house.get(ACTIVE), {"status": 200, "count": "1", "items": [listed]})


def test_deleting_by_uuid_clears_too(house: House) -> None:
    uuid = started(house)
    exactly(house.delete(f"{ACTIVE}/{uuid}"), {"status": 200, "activeorder": alone(uuid, state="cleared")})


def test_errors_have_the_status_of_version_2_and_no_code(house: House) -> None:
    for body in ({}, {"name": "x", "orderType": "TO_GO"}, {"name": "66"}, {**SAMPLE, "locationName": "bar"}):
        house.post(ACTIVE, body).refuses(400, None)
    for key, status in (("66", 404), (UNKNOWN, 404), ("abc", 400)):
        house.delete(f"{ACTIVE}/{key}").refuses(status, None)
        house.post(f"{ACTIVE}/{key}/page").refuses(status, None)
    started(house)
    house.post(f"{ACTIVE}/66/page", {"tracking": "yes"}).refuses(400, None)


def test_both_versions_tell_of_the_same_orders(house: House) -> None:
    uuid = started(house)
    [newer] = house.get(ORDERS).json["items"]
    assert (newer["uuid"], newer["name"], newer["stateChanged"]) == (uuid, "66", NOON)
