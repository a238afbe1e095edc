"""Section 10: each returnCode of the page, and an exchange that provokes exactly it."""

import pytest

from tests.api.client import House
from tests.protocol.common import UNKNOWN, URL, V1
from tests.protocol.exchanges import (
    Exchange,
    after_the_button,
    asks,
    asks_what_is_gone,
    bridged,
    cancels_a_page,
    floods,
    on_the_websocket,
    pages_what_cannot_be_paged,
    posts_again,
    posts_on_a_full_disk,
    posts_what_is_located,
    posts_while_stopping,
    private,
    registers,
    registers_in_vain,
    registers_one_too_many,
    small,
    with_listener,
    with_order,
)

ENDPOINTS = {*range(1, 20), 901, 902}
ACKS = {*range(1001, 1014), 1901, 1902, 1903} - {1008, 1011}
"""All but those of an activation, for which there is no cloud."""
ERRORS = ({*range(-32, 0)} | {-901, -902, -903, -904}) - {-26}
"""All but one, which the page assigns to nothing."""

OF_ENDPOINTS = [
    Exchange(1, 200, asks("GET", "/accesstoken")),
    Exchange(2, 201, after_the_button, id="GET"),
    Exchange(2, 201, asks("POST", "/accesstoken/generate"), id="POST"),
    Exchange(3, 200, asks("GET", "/accesstoken/all")),
    Exchange(4, 200, asks("GET", "/capabilities")),
    Exchange(5, 200, asks("GET", "/activeorders"), id="GET"),
    Exchange(5, 200, asks("POST", "/activeorders", {"name": "1", "orderType": "TO_GO"}), id="POST"),
    Exchange(5, 200, asks("DELETE", "/activeorders"), id="DELETE"),
    Exchange(6, 200, with_order("GET", "/activeorders/102"), id="GET"),
    Exchange(6, 200, with_order("DELETE", "/activeorders/{uuid}"), id="DELETE"),
    Exchange(7, 200, with_order("POST", "/activeorders/102/page")),
    Exchange(8, 200, asks("GET", "/orders")),
    Exchange(9, 200, with_order("GET", "/orders/{uuid}")),
    Exchange(10, 200, asks("GET", "/statistics")),
    Exchange(11, 200, asks("GET", "/gateway")),
    Exchange(12, 200, asks("GET", "/gateway/activate")),
    Exchange(13, 200, asks("GET", "/gateway/settings")),
    Exchange(14, 200, asks("GET", "/gateway/check")),
    Exchange(15, 200, asks("GET", "/repeaters")),
    Exchange(18, 200, asks("GET", "/trackers")),
    Exchange(901, 200, asks("GET", "/listeners"), id="all"),
    Exchange(901, 200, with_listener("GET", "/listeners/{listener}"), id="one"),
    Exchange(902, 200, asks("GET", "/events?since=0")),
]
NEVER_ALONE = {16, 17, 19}
"""Endpoints whose every success is an acknowledgement."""

PAIRING, NOT_PAIRING = "Gateway listening for repeaters.", "Gateway has stopped listening for repeaters."
OF_ACKS = [
    Exchange(1001, 200, asks("DELETE", "/accesstoken"), "Token deleted."),
    Exchange(1002, 200, cancels_a_page, "Paging canceled."),
    Exchange(1003, 200, with_order("DELETE", "/activeorders/102/page"), "No paged tracker to cancel."),
    Exchange(1004, 200, asks("POST", "/gateway/settings", {"zigbeePreset": "B"}), "Settings successfully changed."),
    Exchange(1005, 200, registers, f"Registered client at: {URL}"),
    Exchange(1006, 200, asks("DELETE", "/repeaters"), "Repeater clearing successful."),
    Exchange(1007, 200, asks("DELETE", "/trackers")),
    Exchange(1009, 200, posts_again, "Order already started."),
    Exchange(1010, 200, posts_what_is_located, "Order already located."),
    Exchange(1012, 200, asks("POST", "/repeaters/beginPairing"), PAIRING),
    Exchange(1013, 200, asks("POST", "/repeaters/beginPairing?timeout=0"), NOT_PAIRING, id="begin"),
    Exchange(1013, 200, asks("POST", "/repeaters/endPairing"), NOT_PAIRING, id="end"),
    Exchange(1901, 200, with_listener("DELETE", "/register", {"http_client": URL}), id="register"),
    Exchange(1901, 200, with_listener("DELETE", "/listeners/{listener}"), id="listeners"),
    Exchange(1902, 200, with_listener("POST", "/listeners/{listener}/resync")),
    Exchange(1903, 200, with_listener("POST", "/listeners/{listener}/replay", {"since": 0})),
]

