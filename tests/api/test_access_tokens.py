import re

import pytest

from tests.api.client import House

TOKEN = "/api/v2/accesstoken"
GENERATE = f"{TOKEN}/generate"
NOON = "2016-09-22T19:08:52"
LATER = "2016-09-22T19:09:02"


@pytest.fixture
def house() -> House:
    return House()


def fresh(secret: str, name: str) -> dict[str, object]:
    return {"name": name, "token": secret, "creation_date": NOON, "last_used": None, "ip_address": None}


def test_after_the_button_one_device_gets_a_token_without_a_secret(house: House) -> None:
    house.gateway.secrets.press_button()
    answer = house.ask("GET", GENERATE, known=False)
    secret = answer.json["token"]["token"]
    assert answer.json == {"status": 201, "returnCode": 2, "token": fresh(secret, "default")}
    assert re.fullmatch("[0-9a-f]{48}", secret)
    house.ask("GET", GENERATE, known=False).refuses(403, -3, "Time window expired or gateway button not pressed.")
    house.secret = secret
    assert house.get(TOKEN).status == 200


def test_without_the_button_nobody_does(house: House) -> None:
    house.ask("GET", GENERATE, known=False).refuses(403, -3, "Time window expired or gateway button not pressed.")
    house.gateway.secrets.press_button()
    house.timers.advance(120)
    house.ask("GET", f"{GENERATE}?name=till", known=False).refuses(403, -3)


def test_a_device_names_its_token(house: House) -> None:
    house.gateway.secrets.press_button()
    answer = house.ask("GET", f"{GENERATE}?name=Till%201", known=False)
    assert answer.json["token"]["name"] == "Till 1"


@pytest.mark.parametrize("name", ["", "a%2Fb", "x" * 65, "%ff"])
def test_a_bad_name_is_refused_and_leaves_the_window_open(house: House, name: str) -> None:
    house.gateway.secrets.press_button()
    house.ask("GET", f"{GENERATE}?name={name}", known=False).refuses(400, -4)
    assert house.ask("GET", GENERATE, known=False).status == 201


def test_with_a_secret_no_button_is_needed(house: House) -> None:
    answer = house.post(GENERATE, {"name": "tablet"})
    secret = answer.json["token"]["token"]
    assert answer.json == {"status": 201, "returnCode": 2, "token": fresh(secret, "tablet")}
    assert house.post(GENERATE).json["token"]["name"] == "default"


@pytest.mark.parametrize("name", ["", "a/b", 5, [], "x" * 65])
def test_a_bad_name_makes_no_token(house: House, name: object) -> None:
    house.post(GENERATE, {"name": name}).refuses(400, -4)
    assert house.get(f"{TOKEN}/all").json["count"] == 1


def test_a_caller_sees_its_own_token_without_the_secret(house: House) -> None:
    house.timers.advance(10)
    own = {"name": "till", "creation_date": NOON, "last_used": LATER, "ip_address": "10.0.0.7"}
    answer = house.get(TOKEN)
    assert answer.json == {"status": 200, "returnCode": 1, "token": own}
    assert house.secret.encode() not in answer.body


def test_all_tokens_are_listed_without_their_secrets(house: House) -> None:
    made = house.post(GENERATE, {"name": "tablet"}).json["token"]["token"]
    answer = house.get(f"{TOKEN}/all")
    till = {"name": "till", "creation_date": NOON, "last_used": NOON, "ip_address": "10.0.0.7"}
    tablet = {"name": "tablet", "creation_date": NOON, "last_used": None, "ip_address": None}
    assert answer.json == {"status": 200, "returnCode": 3, "count": 2, "items": [till, tablet]}
    assert made.encode() not in answer.body


def test_deleting_ends_the_callers_own_token_alone(house: House) -> None:
    other = house.post(GENERATE, {"name": "tablet"}).json["token"]["token"]
    answer = house.delete(TOKEN)
    assert answer.json == {"status": 200, "returnCode": 1001, "message": "Token deleted."}
    house.get(TOKEN).refuses(401, -2)
    house.secret = other
    assert house.get(f"{TOKEN}/all").json["count"] == 1
