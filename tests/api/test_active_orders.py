import pytest

from tests.api.client import Answer, House

ORDERS = "/api/v2/activeorders"
SAMPLE = {"name": "102", "orderType": "ON_PREMISE"}
UNKNOWN = "147e7ccd-c17f-45b4-b5d4-bf14e9c0e244"


@pytest.fixture
def house() -> House:
    return House()


def started(house: House, location: str = "") -> str:
    """Post the protocol's sample order, and return its uuid."""
    uuid = house.post(ORDERS, {**SAMPLE, "locationName": location}).json["activeorder"]["uuid"]
    assert isinstance(uuid, str)
    assert len(uuid) == 36
    return uuid


def order(uuid: str, **changed: object) -> dict[str, object]:
    """Return the protocol's sample order as version 2 shows it."""
    return {
        "name": "102",
        "uuid": uuid,
        "orderType": "ON_PREMISE",
        "locationName": "",
        "state": "started",
        "created": "2016-09-22T19:08:52",
        "stateChanged": "2016-09-22T19:08:52",
        "paged": False,
        "elapsedTime": 0,
        **changed,
    }


def shows(answer: Answer, code: int, uuid: str, **changed: object) -> None:
    assert answer.json == {"status": 200, "returnCode": code, "activeorder": order(uuid, **changed)}


def test_a_list_counts_what_it_holds_oldest_first(house: House) -> None:
    assert house.get(ORDERS).json == {"status": 200, "returnCode": 5, "count": 0, "items": []}
    uuid = started(house)
    house.timers.advance(9.9)
    house.post(ORDERS, {"name": "7", "orderType": "TO_GO", "locationName": "3"})
    listed = house.get(ORDERS).json
    assert (listed["returnCode"], listed["count"]) == (5, 2)
    assert listed["items"][0] == order(uuid, elapsedTime=9)
    assert listed["items"][1]["created"] == "2016-09-22T19:09:01"


def test_an_order_is_started(house: House) -> None:
    answer = house.post(ORDERS, SAMPLE)
    shows(answer, 5, answer.json["activeorder"]["uuid"])


def test_an_order_may_be_born_located(house: House) -> None:
    answer = house.post(ORDERS, {**SAMPLE, "locationName": "22"})
    shows(answer, 5, answer.json["activeorder"]["uuid"], state="located", locationName="22")


def test_the_older_spelling_is_taken_and_the_newer_printed(house: House) -> None:
    answer = house.post(ORDERS, {"name": "102", "orderType": "ON_PREMISES"})
    assert answer.json["activeorder"]["orderType"] == "ON_PREMISE"


def test_a_location_that_is_null_is_none(house: House) -> None:
    assert house.post(ORDERS, {**SAMPLE, "locationName": None}).json["activeorder"]["state"] == "started"


def test_posting_again_modifies(house: House) -> None:
    uuid = started(house)
    house.timers.advance(9)
    changed = {"locationName": "22", "state": "located", "stateChanged": "2016-09-22T19:09:01", "elapsedTime": 9}
    shows(house.post(ORDERS, {**SAMPLE, "locationName": "22"}), 5, uuid, **changed)
    shows(house.post(ORDERS, {"name": "102", "orderType": "TO_GO"}), 5, uuid, **changed, orderType="TO_GO")
    assert house.store.journal.last == 3


@pytest.mark.parametrize(
    ("location", "code", "message"),
    [("", 1009, "Order already started."), ("22", 1010, "Order already located.")],
)
def test_posting_what_stands_is_acknowledged_and_changes_nothing(
    house: House, location: str, code: int, message: str
) -> None:
    uuid = started(house, location)
    answer = house.post(ORDERS, {**SAMPLE, "locationName": location})
    stands = order(uuid, state="located" if location else "started", locationName=location)
    assert answer.json == {"status": 200, "returnCode": code, "message": message, "activeorder": stands}
    assert house.store.journal.last == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"orderType": "TO_GO"}, -8),
        ({"name": None, "orderType": "TO_GO"}, -8),
        ({}, -8),
        (None, -8),
        ({"name": "1a", "orderType": "TO_GO"}, -9),
        ({"name": 102, "orderType": "TO_GO"}, -9),
        ({"name": "12345678901", "orderType": "TO_GO"}, -9),
        ({**SAMPLE, "locationName": "bar"}, -10),
        ({**SAMPLE, "locationName": 22}, -10),
        ({"name": "102"}, -11),
        ({"name": "102", "orderType": "DRIVE_IN"}, -12),
        ({"name": "102", "orderType": ["TO_GO"]}, -12),
        (b"[]", -31),
        (b"name=102", -31),
        (b"{", -31),
    ],
)
def test_a_bad_order_is_refused_and_nothing_is_stored(house: House, body: object, code: int) -> None:
    house.post(ORDERS, body).refuses(400, code)
    assert house.store.journal.last == 0
    assert house.get(ORDERS).json["count"] == 0


