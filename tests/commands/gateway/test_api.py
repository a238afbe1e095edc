from pathlib import Path
from typing import Any, cast

import pytest
from twisted.web.resource import Resource
from twisted.web.server import Request

from tests.commands.stand_ins import House, Wire
from tests.support import result_of
from ttgateway.commands.gateway.api import GatewayAPI, Refused
from ttgateway.commands.gateway.calling import NoAnswer, Requests
from ttgateway.commands.terminal.console import CommandFailed


class Door:
    """The API of a `House`, with a secret that opens it."""

    def __init__(self, house: House) -> None:
        self.house = house
        secret = result_of(house.gateway.secrets.create("pos")).secret
        self.api = GatewayAPI("http://gateway", secret, house.console.web(house.reactor), house.reactor)

    def call(self, method: str, path: str, **options: Any) -> Any:
        return self.house.run(lambda reactor, _: self.api.call(method, path, **options))


class Page(Resource):
    """The same page for every request."""

    isLeaf = True  # noqa: N815

    def __init__(self, text: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.text = text

    def render(self, request: Request) -> bytes:
        return self.text.encode()


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(House(tmp_path))


def test_a_call_returns_the_reply(door: Door) -> None:
    body = {"name": "66", "orderType": "TO_GO"}
    assert door.call("POST", "/api/v2/activeorders", json=body)["activeorder"]["name"] == "66"


def test_a_refusal_has_the_gateways_words_and_numbers(door: Door) -> None:
    with pytest.raises(Refused) as refused:
        door.call("GET", "/api/v2/activeorders/66")
    assert (refused.value.status, refused.value.code, str(refused.value)) == (404, -6, "Order not found.")
    assert not refused.value.passes


@pytest.mark.parametrize("status", [429, 500, 503, 507])
def test_what_may_be_granted_later_passes(status: int) -> None:
    assert Refused(status, "").passes


@pytest.mark.parametrize("body", ["<html>", "[]", "7"])
def test_what_is_no_gateway_is_told(door: Door, body: str) -> None:
    reactor = door.house.reactor
    other = GatewayAPI("http://gateway", "secret", cast(Requests, Wire(Page(body), reactor)), reactor)
    with pytest.raises(CommandFailed, match="no gateway can be reached at http://gateway: HTTP 200 without"):
        door.house.run(lambda reactor, _: other.first_call("/page"))


def test_a_command_that_ends_with_a_refusal_says_which(door: Door) -> None:
    assert str(door.api.failed(Refused(400, "Invalid."))) == "the gateway at http://gateway refuses (400): Invalid."
    assert "does not know this secret" in str(door.api.failed(Refused(401, "Invalid.")))
    assert str(door.api.failed(NoAnswer("why"))) == "the gateway at http://gateway does not answer: why"
