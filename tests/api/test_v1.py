import pytest

from tests.api.client import House

ORDERS = "/api/v1/activeorders"
SAMPLE = {"name": "66", "orderType": "ON_PREMISE"}


@pytest.fixture
def house() -> House:
    return House()


def order(uuid: str, **changed: object) -> dict[str, object]:
    """Return the protocol's sample order as version 1 shows it alone."""
    return {
        "uuid": uuid,
        "created": "2016-09-22T19:08:52",
        "orderType": "ON_PREMISE",
        "locationName": "",
        "state": "started",
        "stateStarted": "2016-09-22T19:08:52",
        "name": "66",
        **changed,
    }


def started(house: House) -> str:
    uuid: str = house.post(ORDERS, SAMPLE).json["activeorder"]["uuid"]
    return uuid


def test_a_list_counts_in_a_string_and_pages_in_words(house: House) -> None:
    assert house.get(ORDERS).json == {"status": 200, "count": "0", "items": []}
    uuid = started(house)
    house.timers.advance(9.9)
    listed = order(uuid, elapsedTime=9, paged="No")
    assert house.get(ORDERS).json == {"status": 200, "count": "1", "items": [listed]}
    house.post(f"{ORDERS}/66/page")
    assert house.get(ORDERS).json["items"] == [{**listed, "paged": "Yes"}]


def test_an_order_alone_lacks_its_age_and_its_paging(house: House) -> None:
    answer = house.post(ORDERS, SAMPLE)
    assert answer.json == {"status": 200, "activeorder": order(answer.json["activeorder"]["uuid"])}


def test_posting_what_stands_shows_the_order_and_changes_nothing(house: House) -> None:
    uuid = started(house)
    assert house.post(ORDERS, SAMPLE).json == {"status": 200, "activeorder": order(uuid)}
    assert house.store.journal.last == 1


def test_an_order_is_located_paged_and_cleared(house: House) -> None:
    uuid = started(house)
    house.timers.advance(8)
    located = {"locationName": "22", "state": "located", "stateStarted": "2016-09-22T19:09:00"}
    answer = house.post(ORDERS, {**SAMPLE, "locationName": "22"})
    assert answer.json == {"status": 200, "activeorder": order(uuid, **located)}
    answer = house.post(f"{ORDERS}/{uuid}/page", {"tracking": "true"})
    assert answer.json == {"status": 200, "activeorder": order(uuid, **located)}
    answer = house.delete(f"{ORDERS}/66")
    assert answer.json == {"status": 200, "activeorder": order(uuid, **{**located, "state": "cleared"})}
    house.delete(f"{ORDERS}/66").refuses(404, None, "Order not found.")


@pytest.mark.parametrize(
    "body",
    [
        {"orderType": "TO_GO"},
        {"name": "x", "orderType": "TO_GO"},
        {"name": "1"},
        {"name": "1", "orderType": "x"},
        {**SAMPLE, "locationName": "x"},
        b"[]",
    ],
)
def test_a_bad_order_is_refused_without_a_code_and_nothing_is_stored(house: House, body: object) -> None:
    house.post(ORDERS, body).refuses(400, None)
    assert house.store.journal.last == 0


def test_a_bad_id_and_a_bad_boolean_are_refused(house: House) -> None:
    started(house)
    house.delete(f"{ORDERS}/abc").refuses(400, None)
    house.post(f"{ORDERS}/66/page", {"tracking": "perhaps"}).refuses(400, None)
    house.post(f"{ORDERS}/67/page").refuses(404, None)


def test_both_versions_show_the_same_orders(house: House) -> None:
    uuid = started(house)
    shown = house.get(f"/api/v2/activeorders/{uuid}").json["activeorder"]
    assert shown["stateChanged"] == order(uuid)["stateStarted"]
    assert house.delete("/api/v2/activeorders/66").status == 200
    assert house.get(ORDERS).json["count"] == "0"
