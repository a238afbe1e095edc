from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.client import PEER, Connection, request
from tests.protocol.common import URL, Shop

LISTENERS = "/api/v2/listeners"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.close()


def test_what_a_listener_asked_for_is_shown_and_its_secret_is_not(shop: Shop) -> None:
    asked: dict[str, Any] = {
        "secret": SECRET,
        "events": ["ORDER_PAGED", "ORDER_CREATED"],
        "snapshot": False,
        "catch_up": "latest",
    }
    known = shop.registers(**asked)
    answer = shop.get(f"{LISTENERS}/{known}")
    shown = answer.json["listener"]
    assert (shown["events"], shown["snapshot"]) == (["ORDER_CREATED", "ORDER_PAGED"], False)
    assert (shown["catchUp"], shown["signed"]) == ("latest", True)
    assert SECRET.encode() not in answer.body + shop.get(LISTENERS).body


def test_while_nobody_is_told_anything_every_listener_is_down() -> None:
    shop = Shop()
    shop.registers()
    shop.close()
    assert shop.get(LISTENERS).json["items"][0]["state"] == "down"


def test_times_are_shown_in_the_gateways_zone(shop: Shop) -> None:
    known = shop.registers()
    shop.post("/api/v2/activeorders", {"name": "66", "orderType": "TO_GO"})
    shop.dial.peer.answer()
    shop.post("/api/v2/gateway/settings", {"timezone": "America/New_York"})
    shown = shop.get(f"{LISTENERS}/{known}").json["listener"]
    assert (shown["lastSuccess"], shown["attempts"][0]["at"]) == ("2016-09-22T15:08:52", "2016-09-22T15:08:52")


def test_removing_one_listener_leaves_the_others(shop: Shop) -> None:
    first, second = shop.registers(), shop.registers("http://10.0.1.19/")
    shop.delete(f"{LISTENERS}/{first}")
    assert [item["id"] for item in shop.get(LISTENERS).json["items"]] == [second]
    assert shop.registers(URL) not in (first, second)


def test_anybody_may_ping_a_listener_also_where_a_device_may_register_only_itself() -> None:
    shop = Shop(source_only=True)
    known = shop.registers(f"http://{PEER}:8989/")
    connection = Connection(shop.site, "10.0.0.8")
    connection.send(request("POST", f"{LISTENERS}/{known}/ping", secret=shop.secret))
    shop.dial.peer.answer(405)
    assert connection.answer().status == 200
    connection.end()
    shop.close()