def test_an_order_is_found_by_name_and_by_uuid(house: House) -> None:
    uuid = started(house)
    for key in ("102", uuid, uuid.upper()):
        shows(house.get(f"{ORDERS}/{key}"), 6, uuid)


@pytest.mark.parametrize("key", ["103", "99999999999", UNKNOWN])
@pytest.mark.parametrize(("method", "below"), [("GET", ""), ("DELETE", ""), ("POST", "/page"), ("DELETE", "/page")])
def test_an_order_that_is_not_active_is_not_found(house: House, method: str, below: str, key: str) -> None:
    started(house)
    house.ask(method, f"{ORDERS}/{key}{below}").refuses(404, -6, "Order not found.")


@pytest.mark.parametrize("key", ["abc", "1x", "12-3", f"{UNKNOWN}0", "%20"])
@pytest.mark.parametrize(("method", "below"), [("GET", ""), ("DELETE", ""), ("POST", "/page"), ("DELETE", "/page")])
def test_what_is_neither_a_name_nor_a_uuid_is_refused(house: House, method: str, below: str, key: str) -> None:
    house.ask(method, f"{ORDERS}/{key}{below}").refuses(400, -7)


def test_clearing_shows_the_order_as_it_ended(house: House) -> None:
    uuid = started(house, "22")
    house.timers.advance(9)
    shows(
        house.delete(f"{ORDERS}/102"),
        6,
        uuid,
        locationName="22",
        state="cleared",
        stateChanged="2016-09-22T19:09:01",
        elapsedTime=9,
    )
    house.get(f"{ORDERS}/{uuid}").refuses(404, -6)
    assert started(house) != uuid


def test_clearing_all_shows_what_it_cleared(house: House) -> None:
    uuid = started(house)
    house.post(ORDERS, {"name": "7", "orderType": "TO_GO"})
    cleared = house.delete(ORDERS).json
    assert (cleared["status"], cleared["returnCode"], cleared["count"]) == (200, 5, 2)
    assert cleared["items"][0] == order(uuid, state="cleared")
    assert house.delete(ORDERS).json == {"status": 200, "returnCode": 5, "count": 0, "items": []}


@pytest.mark.parametrize("path", ["page", "guest_paging"])
@pytest.mark.parametrize("body", [None, {}, {"tracking": True}, {"tracking": False}, {"tracking": "false"}])
def test_paging_sets_the_flag_each_time(house: House, path: str, body: object) -> None:
    uuid = started(house)
    for _ in range(2):
        shows(house.post(f"{ORDERS}/102/{path}", body), 7, uuid, paged=True)
    assert house.store.journal.last == 3


@pytest.mark.parametrize("value", ["yes", 1, "True", [], {}])
def test_a_tracking_that_is_no_boolean_is_refused(house: House, value: object) -> None:
    uuid = started(house)
    house.post(f"{ORDERS}/{uuid}/page", {"tracking": value}).refuses(400, -15)
    shows(house.get(f"{ORDERS}/102"), 6, uuid)


@pytest.mark.parametrize("path", ["page", "guest_paging"])
def test_paging_is_canceled_once(house: House, path: str) -> None:
    uuid = started(house)
    house.post(f"{ORDERS}/102/page")
    canceled, nothing = (house.delete(f"{ORDERS}/102/{path}") for _ in range(2))
    assert canceled.json == {"status": 200, "returnCode": 1002, "message": "Paging canceled."}
    assert nothing.json == {"status": 200, "returnCode": 1003, "message": "No paged tracker to cancel."}
    shows(house.get(f"{ORDERS}/102"), 6, uuid)


def test_times_are_shown_in_the_gateways_zone_and_never_run_backwards(house: House) -> None:
    uuid = started(house)
    house.clock.wall_ahead = 0.0
    shows(house.delete(f"{ORDERS}/{uuid}"), 6, uuid, state="cleared")