ORDER = {"name": "102", "orderType": "ON_PREMISE"}
SHUT = "Time window expired or gateway button not pressed."
REFRESH = "Invalid boolean value for refresh parameter. Must be true or false."
TIMEOUT = "Invalid integer value for timeout query parameter. Must be a valid integer between 0-254"
MALFORMED = "Malformed device code. Must be in the format of 012-3456-789"
PRESET = "Invalid value DAA for key zigbeePreset. Invalid zigbee preset."
OF_ERRORS = [
    Exchange(-1, 400, asks("GET", "/activeorders", known=False, headers={"Authorization": "Digest x"})),
    Exchange(-2, 401, asks("GET", "/activeorders", known=False), id="none"),
    Exchange(-2, 401, asks("GET", "/activeorders", known=False, headers={"Authorization": "Bearer x"}), id="unknown"),
    Exchange(-2, 401, on_the_websocket('{"accesstoken": "x"}'), id="websocket"),
    Exchange(-3, 403, asks("GET", "/accesstoken/generate"), SHUT),
    Exchange(-4, 400, asks("POST", "/accesstoken/generate", {"name": "a/b"})),
    Exchange(-5, 404, asks("GET", "/nothing"), id="path"),
    Exchange(-5, 405, asks("PUT", "/activeorders"), id="method"),
    Exchange(-6, 404, asks("GET", "/activeorders/102"), id="active"),
    Exchange(-6, 404, asks("GET", f"/orders/{UNKNOWN}"), id="past"),
    Exchange(-7, 400, asks("GET", "/activeorders/abc")),
    Exchange(-8, 400, asks("POST", "/activeorders", {"orderType": "TO_GO"})),
    Exchange(-9, 400, asks("POST", "/activeorders", {**ORDER, "name": "x"})),
    Exchange(-10, 400, asks("POST", "/activeorders", {**ORDER, "locationName": "x"}), id="posted"),
    Exchange(-10, 400, asks("GET", "/orders?location_name=x"), id="asked for"),
    Exchange(-11, 400, asks("POST", "/activeorders", {"name": "102"})),
    Exchange(-12, 400, asks("POST", "/activeorders", {**ORDER, "orderType": "x"}), id="posted"),
    Exchange(-12, 400, asks("GET", "/orders?order_type=x"), id="asked for"),
    Exchange(-13, 503, with_order("POST", "/activeorders/102/page"), shop=bridged),
    Exchange(-14, 409, pages_what_cannot_be_paged),
    Exchange(-15, 400, with_order("POST", "/activeorders/102/page", {"tracking": "x"}), id="tracking"),
    Exchange(-15, 400, asks("GET", "/repeaters?refresh=x"), REFRESH, id="refresh"),
    Exchange(-16, 400, asks("POST", "/repeaters/beginPairing?timeout=255"), TIMEOUT),
    Exchange(-17, 400, asks("POST", "/gateway/activate", {"deviceCode": "x"}), MALFORMED),
    Exchange(-18, 400, asks("POST", "/gateway/activate"), "Missing device code."),
    Exchange(-19, 400, asks("POST", "/gateway/activate", {"deviceCode": "012-3456-789"}), "Invalid device code."),
    Exchange(
        -20,
        400,
        asks("POST", "/gateway/settings", {"thisDoesNotExist": 1}),
        "Invalid settings key: thisDoesNotExist",
    ),
    Exchange(-21, 400, asks("POST", "/gateway/settings", {"zigbeePreset": "DAA"}), PRESET),
    Exchange(-22, 400, asks("GET", "/statistics?target_time=x")),
    Exchange(-23, 400, asks("GET", "/orders?limit=101")),
    Exchange(-24, 400, asks("GET", "/orders?offset=-1")),
    Exchange(-25, 400, asks("GET", "/orders?created_after=x")),
    Exchange(-27, 400, asks("GET", "/orders/102")),
    Exchange(-28, 400, asks("POST", "/register")),
    Exchange(-29, 400, asks("POST", "/register", {"http_client": "x"}), id="no url"),
    Exchange(-29, 403, asks("POST", "/register", {"http_client": "http://203.0.113.7/"}), id="policy", shop=private),
    Exchange(-30, 404, registers_in_vain, f"Client not responding at {URL}"),
    Exchange(-31, 400, asks("POST", "/activeorders", b"[]"), id="no object"),
    Exchange(-31, 413, asks("POST", "/activeorders", b" " * (64 * 1024 + 1)), id="too long"),
    Exchange(-31, 400, on_the_websocket("x"), id="websocket"),
    Exchange(-32, 408, on_the_websocket()),
    Exchange(-901, 404, asks("GET", f"/listeners/{'0' * 12}"), id="id"),
    Exchange(-901, 404, asks("DELETE", "/register", {"http_client": URL}), id="url"),
    Exchange(-902, 410, asks("GET", f"/events?since=0&epoch={'0' * 12}"), id="epoch"),
    Exchange(-902, 410, asks_what_is_gone, id="since"),
    Exchange(-903, 429, floods, id="requests"),
    Exchange(-903, 429, registers_one_too_many, id="listeners", shop=small),
    Exchange(-904, 507, posts_on_a_full_disk, id="disk full"),
    Exchange(-904, 503, posts_while_stopping, id="stopping"),
]
TABLE = [*OF_ENDPOINTS, *OF_ACKS, *OF_ERRORS]


