"""Section 2.1: how a device comes by its token, and gives it up."""

import re

import pytest

from tests.api.client import PEER, House
from tests.protocol.common import NOON, V2, acknowledges, exactly, house_at

TOKEN = f"{V2}/accesstoken"
GENERATE = f"{TOKEN}/generate"
SHUT = "Time window expired or gateway button not pressed."
TILL = {"name": "till", "creation_date": NOON, "last_used": NOON, "ip_address": PEER}


@pytest.fixture
def house() -> House:
    return House()


def test_after_the_button_a_device_gets_the_token_of_the_page() -> None:
    house = house_at("2016-12-24T08:04:34")
    house.gateway.secrets.press_button()
    answer = house.ask("GET", GENERATE, known=False)
    secret = answer.json["token"]["token"]
    assert re.fullmatch("[0-9a-f]{48}", secret)
    token = {
        "name": "default",
        "token": secret,
        "creation_date": "2016-12-24T08:04:34",
        "last_used": None,
        "ip_address": None,
    }
    exactly(answer, {"status": 201, "returnCode": 2, "token": token})


def test_one_token_closes_the_window(house: House) -> None:
    house.gateway.secrets.press_button()
    assert house.ask("GET", GENERATE, known=False).status == 201
    house.ask("GET", GENERATE, known=False).refuses(403, -3, SHUT)


def test_the_window_shuts_two_minutes_after_the_button(house: House) -> None:
    house.ask("GET", GENERATE, known=False).refuses(403, -3, SHUT)
    house.gateway.secrets.press_button()
    house.timers.advance(119.9)
    assert house.ask("GET", f"{GENERATE}?name=a", known=False).status == 201
    house.gateway.secrets.press_button()
    house.timers.advance(120)
    house.ask("GET", GENERATE, known=False).refuses(403, -3, SHUT)


def test_a_secret_guards_nothing_where_the_button_does(house: House) -> None:
    house.get(GENERATE).refuses(403, -3, SHUT)


@pytest.mark.parametrize(("sent", "name"), [("Till%201", "Till 1"), ("a.b_c-D+9", "a.b_c-D 9"), ("x" * 64, "x" * 64)])
def test_a_name_has_letters_digits_blanks_and_three_marks(house: House, sent: str, name: str) -> None:
    house.gateway.secrets.press_button()
    assert house.ask("GET", f"{GENERATE}?name={sent}", known=False).json["token"]["name"] == name
    assert house.post(GENERATE, {"name": name}).json["token"]["name"] == name


@pytest.mark.parametrize("name", ["", "x" * 65, "a/b", "ä", "a\tb"])
def test_any_other_name_is_refused(house: House, name: str) -> None:
    house.post(GENERATE, {"name": name}).refuses(400, -4)


@pytest.mark.parametrize("body", [None, {}, {"name": "tablet"}])
def test_with_a_secret_no_button_is_needed(house: House, body: dict[str, str] | None) -> None:
    answer = house.post(GENERATE, body)
    secret = answer.json["token"]["token"]
    token = {
        "name": "tablet" if body else "default",
        "token": secret,
        "creation_date": NOON,
        "last_used": None,
        "ip_address": None,
    }
    exactly(answer, {"status": 201, "returnCode": 2, "token": token})
    house.ask("POST", GENERATE, body, known=False).refuses(401, -2)
    house.secret = secret
    assert house.get(TOKEN).status == 200


def test_a_caller_sees_its_own_token_without_the_secret(house: House) -> None:
    house.timers.advance(10)
    own = {**TILL, "last_used": "2016-09-22T19:09:02"}
    exactly(house.get(TOKEN), {"status": 200, "returnCode": 1, "token": own})


def test_all_tokens_are_listed_and_one_never_used_has_no_address(house: House) -> None:
    house.post(GENERATE, {"name": "tablet"})
    tablet = {"name": "tablet", "creation_date": NOON, "last_used": None, "ip_address": None}
    exactly(house.get(f"{TOKEN}/all"), {"status": 200, "returnCode": 3, "count": 2, "items": [TILL, tablet]})


def test_last_used_and_its_address_are_those_of_the_last_request(house: House) -> None:
    house.get(TOKEN)
    house.timers.advance(5)
    token = house.ask("GET", TOKEN, peer="10.0.0.8").json["token"]
    assert (token["last_used"], token["ip_address"]) == ("2016-09-22T19:08:57", "10.0.0.8")


def test_a_caller_gives_up_its_own_token_and_no_other(house: House) -> None:
    other = house.post(GENERATE, {"name": "tablet"}).json["token"]["token"]
    acknowledges(house.delete(TOKEN), 1001, "Token deleted.")
    house.get(TOKEN).refuses(401, -2)
    house.secret = other
    assert [token["name"] for token in house.get(f"{TOKEN}/all").json["items"]] == ["tablet"]


def test_a_token_does_not_expire(house: House) -> None:
    house.clock.wall_ahead += 10 * 366 * 86_400
    assert house.get(TOKEN).status == 200
