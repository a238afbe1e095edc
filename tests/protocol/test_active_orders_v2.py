"""Section 3, version 2."""

import re

import pytest

from tests.api.client import House
from tests.protocol.common import NOON, ORDERS, UNKNOWN, UUID, acknowledges, exactly, order, posted

SAMPLE = {"name": "102", "orderType": "ON_PREMISE"}
LATER = "2016-09-22T19:09:01"


@pytest.fixture
def house() -> House:
    return House()


def test_the_list_shows_the_sample_of_the_page(house: House) -> None:
    exactly(house.get(ORDERS), {"status": 200, "returnCode": 5, "count": 0, "items": []})
    uuid = posted(house)
    assert re.fullmatch(UUID, uuid)
    exactly(house.get(ORDERS), {"status": 200, "returnCode": 5, "count": 1, "items": [order(uuid)]})


def test_the_list_is_by_time_of_creation_and_tells_ages(house: House) -> None:
    first = posted(house, "9")
    house.timers.advance(9.9)
    second = posted(house, "10", "4", "TO_GO")
    items = [
        order(first, name="9", elapsedTime=9),
        order(
            second,
            name="10",
            orderType="TO_GO",
            locationName="4",
            state="located",
            created=LATER,
            stateChanged=LATER,
        ),
    ]
    exactly(house.get(ORDERS), {"status": 200, "returnCode": 5, "count": 2, "items": items})


@pytest.mark.parametrize("sent", ["ON_PREMISE", "ON_PREMISES", "TO_GO"])
@pytest.mark.parametrize("location", [None, "", "22"])
def test_a_posted_order_is_started_or_born_located(house: House, sent: str, location: str | None) -> None:
    body = {"name": "102", "orderType": sent}
    answer = house.post(ORDERS, body if location is None else {**body, "locationName": location})
    uuid = answer.json["activeorder"]["uuid"]
    shown = order(
        uuid,
        orderType=sent.replace("ISES", "ISE"),
        locationName=location or "",
        state="located" if location else "started",
    )
    exactly(answer, {"status": 200, "returnCode": 5, "activeorder": shown})


@pytest.mark.parametrize("name", ["1", "0", "007", "1234567890"])
def test_a_name_is_one_to_ten_digits_and_kept_as_it_is(house: House, name: str) -> None:
    assert house.post(ORDERS, {**SAMPLE, "name": name}).json["activeorder"]["name"] == name


@pytest.mark.parametrize("by_uuid", [False, True])
def test_one_order_is_shown_by_name_and_by_uuid(house: House, by_uuid: bool) -> None:
    uuid = posted(house)
    house.timers.advance(61)
    answer = house.get(f"{ORDERS}/{uuid if by_uuid else '102'}")
    exactly(answer, {"status": 200, "returnCode": 6, "activeorder": order(uuid, elapsedTime=61)})


def test_posting_a_new_location_locates_and_another_type_changes_it(house: House) -> None:
    uuid = posted(house)
    house.timers.advance(9)
    located = order(uuid, locationName="22", state="located", stateChanged=LATER, elapsedTime=9)
    answer = house.post(ORDERS, {**SAMPLE, "locationName": "22"})
    exactly(answer, {"status": 200, "returnCode": 5, "activeorder": located})
    answer = house.post(ORDERS, {"name": "102", "orderType": "TO_GO", "locationName": "22"})
    exactly(answer, {"status": 200, "returnCode": 5, "activeorder": {**located, "orderType": "TO_GO"}})


@pytest.mark.parametrize(
    ("location", "state", "code", "message"),
    [("", "started", 1009, "Order already started."), ("22", "located", 1010, "Order already located.")],
)
def test_posting_what_stands_is_told_and_notified_to_nobody(
    house: House, location: str, state: str, code: int, message: str
) -> None:
    uuid = posted(house, location=location)
    answer = house.post(ORDERS, {**SAMPLE, "locationName": location})
    shown = order(uuid, locationName=location, state=state)
    exactly(answer, {"status": 200, "returnCode": code, "message": message, "activeorder": shown})
    assert house.store.journal.last == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"orderType": "TO_GO"}, -8),
        ({}, -8),
        ({"name": "", "orderType": "TO_GO"}, -9),
        ({"name": "12345678901", "orderType": "TO_GO"}, -9),
        ({"name": "12a", "orderType": "TO_GO"}, -9),
        ({"name": "١٢", "orderType": "TO_GO"}, -9),
        ({**SAMPLE, "locationName": "bar"}, -10),
        ({**SAMPLE, "locationName": " "}, -10),
        ({"name": "102"}, -11),
        ({"name": "102", "orderType": "on_premise"}, -12),
        ({"name": "102", "orderType": ""}, -12),
    ],
)
def test_a_bad_order_is_400_with_the_code_of_its_field(house: House, body: dict[str, str], code: int) -> None:
    house.post(ORDERS, body).refuses(400, code)
    assert house.get(ORDERS).json["count"] == 0