def test_the_table_has_every_code_of_the_page() -> None:
    assert {exchange.code for exchange in OF_ENDPOINTS} == ENDPOINTS - NEVER_ALONE
    assert {exchange.code for exchange in OF_ACKS} == ACKS
    assert {exchange.code for exchange in OF_ERRORS} == ERRORS


@pytest.mark.parametrize("exchange", TABLE, ids=lambda exchange: f"{exchange.code} {exchange.id}".strip())
def test_the_exchange_provokes_this_code(exchange: Exchange) -> None:
    shop = exchange.shop()
    answer = exchange.asked(shop)
    assert (answer.status, answer.json["returnCode"]) == (exchange.status, exchange.code)
    data = 0 < exchange.code < 1000
    assert ("message" in answer.json) == (not data)
    if exchange.message is not None:
        assert answer.json["message"] == exchange.message
    shop.close()


@pytest.mark.parametrize("exchange", OF_ERRORS, ids=lambda exchange: f"{exchange.code} {exchange.id}".strip())
def test_an_error_holds_its_numbers_and_a_message_and_no_more(exchange: Exchange) -> None:
    shop = exchange.shop()
    answer = exchange.asked(shop)
    assert set(answer.json) - {"cause"} == {"status", "returnCode", "message"}
    assert ("cause" in answer.json) == (exchange.code == -30)
    shop.close()


def test_version_1_has_no_codes_in_its_errors_either() -> None:
    house = House()
    for method, path, status in (
        ("GET", f"{V1}/nothing", 404),
        ("PUT", f"{V1}/activeorders", 405),
        ("POST", f"{V1}/activeorders", 400),
        ("DELETE", f"{V1}/activeorders/102", 404),
        ("GET", f"{V1}/register", 400),
        ("GET", f"{V1}/orders?limit=0", 400),
        ("GET", f"{V1}/statistics?target_time=x", 400),
    ):
        house.ask(method, path).refuses(status, None)
