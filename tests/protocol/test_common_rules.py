"""Sections 1 and 2: what holds for every exchange, and who may call."""

import json
import re
from collections.abc import Iterator

import msgspec
import pytest

from tests.api.client import PEER, Connection, House, basic, request
from tests.protocol.common import NOON, ORDERS, TIME, URL, V1, V2, Shop, exactly, posted
from tests.support import result_of
from ttgateway.settings import Access, Settings

MALFORMED = "Malformed Authorization header."


class Call(msgspec.Struct, frozen=True):
    """A call that succeeds in the house below; ``{uuid}`` and ``{listener}`` stand for those that are there."""

    method: str
    path: str
    body: object = None
    shows: bool = True  # whether the reply is data, in which no message may stand

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def made(self, shop: "Served", path: str = "") -> tuple[str, str, object]:
        return self.method, (path or self.path).format(uuid=shop.uuid, listener=shop.listener), self.body


ORDER = {"name": "7", "orderType": "TO_GO", "locationName": "3"}
CALLS = [
    Call("GET", V2),
    Call("GET", f"{V2}/accesstoken"),
    Call("GET", f"{V2}/accesstoken/all"),
    Call("POST", f"{V2}/accesstoken/generate", {"name": "tablet"}),
    Call("DELETE", f"{V2}/accesstoken", shows=False),
    Call("GET", f"{V2}/capabilities"),
    Call("GET", ORDERS),
    Call("POST", ORDERS, ORDER),
    Call("DELETE", ORDERS),
    Call("GET", f"{ORDERS}/102"),
    Call("GET", f"{ORDERS}/{{uuid}}"),
    Call("DELETE", f"{ORDERS}/102"),
    Call("POST", f"{ORDERS}/102/page"),
    Call("POST", f"{ORDERS}/102/guest_paging"),
    Call("DELETE", f"{ORDERS}/102/page", shows=False),
    Call("GET", f"{V1}/activeorders"),
    Call("POST", f"{V1}/activeorders", ORDER),
    Call("DELETE", f"{V1}/activeorders/102"),
    Call("POST", f"{V1}/activeorders/102/page"),
    Call("GET", f"{V2}/orders"),
    Call("GET", f"{V1}/orders"),
    Call("GET", f"{V2}/orders/{{uuid}}"),
    Call("GET", f"{V2}/statistics"),
    Call("GET", f"{V1}/statistics"),
    Call("GET", f"{V2}/gateway"),
    Call("GET", f"{V2}/gateway/check"),
    Call("GET", f"{V2}/gateway/settings"),
    Call("POST", f"{V2}/gateway/settings", {"zigbeePreset": "B"}, shows=False),
    Call("GET", f"{V2}/gateway/activate"),
    Call("GET", f"{V2}/repeaters"),
    Call("DELETE", f"{V2}/repeaters", shows=False),
    Call("POST", f"{V2}/repeaters/beginPairing", shows=False),
    Call("POST", f"{V2}/repeaters/endPairing", shows=False),
    Call("GET", f"{V2}/trackers"),
    Call("DELETE", f"{V2}/trackers", shows=False),
    Call("DELETE", f"{V2}/register", {"http_client": URL}, shows=False),
    Call("GET", f"{V2}/listeners"),
    Call("GET", f"{V2}/listeners/{{listener}}"),
    Call("DELETE", f"{V2}/listeners/{{listener}}", shows=False),
    Call("POST", f"{V2}/listeners/{{listener}}/resync", shows=False),
    Call("POST", f"{V2}/listeners/{{listener}}/replay", {"since": 0}, shows=False),
    Call("GET", f"{V2}/events?since=0"),
]
NEED_NO_FIELD = [
    f"{V2}/accesstoken/generate",
    f"{ORDERS}/102/page",
    f"{ORDERS}/102/guest_paging",
    f"{V1}/activeorders/102/page",
    f"{V2}/gateway/settings",
    f"{V2}/repeaters/beginPairing",
    f"{V2}/repeaters/endPairing",
    f"{V2}/listeners/{{listener}}/resync",
]
OPEN = [f"GET {V2}"]
OPENED = ("/register", "/v1/orders", "/v2/orders", "/v1/activeorders")