@pytest.mark.parametrize("by_uuid", [False, True])
def test_deleting_clears_one_order_for_good(house: House, by_uuid: bool) -> None:
    uuid = posted(house)
    house.timers.advance(9)
    answer = house.delete(f"{ORDERS}/{uuid if by_uuid else '102'}")
    cleared = order(uuid, state="cleared", stateChanged=LATER, elapsedTime=9)
    exactly(answer, {"status": 200, "returnCode": 6, "activeorder": cleared})
    house.get(f"{ORDERS}/102").refuses(404, -6)
    again = posted(house)
    assert again != uuid
    house.get(f"{ORDERS}/{uuid}").refuses(404, -6)


def test_deleting_all_shows_what_it_cleared(house: House) -> None:
    first = posted(house)
    house.timers.advance(9)
    second = posted(house, "7", "3")
    items = [
        order(first, state="cleared", stateChanged=LATER, elapsedTime=9),
        order(second, name="7", locationName="3", state="cleared", created=LATER, stateChanged=LATER),
    ]
    exactly(house.delete(ORDERS), {"status": 200, "returnCode": 5, "count": 2, "items": items})
    exactly(house.delete(ORDERS), {"status": 200, "returnCode": 5, "count": 0, "items": []})


@pytest.mark.parametrize("page", ["page", "guest_paging"])
@pytest.mark.parametrize("by_uuid", [False, True])
@pytest.mark.parametrize("body", [None, {}, *({"tracking": value} for value in (True, False, "true", "false"))])
def test_paging_sets_the_flag_whatever_tracking_says(house: House, page: str, by_uuid: bool, body: object) -> None:
    uuid = posted(house)
    house.timers.advance(9)
    answer = house.post(f"{ORDERS}/{uuid if by_uuid else '102'}/{page}", body)
    exactly(answer, {"status": 200, "returnCode": 7, "activeorder": order(uuid, paged=True, elapsedTime=9)})


@pytest.mark.parametrize("value", ["yes", "TRUE", 1, ""])
def test_a_bad_tracking_is_400_and_pages_nobody(house: House, value: object) -> None:
    uuid = posted(house)
    house.post(f"{ORDERS}/102/page", {"tracking": value}).refuses(400, -15)
    exactly(house.get(f"{ORDERS}/102"), {"status": 200, "returnCode": 6, "activeorder": order(uuid)})


@pytest.mark.parametrize("page", ["page", "guest_paging"])
@pytest.mark.parametrize("by_uuid", [False, True])
def test_paging_is_canceled_once(house: House, page: str, by_uuid: bool) -> None:
    uuid = posted(house)
    path = f"{ORDERS}/{uuid if by_uuid else '102'}/{page}"
    house.post(path)
    acknowledges(house.delete(path), 1002, "Paging canceled.")
    acknowledges(house.delete(path), 1003, "No paged tracker to cancel.")
    assert house.get(f"{ORDERS}/102").json["activeorder"]["paged"] is False


@pytest.mark.parametrize(("method", "below"), [("GET", ""), ("DELETE", ""), ("POST", "/page"), ("DELETE", "/page")])
def test_what_is_not_active_is_404_and_what_names_no_order_is_400(house: House, method: str, below: str) -> None:
    for key in ("103", UNKNOWN):
        house.ask(method, f"{ORDERS}/{key}{below}").refuses(404, -6)
    for key in ("abc", "10-2", UNKNOWN[:-1], f"{UNKNOWN}0", "f73e89fec32c45959b8aad8dcf9791c6"):
        house.ask(method, f"{ORDERS}/{key}{below}").refuses(400, -7)


def test_an_order_of_either_type_may_have_a_table_and_move_to_another(house: House) -> None:
    uuid = posted(house, location="4", kind="TO_GO")
    house.timers.advance(9)
    answer = house.post(ORDERS, {"name": "102", "orderType": "TO_GO", "locationName": "5"})
    moved = answer.json["activeorder"]
    assert (moved["uuid"], moved["locationName"], moved["state"], moved["created"]) == (uuid, "5", "located", NOON)
    assert answer.json["returnCode"] == 5
