from collections.abc import Iterator

import pytest

from tests.api.client import PEER, Answer, Connection, House, basic
from tests.feeds.screens import Screen, handshake
from ttgateway.api.routes import STRANGERS_BURST


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.audience.stop()


def asked(house: House, data: bytes, peer: str = PEER) -> Answer:
    """Return the answer in plain HTTP to what is no handshake."""
    connection = Connection(house.site, peer)
    connection.send(data)
    connection.end()
    return connection.answer()


def test_the_handshake_is_answered_as_rfc_6455_has_it(house: House) -> None:
    head = Screen(house).transport.value().partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"http/1.1 101 ")
    assert b"sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in head
    assert b"\r\nupgrade: websocket" in head


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "basic"])
def test_the_secret_is_shown_at_the_handshake_in_either_form(house: House, form: str) -> None:
    value = basic(house.secret) if form == "basic" else form.format(house.secret)
    assert [told["type"] for told in Screen(house, Authorization=value).told] == ["ACTIVE_ORDERS"]


@pytest.mark.parametrize("value", ["Digest x", "Bearer", "Basic x", ""])
def test_a_malformed_authorization_is_refused_in_plain_http(house: House, value: str) -> None:
    asked(house, handshake(Authorization=value)).refuses(400, -1)


def test_a_secret_that_opens_nothing_is_told_on_the_websocket(house: House) -> None:
    Screen(house, "f" * 48).refused(401, -2, 4401)
    Screen(house, Authorization=basic("f" * 48)).refused(401, -2, 4401)


def test_pages_of_other_origins_get_no_websocket(house: House) -> None:
    asked(house, handshake(house.secret, Origin="http://evil.example")).refuses(403, -5)
    asked(house, handshake(house.secret, **{"Sec-Fetch-Site": "cross-site"})).refuses(403, -5)
    asked(house, handshake(house.secret, Host="evil.example")).refuses(421, -5)
    assert Screen(house, house.secret, Origin="http://gateway").code is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"Connection": "close"},
        {"Connection": "\xff"},
        {"Upgrade": "h2c"},
        {"Sec-WebSocket-Version": "8"},
        {"Sec-WebSocket-Key": "short"},
        {"Sec-WebSocket-Key": "\xff" * 22 + "=="},
        {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="[:-3] + "R=="},
    ],
)
def test_what_is_no_handshake_is_told_what_is_wanted(house: House, wrong: dict[str, str]) -> None:
    answer = asked(house, handshake(house.secret, **wrong))
    answer.refuses(426, -5)
    assert (answer.headers["upgrade"], answer.headers["sec-websocket-version"]) == ("websocket", "13")


def test_a_plain_get_and_a_head_are_no_handshakes(house: House) -> None:
    house.get("/api/v2/websocket").refuses(426, -5)
    assert asked(house, handshake(house.secret).replace(b"GET", b"HEAD", 1)).status == 426
    assert asked(house, handshake(house.secret).replace(b"HTTP/1.1", b"HTTP/1.0", 1)).status == 426
    house.post("/api/v2/websocket").refuses(405, -5)


def test_headers_that_libraries_stumble_over_are_not_shown_to_them(house: House) -> None:
    odd = {"Sec-WebSocket-Extensions": "permessage-deflate; \xff", "X-Odd": "\xff\x01"}
    connection = Connection(house.site, PEER)
    connection.send(handshake(house.secret, Host="gateway:8000", **odd))
    assert connection.transport.value().startswith(b"HTTP/1.1 101 ")


def test_a_trailing_slash_is_accepted(house: House) -> None:
    connection = Connection(house.site, PEER)
    connection.send(handshake(house.secret).replace(b"/websocket", b"/websocket/", 1))
    assert connection.transport.value().startswith(b"HTTP/1.1 101 ")


def test_who_has_shown_a_secret_counts_among_the_trusted_and_others_do_not(house: House) -> None:
    at_once, later = Screen(house, house.secret), Screen(house)
    assert house.site.connections.untrusted == 1
    later.show(house.secret)
    assert house.site.connections.untrusted == 0
    at_once.end()
    later.end()
    assert len(house.site.connections) == 0


def test_the_oldest_websocket_without_a_secret_makes_room_for_the_next(house: House) -> None:
    known = Screen(house, house.secret)
    screens = [Screen(house) for _ in range(33)]
    assert [screen.cut_off for screen in screens] == [True] + [False] * 32
    assert not known.cut_off


def test_a_handshake_is_a_sign_of_life_of_its_host(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(house.gateway.registry, "heard", heard.append)
    Screen(house, house.secret, peer="10.0.0.9")
    assert heard == ["10.0.0.9"]


def test_too_many_handshakes_without_a_secret_are_refused_in_plain_http(house: House) -> None:
    for _ in range(STRANGERS_BURST):
        Screen(house).end()
    asked(house, handshake()).refuses(429, -903)
    assert Screen(house, house.secret).code is None
