import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.stand_ins import House
from tests.support import result_of
from ttgateway.control.server import matching
from ttgateway.orders.order import OrderType
from ttgateway.store.tables.tokens import Token

ONE = Token(hash=bytes(32), name="pos", kind="token", created=0.0)
OTHER = Token(hash=bytes([1] * 32), name="000000000000", kind="token", created=0.0)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def ask(house: House, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
    async def work(reactor: Any, _: object) -> tuple[int, Any]:
        response = await house.control.request(method, f"http://daemon{path}", data=body, reactor=reactor)
        return response.code, json.loads(await response.content())

    status, fields = house.run(work)
    return int(status), fields


def test_a_secret_is_shown_when_it_is_made_and_never_again(house: House) -> None:
    status, made = ask(house, "POST", "/tokens", b'{"name": "pos"}')
    assert status == 200
    assert made["secret"] not in json.dumps(ask(house, "GET", "/tokens"))


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"name": "a/b"}', b'{"name": 7}', b"\xff"])
def test_what_cannot_be_done_is_refused_with_a_message(house: House, body: bytes) -> None:
    status, fields = ask(house, "POST", "/tokens", body)
    assert status == 400
    assert fields["message"]
    assert house.names() == []


@pytest.mark.parametrize("body", [b'{"a":' + b"[" * 5_000, b'{"name": "\xff"}', b'{"a": "\\ud800"}', b'"\xed\xa0\x80"'])
def test_a_body_that_no_reader_takes_is_refused_like_any_other(house: House, body: bytes) -> None:
    assert ask(house, "POST", "/tokens", body)[0] == 400


def test_revoking_says_how_many_there_were(house: House) -> None:
    result_of(house.gateway.secrets.create("a b"))
    assert ask(house, "DELETE", "/tokens/a%20b") == (200, {"revoked": 1})
    assert ask(house, "DELETE", "/tokens/a%20b") == (200, {"revoked": 0})


def test_an_order_is_shown_as_it_stands(house: House) -> None:
    order = result_of(house.gateway.post("66", OrderType.ON_PREMISE, "22")).order
    house.reactor.advance(9)
    assert ask(house, "GET", "/orders") == (
        200,
        [
            {
                "name": "66",
                "uuid": order.uuid,
                "orderType": "ON_PREMISE",
                "locationName": "22",
                "state": "located",
                "created": "2016-09-22T19:08:52",
                "stateChanged": "2016-09-22T19:08:52",
                "paged": False,
                "elapsedTime": 9,
            }
        ],
    )


def test_an_id_goes_before_a_name() -> None:
    assert matching([ONE, OTHER], "000000000000") == [ONE]
    assert matching([OTHER], "000000000000") == [OTHER]
    assert matching([ONE, OTHER], "pos") == [ONE]
    assert matching([ONE, OTHER], "nobody") == []
