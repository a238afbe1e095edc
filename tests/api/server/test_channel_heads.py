import json

import pytest

from tests.api.server.house import GET, POST, House
from ttgateway.api.server.refusal import error_body


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /api/v2 HTTP/1.1\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\nHost:\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\nHost: gateway\r\nHost: gateway\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\nHost: a..b\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\nHost: gateway, gateway\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\nHost: user@gateway\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\nHost: gateway:x\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\nHost: gatew\xc3\xa4y\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\nHost: " + b"a" * 64 + b"\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\nHost: evil.test\r\n", 421),
        (b"GET /api/v2 HTTP/1.0\r\nHost: evil.test\r\n", 421),
        (b"GET /api/v2 HTTP/1.1\r\nHost: [fd00::2]:8000\r\n", 421),
        (b"GET /api/v2 HTTP/1.1\r\nHost: gateway\r\nOrigin: http://evil.test\r\n", 403),
        (b"GET /api/v2 HTTP/1.1\r\nHost: gateway\r\nOrigin: null\r\n", 403),
        (b"GET /api/v2 HTTP/1.1\r\nHost: gateway\r\nOrigin: http://gateway:9000\r\n", 403),
        (b"GET /api/v2 HTTP/1.1\r\nHost: gateway\r\nOrigin: http://gateway\r\nOrigin: http://evil.test\r\n", 403),
        (b"GET /api/v2 HTTP/1.1\r\nHost: gateway\r\nSec-Fetch-Site: cross-site\r\n", 403),
        (b"GET /api/v2 HTTP/1.0\r\nOrigin: http://None\r\n", 403),
        (
            b"POST /api/v2 HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            400,
        ),
        (
            b"POST /api/v2 HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            400,
        ),
        (b"POST /api/v2 HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: identity\r\n", 400),
        (b"POST /api/v2 HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: gzip, chunked\r\n", 400),
        (b"POST /api/v2 HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400),
        (b"POST /api/v2 HTTP/1.0\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"POST /api/v2 HTTP/1.1\r\nHost: gateway\r\nContent-Length: +5\r\n", 400),
        (b"POST /api/v2 HTTP/1.1\r\nHost: gateway\r\nContent-Length: -5\r\n", 400),
        (b"POST /api/v2 HTTP/1.1\r\nHost: gateway\r\nContent-Length: 5\r\nContent-Length: 5\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\nHost: gateway\r\nX: a\r\n b\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\n Host: gateway\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\nHost : gateway\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\nHost: gateway\r\nX: a\nb\r\n", 400),
        (b"GET /api/v2 HTTP/1.1\r\nHost: gateway\r\nno colon\r\n", 400),
        (b"GET /api/v2 HTTP/2.0\r\nHost: gateway\r\n", 400),
        (b"GET /api/v2 HTTP/1.2\r\nHost: gateway\r\n", 400),
        (b"GET /api/v2\r\nHost: gateway\r\n", 400),
        (b"G@T /api/v2 HTTP/1.1\r\nHost: gateway\r\n", 400),
        (b"GET /api/v2/\x85 HTTP/1.1\r\nHost: gateway\r\n", 400),
    ],
)
def test_a_head_that_could_be_read_in_two_ways_or_is_not_for_us_is_refused(
    house: House, head: bytes, status: int
) -> None:
    wire = house.wire()
    wire.send(head + b"\r\n")
    assert wire.refused(status)["returnCode"] == -5
    assert house.echo.requests == []


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: gateway\r\n",
        b"GET / HTTP/1.1\r\nHost: GateWay.:8000\r\n",
        b"GET / HTTP/1.1\r\nHost: 10.0.0.1:8000\r\n",
        b"GET / HTTP/1.1\r\nHost: [FD00::1]:8000\r\n",
        b"GET / HTTP/1.0\r\n",
        b"GET / HTTP/1.0\r\nHost: gateway\r\n",
        b"GET / HTTP/1.1\r\nHost: gateway:8000\r\nOrigin: http://gateway:8000\r\n",
        b"GET / HTTP/1.1\r\nHost: gateway\r\nOrigin: https://pos.example\r\nSec-Fetch-Site: cross-site\r\n",
        b"GET / HTTP/1.1\r\nHost: gateway\r\nSec-Fetch-Site: same-origin\r\n",
        b"GET http://gateway:8000/ HTTP/1.1\r\nHost: gateway:8000\r\n",
        b"GET HTTP://GateWay HTTP/1.1\r\nHost: gateway\r\n",
        b"GET http://[fd00::1]?x=1 HTTP/1.1\r\nHost: gateway\r\n",
        b"POST / HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\n",
        b"DELETE / HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n",
    ],
)
def test_a_head_that_is_ours_is_taken(house: House, head: bytes) -> None:
    wire = house.wire()
    wire.send(head + b"\r\n")
    assert wire.statuses() == [200] or wire.said().startswith(b"HTTP/1.0 200 ")


def test_of_an_absolute_target_the_path_and_query_count(house: House) -> None:
    house.wire().send(b"GET http://gateway/api/v2/hello?a=b//c HTTP/1.1\r\nHost: gateway\r\n\r\n")
    assert house.echo.requests[0].uri == b"/api/v2/hello?a=b//c"


@pytest.mark.parametrize("host", ["gateway", "evil.test"])
@pytest.mark.parametrize("authority", ["gateway", "evil.test"])
def test_both_names_of_an_absolute_target_must_be_ours(house: House, authority: str, host: str) -> None:
    wire = house.wire()
    wire.send(f"GET http://{authority}/api/v2 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    if "evil.test" in (authority, host):
        assert wire.refused(421)["returnCode"] == -5
    else:
        assert wire.statuses() == [200]


def test_an_error_has_a_return_code_on_version_2_only(house: House) -> None:
    wire = house.wire()
    wire.send(b"GET /api/v1/orders HTTP/1.1\r\nHost: evil.test\r\n\r\n")
    assert list(wire.refused(421)) == ["status", "message"]
    assert json.loads(error_body(413, -31, "Too long.", v2=True)) == {
        "status": 413,
        "returnCode": -31,
        "message": "Too long.",
    }


def test_the_refusal_of_a_head_request_has_no_body(house: House) -> None:
    wire = house.wire()
    wire.send(b"HEAD / HTTP/1.1\r\nHost: evil.test\r\n\r\n")
    assert wire.statuses() == [421]
    assert wire.said().endswith(b"\r\n\r\n")


def test_a_malformed_chunk_is_refused_as_a_bad_body(house: House) -> None:
    wire = house.wire()
    wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
    assert wire.refused(400)["returnCode"] == -31


@pytest.mark.parametrize("half", [False, True])
def test_one_refusal_is_enough_and_ends_a_pipeline(house: House, half: bool) -> None:
    wire = house.wire()
    if half:
        wire.half_closes()
    wire.send(GET + b"GET / HTTP/1.1\r\n\r\n" + GET + b"\r\n\r\n\r\n")
    wire.send(GET)
    assert wire.statuses() == [200, 400]
    assert len(house.echo.requests) == 1
