"""The cases: what is done to the gateway, under which name."""

import json
import struct
from dataclasses import dataclass

from tests.abuse.attack import Attack

SILENT_PORT = "{silent}"
"""Stands in a case for the port of a listener that accepts and never answers."""
SECRET = "{secret}"  # a place
"""Stands in a case for a secret that opens the API."""
KEPT, ONCE = "keep-alive", "close"


@dataclass(frozen=True)
class Case:
    """One case: its attacks, which go on at the same time for ``seconds``.

    ``wants`` is the status of a reply that the attackers must get, or a limit is not there. ``settings`` are those of a
    daemon of its own, ``descriptors`` how many files it may open. ``sheltered``: whether the promises hold for fresh
    connections of a till too; where the attackers have its own address, or its secret, they need not.
    """

    about: str
    attacks: tuple[Attack, ...]
    seconds: float = 4.0
    settings: str = ""
    descriptors: int = 0
    till: str = "127.0.0.1"
    sheltered: bool = True
    wants: str = ""


def _http(line: str, *headers: str, body: bytes = b"", length: int | None = None, connection: str = KEPT) -> bytes:
    said = len(body) if length is None else length
    size = [] if not said and length is None else [f"Content-Length: {said}"]
    lines = [f"{line} HTTP/1.1", "Host: 127.0.0.1", f"Connection: {connection}", *headers, *size]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _frame(opcode: int, payload: bytes, *, last: bool = True, compressed: bool = False) -> bytes:
    """Return a client's frame, masked with zeros."""
    first = opcode | (0x80 if last else 0) | (0x40 if compressed else 0)
    size = len(payload)
    head = bytes([first, 0x80 | size]) if size < 126 else bytes([first, 0xFE]) + struct.pack("!H", size)
    return head + bytes(4) + payload