class Served(Shop):
    """A shop with one active order, 102, and one listener."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(**({} if settings is None else {"settings": settings}))
        self.uuid = posted(self)
        self.listener = self.registers()


@pytest.fixture
def shop() -> Iterator[Served]:
    shop = Served()
    yield shop
    shop.close()


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_success_is_200_or_201_and_its_numbers_and_message_stand_where_they_may(shop: Served, call: Call) -> None:
    answer = shop.ask(*call.made(shop))
    assert answer.status in (200, 201)
    assert type(answer.json["status"]) is int
    assert (type(answer.json.get("returnCode")) is int) == call.path.startswith(V2)
    assert ("returnCode" in answer.json) == call.path.startswith(V2)
    assert (b'"message"' in answer.body) == (not call.shows)
    if not call.shows:
        assert type(answer.json["message"]) is str


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_lists_count_what_they_hold(shop: Served, call: Call) -> None:
    shown = shop.ask(*call.made(shop)).json
    assert ("count" in shown) == ("items" in shown or "repeaters" in shown)
    if "count" in shown:
        held = len(shown["items"] if "items" in shown else shown["repeaters"])
        counted = str(held) if call.path.startswith(V1) else held
        assert (shown["count"], type(shown["count"])) == (counted, type(counted))


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_trailing_slash_changes_nothing(shop: Served, call: Call) -> None:
    path, mark, query = call.path.partition("?")
    other = Served()
    slashed = other.ask(*call.made(other, f"{path}/{mark}{query}"))
    other.close()
    assert keys(slashed.json) == keys(shop.ask(*call.made(shop)).json)
    assert slashed.status in (200, 201)


def keys(shown: object) -> object:
    """Return the names in a reply, and its numbers: two houses differ in their uuids."""
    if isinstance(shown, dict):
        return {name: value if name == "returnCode" else keys(value) for name, value in shown.items()}
    return [keys(value) for value in shown] if isinstance(shown, list) else type(shown)


@pytest.mark.parametrize("call", CALLS, ids=str)
@pytest.mark.parametrize("content_type", ["text/plain", None])
def test_the_content_type_of_a_request_is_not_looked_at(shop: Served, call: Call, content_type: str | None) -> None:
    method, path, body = call.made(shop)
    sent = request(method, path, body, secret=shop.secret, headers={"Content-Type": content_type or "x"})
    if content_type is None:
        sent = sent.replace(b"Content-Type: x\r\n", b"")
    connection = Connection(shop.site, PEER)
    connection.send(sent)
    connection.end()
    assert connection.answer().status in (200, 201)
    assert connection.answer().headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", NEED_NO_FIELD)
@pytest.mark.parametrize("body", [None, {}, b" "])
def test_a_post_that_needs_no_field_takes_an_empty_body(shop: Served, path: str, body: object) -> None:
    assert shop.post(path.format(listener=shop.listener), body).status in (200, 201)


@pytest.mark.parametrize("path", [ORDERS, *NEED_NO_FIELD, f"{V2}/register", f"{V2}/gateway/activate"])
@pytest.mark.parametrize("body", [b"[]", b"7", b'"a"', b"null", b"{", b"\xff", b'{"a": 1'])
def test_a_body_that_is_no_object_is_400_and_31(shop: Served, path: str, body: bytes) -> None:
    shop.post(path.format(listener=shop.listener), body).refuses(400, -31 if path.startswith(V2) else None)


@pytest.mark.parametrize(("path", "code"), [(ORDERS, -31), (f"{V1}/activeorders", None)])
def test_a_body_of_more_than_64_kib_is_413(shop: Served, path: str, code: int | None) -> None:
    fits = b'{"name": "7", "orderType": "TO_GO"}'.ljust(64 * 1024)
    assert shop.post(path, fits).status == 200
    shop.post(path, fits + b" ").refuses(413, code)


@pytest.mark.parametrize("path", ["/api/v2/nothing", "/api/v2/activeorders/1/2/3", "/api/v2/accesstoken/nothing/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_404(shop: Served, method: str, path: str) -> None:
    shop.ask(method, path).refuses(404, -5)
    shop.ask(method, path.replace("v2", "v1")).refuses(404, None)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", ORDERS, {"GET", "HEAD", "POST", "DELETE"}),
        ("DELETE", f"{V2}/statistics", {"GET", "HEAD"}),
        ("GET", f"{V2}/repeaters/endPairing", {"POST"}),
        ("GET", f"{V2}/register", {"POST", "DELETE"}),
        ("PATCH", f"{V2}/gateway/settings", {"GET", "HEAD", "POST"}),
        ("POST", f"{V1}/register", {"GET", "HEAD"}),
        ("DELETE", f"{V1}/activeorders", {"GET", "HEAD", "POST"}),
    ],
)
def test_an_unknown_method_is_405_and_told_what_is_allowed(
    shop: Served, method: str, path: str, allowed: set[str]
) -> None:
    answer = shop.ask(method, path)
    answer.refuses(405, -5 if path.startswith(V2) else None)
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_every_time_is_shown_in_the_shape_of_the_page(shop: Served, call: Call) -> None:
    found = re.findall(rf'"({TIME}[^"]*)"', shop.ask(*call.made(shop)).body.decode())
    offset = r"\+00:00" if call.path == f"{V1}/orders" else ""
    assert all(re.fullmatch(TIME + offset, time) for time in found)


def test_times_follow_the_timezone_that_is_set_and_those_of_the_old_history_are_utc(shop: Served) -> None:
    assert shop.post(f"{V2}/gateway/settings", {"timezone": "America/New_York"}).status == 200
    there = "2016-09-22T15:08:52"
    [active] = shop.get(ORDERS).json["items"]
    assert (active["created"], active["stateChanged"]) == (there, there)
    [older] = shop.get(f"{V1}/activeorders").json["items"]
    assert (older["created"], older["stateStarted"]) == (there, there)
    assert shop.get(f"{V2}/accesstoken").json["token"]["creation_date"] == there
    assert shop.get(f"{V2}/accesstoken").json["token"]["last_used"] == there
    assert shop.get(f"{V2}/orders").json["items"][0]["orderStarted"] == there
    assert shop.get(f"{V1}/orders").json["items"][0]["orderStarted"] == f"{NOON}+00:00"
    assert shop.get(f"{V2}/listeners").json["items"][0]["registered"] == there


@pytest.mark.parametrize("key", [False, True])
@pytest.mark.parametrize("path", [f"{V1}/activeorders", ORDERS])
def test_tokens_and_keys_are_taken_as_bearer_and_as_basic_on_both_versions(path: str, key: bool) -> None:
    house = House()
    secret = result_of(house.gateway.secrets.create("x", key=key)).secret
    for header in (f"Bearer {secret}", basic(secret)):
        assert house.ask("GET", path, known=False, headers={"Authorization": header}).status == 200


@pytest.mark.parametrize("call", CALLS, ids=str)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": basic("wrong")}])
def test_who_shows_no_known_secret_is_401_and_told_what_is_wanted(
    shop: Served, call: Call, headers: dict[str, str]
) -> None:
    answer = shop.ask(*call.made(shop), known=False, headers=headers)
    if str(call) in OPEN:
        assert answer.status == 200
        return
    newer = call.path.startswith(V2)
    answer.refuses(401, -2 if newer else None)
    assert answer.headers["www-authenticate"] == ("Bearer" if newer else 'Basic realm="ttgateway"')


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_malformed_header_is_400_also_where_no_secret_is_wanted(shop: Served, call: Call) -> None:
    answer = shop.ask(*call.made(shop), known=False, headers={"Authorization": "Digest x"})
    answer.refuses(400, -1 if call.path.startswith(V2) else None)
    assert answer.json["message"].startswith(MALFORMED)


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_setting_opens_what_the_vendors_pages_leave_unmarked_and_no_more(call: Call) -> None:
    shop = Served(Settings(access=Access(open_to_old_devices=True)))
    opened = str(call) in OPEN or any(part in call.path for part in OPENED)
    assert (shop.ask(*call.made(shop), known=False).status == 200) == opened
    shop.close()


def test_the_root_is_polled_without_a_secret_and_shows_the_gateway() -> None:
    house = House()
    house.timers.advance(61.9)
    answer = house.ask("GET", V2, known=False)
    assert set(answer.json["gateway"]) == {"name", "id", "version", "epoch", "uptime"}
    exactly(answer, {**json.loads(house.get(f"{V2}/gateway").body)})
