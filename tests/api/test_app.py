from twisted.logger import capturedLogs

from tests.api.client import House
from ttgateway import __version__
from ttgateway.settings import Settings


def test_the_root_tells_which_gateway_this_is() -> None:
    house = House(settings=Settings(name="Till & Grill"))
    house.timers.advance(61.5)
    answer = house.ask("GET", "/api/v2", known=False)
    assert answer.json == {
        "status": 200,
        "returnCode": 11,
        "gateway": {
            "name": "Till & Grill",
            "id": house.gateway.id,
            "version": __version__,
            "epoch": house.gateway.epoch,
            "uptime": 61,
        },
    }
    assert house.ask("GET", "/api/v2/", known=False).json == answer.json


def test_every_reply_is_json_and_says_how_long_it_is() -> None:
    house = House()
    for method, path in (("GET", "/api/v2"), ("GET", "/"), ("PUT", "/api/v2"), ("GET", "/api/v2/activeorders")):
        answer = house.ask(method, path)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["content-length"] == str(len(answer.body))
        assert answer.headers["server"] == "ttgateway"


def test_a_head_of_a_path_that_is_no_text_is_answered_and_not_logged() -> None:
    # Twisted logs a line for each HEAD that is given a body: whoever is on the network could fill the log.
    house = House()
    with capturedLogs() as events:
        answer = house.ask("HEAD", "/api/v2/%ED%B0%80", known=False)
    assert (answer.status, answer.body, events) == (404, b"", [])
    assert answer.headers["content-length"] == str(len(house.ask("GET", "/api/v2/%ED%B0%80", known=False).body))
