"""Section 7: what a listener gets."""

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from typing import Any

from tests.protocol.common import NOON, ORDERS, REGISTER, URL, V1, Shop, posted
from ttgateway import __version__

KEY = bytes(range(24))
WEBHOOK_SECRET = "whsec_" + base64.b64encode(KEY).decode()


def told(shop: Shop, status: int = 200) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the delivery that the newest connection got, and answer it."""
    first, headers, body = shop.dial.peer.request()
    assert first == "POST /v1/notify HTTP/1.1"
    shop.dial.peer.answer(status)
    return headers, body


def same(body: bytes, expected: dict[str, Any]) -> None:
    """Check a whole body, with the types of its values."""
    assert json.dumps(json.loads(body), sort_keys=True) == json.dumps(expected, sort_keys=True)


def test_a_version_1_listener_gets_the_ten_fields_of_the_page(shop: Shop) -> None:
    posted(shop, "1")
    for _ in range(193):
        shop.post(f"{ORDERS}/1/page")
    shop.clock.wall_ahead = datetime(2015, 5, 5, 13, 40, 9, tzinfo=UTC).timestamp() - shop.timers.seconds()
    uuid = posted(shop, "66")
    shop.reached("GET", f"{V1}/register?http_client={URL}")
    shop.timers.advance(9)
    posted(shop, "66", "22")
    expected = {
        "elapsedTime": 9,
        "uuid": uuid,
        "seq": 196,
        "created": "2015-05-05T13:40:09",
        "orderType": "ON_PREMISE",
        "locationName": "22",
        "state": "located",
        "stateStarted": "2015-05-05T13:40:18",
        "type": "ORDER_MODIFIED",
        "name": "66",
    }
    same(told(shop)[1], expected)


def test_a_version_2_listener_gets_those_and_two_more(shop: Shop) -> None:
    shop.registers()
    uuid = posted(shop)
    expected = {
        "elapsedTime": 0,
        "uuid": uuid,
        "seq": 1,
        "created": NOON,
        "orderType": "ON_PREMISE",
        "locationName": "",
        "state": "started",
        "stateStarted": NOON,
        "stateChanged": NOON,
        "paged": False,
        "type": "ORDER_CREATED",
        "name": "102",
    }
    same(told(shop)[1], expected)


def test_each_change_has_its_type_and_the_next_seq(shop: Shop) -> None:
    shop.registers()
    bodies = []
    posted(shop)
    bodies.append(told(shop)[1])
    for method, path in (
        ("POST", f"{ORDERS}/102/page"),
        ("DELETE", f"{ORDERS}/102/page"),
        ("DELETE", f"{ORDERS}/102"),
    ):
        shop.ask(method, path)
        bodies.append(told(shop)[1])
    shown = [json.loads(body) for body in bodies]
    assert [(body["seq"], body["type"], body["paged"], body["state"]) for body in shown] == [
        (1, "ORDER_CREATED", False, "started"),
        (2, "ORDER_PAGED", True, "started"),
        (3, "ORDER_MODIFIED", False, "started"),
        (4, "ORDER_MODIFIED", False, "cleared"),
    ]


def test_the_headers_tell_of_the_delivery(shop: Shop) -> None:
    shop.registers(secret=WEBHOOK_SECRET)
    posted(shop)
    headers, body = told(shop)
    lower = {name.lower(): value for name, value in headers.items()}
    identity = f"{shop.gateway.epoch}.1"
    signed = f"{identity}.{lower['webhook-timestamp']}.".encode() + body
    signature = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    assert lower["webhook-id"] == identity
    assert lower["webhook-timestamp"] == "1474571332"
    assert lower["webhook-signature"] == f"v1,{signature}"
    assert (lower["ttgateway-previous"], lower["ttgateway-attempt"]) == ("0", "1")
    assert (lower["user-agent"], lower["content-type"]) == (f"ttgateway/{__version__}", "application/json")
    assert "ttgateway-flags" not in lower or not lower["ttgateway-flags"]
    posted(shop, "7")
    following, _ = told(shop)
    assert following["ttgateway-previous"] == "1"


def test_a_retry_sends_the_same_bytes_under_the_same_id_and_counts(shop: Shop) -> None:
    shop.registers()
    posted(shop)
    headers, body = told(shop, 503)
    posted(shop, "7")
    shop.timers.pump([0.1] * 5)
    again, same_body = told(shop)
    assert same_body == body
    assert again["webhook-id"] == headers["webhook-id"]
    assert (headers["ttgateway-attempt"], again["ttgateway-attempt"]) == ("1", "2")
    assert json.loads(told(shop)[1])["seq"] == 2


def test_who_asks_for_a_snapshot_gets_every_active_order_between_two_marks(shop: Shop) -> None:
    first, second = posted(shop), posted(shop, "7", "3")
    shop.registers(snapshot=True)
    deliveries = [told(shop) for _ in range(4)]
    assert all(headers["ttgateway-flags"] == "snapshot" for headers, _ in deliveries)
    bodies = [json.loads(body) for _, body in deliveries]
    assert bodies[0] == {"type": "SNAPSHOT_BEGIN", "seq": 2}
    assert [(body["uuid"], body["name"], body["locationName"]) for body in bodies[1:3]] == [
        (first, "102", ""),
        (second, "7", "3"),
    ]
    assert bodies[3] == {"type": "SNAPSHOT_END", "seq": 2, "count": 2}
    assert re.fullmatch(r"[0-9a-f]+\..+", deliveries[0][0]["webhook-id"])


def test_who_asks_for_some_types_gets_no_others(shop: Shop) -> None:
    shop.reached("POST", REGISTER, {"http_client": URL, "events": ["ORDER_PAGED"]})
    posted(shop)
    shop.post(f"{ORDERS}/102/page")
    assert json.loads(told(shop)[1])["type"] == "ORDER_PAGED"