_GET = _http("GET /api/v2")
_WRONG = "Authorization: Bearer 000000000000000000000000000000000000000000000000"
_KNOWN = f"Authorization: Bearer {SECRET}"
_ORDERS = "POST /api/v2/activeorders"
_FORM = "Content-Type: application/x-www-form-urlencoded"
_CHUNKED = "Transfer-Encoding: chunked"
_UPGRADE = (
    "GET /api/v2/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)
_SOCKET = _UPGRADE.format(more="").encode()
_KNOWN_SOCKET = _UPGRADE.format(more=f"{_KNOWN}\r\n").encode()
_KIB64 = 65_536
_CHUNK = b"10000\r\n" + b"x" * _KIB64 + b"\r\n"
_FIELDS = b"a=b&" * 16_384
_DEEP = b'{"a":' + b"[" * 60_000
_WIDE = json.dumps({f"{number:x}": number for number in range(4_000)}).encode()
_LONGER = json.dumps({"name": "9" * 60_000}).encode()
_REGISTER = json.dumps({"http_client": f"http://127.0.0.1:{SILENT_PORT}/"}).encode()
_HUGE = b"\x82\xff" + struct.pack("!Q", 1 << 62) + bytes(4)


def _registering(url: str, *headers: str) -> bytes:
    return _http(f"GET /api/v1/register?http_client={url}", *headers)


CASES: dict[str, Case] = {
    "slow-headers": Case(
        "slowloris: heads that never end, a line a second",
        (Attack(2_000, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", drip=b"X-a: b\r\n"),),
        seconds=6.5,
    ),
    "slow-headers-few": Case(
        "so few of them that nobody has to go: a deadline must end them",
        (Attack(200, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", drip=b"X-a: b\r\n"),),
        seconds=6.5,
        wants="408",
    ),
    "slow-headers-one-address": Case(
        "the same from one address",
        (Attack(2_000, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", source="127.66.0.1", drip=b"X-a: b\r\n"),),
    ),
    "slow-bodies": Case(
        "bodies a byte at a time",
        (Attack(500, _http(_ORDERS, length=60_000), drip=b"x", every=0.5),),
        seconds=11.0,
        wants="408",
    ),
    "idle": Case("connections that say nothing", (Attack(3_000),)),
    "idle-one-address": Case("the same from one address", (Attack(3_000, source="127.66.0.1"),)),
    "idle-beside-the-till": Case(
        "the same from the till's own address", (Attack(1_000, source="127.0.0.1"),), sheltered=False
    ),
    "idle-after-a-request": Case("connections that were of use once", (Attack(1_500, _GET),)),
    "big-bodies": Case(
        "256 MiB declared",
        (Attack(20, _http(_ORDERS, length=1 << 28), flood=b"x" * _KIB64, most=1 << 28, rate=200),),
        wants="413",
    ),
    "big-chunked-bodies": Case(
        "256 MiB in chunks",
        (Attack(20, _http(_ORDERS, _CHUNKED), flood=_CHUNK, most=1 << 28, rate=200),),
        wants="413",
    ),
    "small-chunks": Case(
        "bodies in chunks of one byte, from strangers and, once in a while, with a secret; thousands of trailers",
        (
            Attack(50, _http(_ORDERS, _CHUNKED), flood=b"1\r\nx\r\n" * 5_000),
            Attack(5, _http(_ORDERS, _KNOWN, _CHUNKED) + b"1\r\nx\r\n" * 60_000, net=67, rate=5),
            Attack(50, _http(_ORDERS, _CHUNKED) + b"0\r\n" + b"a:b\r\n" * 13_000 + b"\r\n", net=68, asks=True),
        ),
        wants="413",
    ),
    "costly-heads": Case(
        "heads that are costly to read, each on a new connection: thousands of fields, cookies, or parts of a path",
        (
            Attack(200, _http("GET /?" + "a=b&" * 3_900), stays=0.05, resets=True, rate=500),
            Attack(200, _http("GET /", "Cookie: " + "a=;" * 5_000), net=67, stays=0.05, resets=True, rate=500),
            Attack(200, _http("GET /" + "a/" * 7_900), net=68, stays=0.05, resets=True, rate=500),
        ),
    ),
    "form-bombs": Case(
        "forms of 30 MB, to no path of ours and to register",
        (
            Attack(10, _http("POST /nothing", _FORM, length=30_000_000), flood=_FIELDS, most=30_000_000, rate=100),
            Attack(
                10,
                _http("POST /api/v2/register", _FORM, length=30_000_000),
                net=67,
                flood=_FIELDS,
                most=30_000_000,
                rate=100,
            ),
            Attack(10, _http("POST /nothing", _FORM, _CHUNKED), net=68, flood=_CHUNK, most=30_000_000, rate=100),
        ),
    ),
    "strange-json": Case(
        "deep and wide JSON from those without a secret",
        (
            Attack(20, _http(_ORDERS, _WRONG, body=_DEEP), asks=True),
            Attack(20, _http(_ORDERS, body=_WIDE), net=67, asks=True),
        ),
    ),
    "known-json": Case(
        "deep, wide and long JSON from devices that show a secret, 40 a second",
        (
            Attack(4, _http(_ORDERS, _KNOWN, body=_DEEP), pace=0.25),
            Attack(4, _http(_ORDERS, _KNOWN, body=_WIDE), net=67, pace=0.5),
            Attack(4, _http(_ORDERS, _KNOWN, body=_LONGER), net=68, pace=0.25),
        ),
    ),
    "requests": Case("requests without a secret, one after the other", (Attack(300, _GET, asks=True),)),
    "requests-one-address": Case(
        "the same from one address", (Attack(300, _GET, source="127.66.0.1", asks=True),), wants="429"
    ),
    "wrong-secrets": Case(
        "guesses at the secret", (Attack(300, _http("GET /api/v2/activeorders", _WRONG), sources=20, asks=True),)
    ),
    "pipelines": Case("requests without waiting for replies", (Attack(100, _GET, flood=_GET * 500),)),
    "pipelines-one-address": Case(
        "the same from one address", (Attack(30, _GET, source="127.66.0.1", flood=_GET * 500),)
    ),
    "churn": Case("connections that come and go at once", (Attack(400, stays=0.05, rate=3_000.0),)),
    "churn-of-requests": Case("a request a connection", (Attack(400, _http("GET /api/v2", connection=ONCE)),)),
    "churn-of-resets": Case("half a request, and a RST", (Attack(400, _GET[:-2], stays=0.05, resets=True),)),
    "churn-of-malformed": Case("heads that are refused", (Attack(400, b"GET / HTTP/1.1\r\nHost: a..b\r\n\r\n"),)),
    "slow-readers": Case(
        "many replies asked for, none read",
        (Attack(300, _http("GET /api/openapi.json") * 40, flood=_http("GET /api/openapi.json") * 40, reads=False),),
    ),
    "known-slow-readers": Case(
        "the list of orders asked for with a secret, none read",
        (Attack(20, _http("GET /api/v2/activeorders", _KNOWN) * 40, reads=False),),
    ),
    "strange-websockets": Case("WebSockets that show no secret", (Attack(1_000, _SOCKET),)),
    "websocket-frames": Case(
        "messages over and over, from strangers and with a secret",
        (
            Attack(100, _SOCKET, flood=_frame(1, b"{}") * 200),
            Attack(20, _KNOWN_SOCKET, net=67, rate=25, flood=_frame(1, b"{}") * 200),
            Attack(100, _GET, net=68, asks=True),  # so that handshakes have to wait for their turn
        ),
    ),
    "websocket-pings": Case(
        "pings over and over, from strangers and with a secret",
        (
            Attack(100, _SOCKET, flood=_frame(9, b"x" * 100) * 50),
            Attack(20, _KNOWN_SOCKET, net=67, rate=25, flood=_frame(9, b"x" * 100) * 50),
        ),
    ),
    "websocket-fragments": Case(
        "messages that never end, huge ones, and compressed ones",
        (
            Attack(20, _KNOWN_SOCKET + _frame(1, b"", last=False), flood=_frame(0, b"x" * 4_000, last=False), rate=25),
            Attack(
                20,
                _KNOWN_SOCKET + b"\x82\xff" + struct.pack("!Q", 1 << 62) + bytes(4),
                net=67,
                rate=25,
                flood=b"x" * 9_999,
            ),
            Attack(20, _KNOWN_SOCKET + _frame(1, b"x" * 100, compressed=True), net=68, rate=25),
            Attack(20, _SOCKET + _frame(1, b"", last=False), net=69, flood=_frame(0, b"", last=False) * 500),
        ),
    ),
    "websocket-readers": Case(
        "readers with a secret that never read",
        (Attack(200, _KNOWN_SOCKET, reads=False),),
    ),
    "registrations": Case(
        "registrations of nobody, without a secret and with one",
        (
            Attack(50, _registering("http://127.0.0.1:9/"), asks=True),
            Attack(50, _registering(f"http://127.0.0.1:{SILENT_PORT}/", _KNOWN), net=67, asks=True),
            Attack(5, _http("POST /api/v2/register", _KNOWN, body=_REGISTER), net=68, asks=True),
        ),
    ),
    "open-registrations": Case(
        "the same where no secret is wanted for it",
        (Attack(200, _registering(f"http://127.0.0.1:{SILENT_PORT}/"), asks=True),),
        settings="[access]\nopen_to_old_devices = true\n",
    ),
    "few-descriptors": Case("1,000 connections, where 256 files may be open", (Attack(1_000),), descriptors=256),
    "few-descriptors-known": Case(
        "1,000 connections with a secret, where 256 files may be open",
        (Attack(1_000, _http("GET /api/v2", _KNOWN)),),
        descriptors=256,
        sheltered=False,
    ),
}

_LONG = {
    "idle-after-a-request",
    "slow-headers-one-address",
    "pipelines-one-address",
    "churn",
    "churn-of-resets",
    "websocket-readers",
}
BOUNDED = tuple(name for name in CASES if name not in _LONG)
"""The cases of the bounded form: each of the others is much like one of these."""
