"""Section 8: the WebSocket."""

import json
from typing import Any

import pytest

from tests.api.client import House, basic
from tests.protocol.common import NOON, ORDERS, house_at, order, posted
from tests.protocol.reader import Reader
from tests.support import result_of

SHAKEN = b"HTTP/1.1 101 "


@pytest.fixture
def house() -> House:
    return House()


def alike(told: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """Check messages whole, with the types of their values."""
    assert [json.dumps(one, sort_keys=True) for one in told] == [json.dumps(one, sort_keys=True) for one in expected]


def test_a_secret_in_the_handshake_opens_it_in_both_forms_and_of_both_kinds(house: House) -> None:
    key = result_of(house.gateway.secrets.create("old", key=True)).secret
    for secret in (house.secret, key):
        for authorization in (f"Bearer {secret}", basic(secret)):
            reader = Reader(house, authorization)
            assert reader.head.startswith(SHAKEN)
            alike(reader.told(), [{"type": "ACTIVE_ORDERS", "count": 0, "items": []}])
            reader.connection.end()


def test_a_secret_in_the_first_message_opens_it_within_20_seconds(house: House) -> None:
    reader = Reader(house)
    house.timers.pump([0.5] * 39)
    assert reader.told() == []
    reader.shows(house.secret)
    alike(reader.told(), [{"type": "ACTIVE_ORDERS", "count": 0, "items": []}])
    house.timers.pump([0.5] * 10)
    posted(house)
    assert [change["seq"] for change in reader.told()] == [1]
    reader.connection.end()


def test_the_list_has_the_items_of_the_active_orders_and_no_numbers(house: House) -> None:
    first, second = posted(house), posted(house, "7", "3", "TO_GO")
    reader = Reader(house, f"Bearer {house.secret}")
    items = [order(first), order(second, name="7", locationName="3", orderType="TO_GO", state="located")]
    alike(reader.told(), [{"type": "ACTIVE_ORDERS", "count": 2, "items": items}])
    reader.connection.end()


def test_the_change_of_the_page() -> None:
    house = house_at("2016-12-09T09:00:23")
    posted(house, "1")
    for _ in range(82):
        house.post(f"{ORDERS}/1/page")
    reader = Reader(house, f"Bearer {house.secret}")
    reader.told()
    uuid = posted(house, "23", "8")
    change: dict[str, Any] = {
        "stateChanged": "2016-12-09T09:00:23",
        "seq": 84,
        "paged": False,
        "name": "23",
        "elapsedTime": 0,
        "uuid": uuid,
        "created": "2016-12-09T09:00:23",
        "orderType": "ON_PREMISE",
        "locationName": "8",
        "state": "located",
        "type": "ORDER_CREATED",
    }
    alike(reader.told(), [change])
    reader.connection.end()


def test_each_change_is_told_once_in_order_and_without_a_message(house: House) -> None:
    reader = Reader(house, f"Bearer {house.secret}")
    reader.told()
    uuid = posted(house)
    house.post(f"{ORDERS}/102/page")
    house.delete(f"{ORDERS}/102")
    frames = reader.frames()
    assert not any(b'"message"' in text for _, text in frames)
    alike(
        [json.loads(text) for _, text in frames],
        [
            order(uuid, seq=1, type="ORDER_CREATED"),
            order(uuid, seq=2, type="ORDER_PAGED", paged=True),
            order(uuid, seq=3, type="ORDER_MODIFIED", state="cleared"),
        ],
    )
    assert NOON.encode() in frames[0][1]
    reader.connection.end()


@pytest.mark.parametrize("in_handshake", [True, False])
def test_a_bad_secret_is_told_and_the_socket_closed(house: House, in_handshake: bool) -> None:
    reader = Reader(house, "Bearer wrong" if in_handshake else None)
    if not in_handshake:
        reader.shows("wrong")
    error, close = reader.ended()
    assert error == {"status": 401, "returnCode": -2, "message": error["message"]}
    assert close == 4401
    reader.connection.end()


def test_who_shows_no_secret_in_20_seconds_is_told_and_closed(house: House) -> None:
    reader = Reader(house)
    house.timers.pump([0.5] * 41)
    error, close = reader.ended()
    assert error == {"status": 408, "returnCode": -32, "message": error["message"]}
    assert close == 4408
    reader.connection.end()


@pytest.mark.parametrize("text", ["hello", "[]", "{", '"x"', "7"])
def test_what_is_no_object_is_told_and_the_socket_closed(house: House, text: str) -> None:
    reader = Reader(house)
    reader.says(text)
    error, close = reader.ended()
    assert error == {"status": 400, "returnCode": -31, "message": error["message"]}
    assert close == 4400
    reader.connection.end()


def test_a_reader_too_slow_to_read_is_sent_away(house: House) -> None:
    reader = Reader(house, f"Bearer {house.secret}")
    reader.told()
    producer = reader.connection.transport.producer
    assert producer is not None
    producer.pauseProducing()
    posted(house)
    for _ in range(4):
        house.timers.pump([1.0] * 10)
    kind, close = reader.frames()[-1]
    assert (kind, int.from_bytes(close[:2], "big")) == (0x88, 4429)
    reader.connection.end()


def test_a_malformed_header_is_400_before_any_handshake(house: House) -> None:
    reader = Reader(house, "Digest x")
    assert reader.head.startswith(b"HTTP/1.1 400 ")
    assert b'"returnCode":-1,' in bytes(reader.connection.transport.value())
    reader.connection.end()
