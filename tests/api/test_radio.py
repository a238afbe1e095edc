import pytest

from tests.api.client import House

BEGIN = "/api/v2/repeaters/beginPairing"


@pytest.fixture
def house() -> House:
    return House()


def test_a_timeout_of_the_query_counts_more_than_one_of_the_body(house: House) -> None:
    assert house.post(f"{BEGIN}?timeout=30", {"timeout": 60}).json["returnCode"] == 1012
    assert house.gateway.radio.pairing == 30


def test_a_timeout_of_null_is_the_usual_minute(house: House) -> None:
    house.post(BEGIN, {"timeout": None})
    assert house.gateway.radio.pairing == 60


@pytest.mark.parametrize("value", [True, 1.5, "1.5", [], {}])
def test_what_is_no_whole_number_begins_nothing(house: House, value: object) -> None:
    house.post(BEGIN, {"timeout": value}).refuses(400, -16)
    assert house.gateway.radio.pairing == 0


def test_pairing_again_counts_from_anew_and_ends_at_once(house: House) -> None:
    house.post(f"{BEGIN}?timeout=10")
    house.timers.advance(9)
    house.post(f"{BEGIN}?timeout=10")
    assert house.gateway.radio.pairing == 10
    house.post("/api/v2/repeaters/endPairing", {"anything": 1})
    assert house.gateway.radio.pairing == 0


def test_when_a_tracker_was_seen_is_shown_in_the_gateways_zone(house: House) -> None:
    house.gateway.radio.seen("66")
    house.post("/api/v2/gateway/settings", {"timezone": "America/New_York"})
    assert house.get("/api/v2/trackers").json["items"][0]["lastSeen"] == "2016-09-22T15:08:52"
