import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from klein import Klein
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IProtocol, ITCPTransport
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import directlyProvides, implementer

from ttgateway.api.channel import ApiChannel, error_body
from ttgateway.api.request import ApiRequest
from ttgateway.api.site import ApiSite

GET = b"GET /api/v2/hello HTTP/1.1\r\nHost: gateway:8000\r\n\r\n"
POST = b"POST /api/v2/hello HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
GONE = Failure(ConnectionDone())
STATUS = re.compile(rb"^HTTP/1\.1 (\d{3}) ", re.MULTILINE)


class Echo(Resource):
    """Answers at once with the body that it got, or when it is told to."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.isLeaf = True
        self.waits = False
        self.trusts = False
        self.requests: list[ApiRequest] = []
        self.bodies: list[bytes] = []

    def render(self, request: ApiRequest) -> bytes | int:
        assert request.content is not None
        self.requests.append(request)
        self.bodies.append(request.content.read())
        if self.trusts:
            request.trust()
        return NOT_DONE_YET if self.waits else b"<" + self.bodies[-1] + b">\n"

    def answer(self, body: bytes = b"late\n") -> None:
        request = self.requests[-1]
        request.write(body)  # type: ignore[no-untyped-call]
        request.finish()  # type: ignore[no-untyped-call]


class Wire:
    """One client's end of a connection to a site."""

    def __init__(self, site: ApiSite, address: IAddress | None = None) -> None:
        self.ended = False
        self.transport = StringTransport(peerAddress=address or IPv4Address("TCP", "10.0.0.7", 40000))
        self.channel = site.buildProtocol(None)
        self.channel.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def half_closes(self) -> list[bool]:
        """Let the transport be one that can close its own half alone, as those of TCP can; return its closings."""
        closings: list[bool] = []
        directlyProvides(self.transport, ITCPTransport)
        self.transport.loseWriteConnection = lambda: closings.append(True)  # type: ignore[attr-defined]
        return closings

    def send(self, data: bytes) -> None:
        self.channel.dataReceived(data)

    def said(self) -> bytes:
        return bytes(self.transport.value())

    def statuses(self) -> list[int]:
        return [int(status) for status in STATUS.findall(self.said())]

    def reply(self) -> dict[str, object]:
        head, _, body = self.said().partition(b"\r\n\r\n")
        assert b"Content-Type: application/json" in head
        assert b"Content-Length: %d" % len(body) in head
        parsed: dict[str, object] = json.loads(body)
        return parsed

    def refused(self, status: int) -> dict[str, object]:
        assert self.statuses() == [status]
        assert b"\r\nConnection: close\r\n" in self.said()
        assert b"\r\nServer: ttgateway\r\n" in self.said()
        assert self.transport.disconnecting
        reply = self.reply()
        assert reply["status"] == status
        assert isinstance(reply["message"], str)
        return reply

    def end(self) -> None:
        self.ended = True
        self.channel.connectionLost(GONE)


class House:
    """A site with an `Echo`, and its clock."""

    def __init__(self, resource: IResource | None = None) -> None:
        self.clock = Clock()
        self.echo = Echo()
        self.site = ApiSite(
            self.echo if resource is None else resource,
            self.clock,
            {"gateway", "10.0.0.1", "fd00::1"}.__contains__,
            frozenset({"https://pos.example"}),
        )

        self._wires: list[Wire] = []

    def wire(self, address: IAddress | None = None) -> Wire:
        wire = Wire(self.site, address)
        self._wires.append(wire)
        return wire

    def close(self) -> None:
        for wire in self._wires:
            if not wire.ended:
                wire.end()

    def pass_time(self, seconds: float) -> None:
        self.clock.pump([0.25] * int(seconds * 4))


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.close()


@contextmanager
def nothing_logged() -> Iterator[None]:
    failures: list[LogEvent] = []

    @implementer(ILogObserver)
    def note(event: LogEvent) -> None:
        if "log_failure" in event:
            failures.append(event)

    globalLogPublisher.addObserver(note)
    yield
    globalLogPublisher.removeObserver(note)
    assert failures == []


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with nothing_logged():
        yield


def test_a_request_is_answered_and_the_connection_kept(house: House) -> None:
    wire = house.wire()
    wire.send(GET)
    wire.send(POST + b"Content-Length: 2\r\n\r\n{}")
    assert wire.statuses() == [200, 200]
    assert house.echo.bodies == [b"", b"{}"]
    assert not wire.transport.disconnecting
    assert b"Server: ttgateway\r\n" in wire.said()


def test_pipelined_requests_are_answered_in_turn(house: House) -> None:
    wire = house.wire()
    house.echo.waits = True
    wire.send(GET + POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + GET[:20])
    assert len(house.echo.requests) == 1
    house.echo.answer()
    assert house.echo.bodies == [b"", b"{}"]
    house.echo.answer()
    wire.send(GET[20:])
    house.echo.answer()
    assert wire.statuses() == [200, 200, 200]


def test_every_byte_may_come_alone(house: House) -> None:
    wire = house.wire()
    for byte in GET + POST + b"Content-Length: 2\r\n\r\n{}":
        wire.send(bytes([byte]))
    assert wire.statuses() == [200, 200]


def test_a_form_is_never_parsed(house: House) -> None:
    wire = house.wire()
    wire.send(
        b"POST /api/v2/register?x=1 HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 3\r\n\r\na=b"
    )
    wire.send(
        b"POST / HTTP/1.1\r\nHost: gateway\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: 5\r\n\r\n--b--"
    )
    assert house.echo.bodies == [b"a=b", b"--b--"]
    assert [request.args for request in house.echo.requests] == [{b"x": [b"1"]}, {}]


# Sizes


def test_a_body_declared_too_long_is_refused_before_it_is_read(house: House) -> None:
    wire = house.wire()
    wire.send(POST + b"Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n")
    assert wire.refused(413)["returnCode"] == -31
    wire.send(b"x" * 65537)
    assert house.echo.requests == []


def test_a_length_of_thousands_of_digits_is_too_long(house: House) -> None:
    wire = house.wire()
    wire.send(POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n")
    wire.refused(413)


def test_the_longest_body_is_taken_in_either_coding(house: House) -> None:
    wire = house.wire()
    wire.send(POST + b"Content-Length: 65536\r\n\r\n" + b"x" * 65536)
    wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"8000\r\n" + b"y" * 32768 + b"\r\n")
    wire.send(b"8000\r\n" + b"y" * 32768 + b"\r\n0\r\n\r\n")
    assert wire.statuses() == [200, 200]
    assert house.echo.bodies == [b"x" * 65536, b"y" * 65536]


@pytest.mark.parametrize("pieces", [1, 70])
def test_a_chunked_body_is_counted_as_it_comes(house: House, pieces: int) -> None:
    wire = house.wire()
    body = (b"400\r\n" + b"x" * 1024 + b"\r\n") * 70 + b"0\r\n\r\n"
    wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    for index in range(pieces):
        wire.send(body[index * len(body) // pieces : (index + 1) * len(body) // pieces])
    assert wire.refused(413)["returnCode"] == -31
    assert house.echo.requests == []


def test_what_comes_after_a_refusal_is_dropped_and_at_length_not_even_read(house: House) -> None:
    wire = house.wire()
    closings = wire.half_closes()
    wire.send(POST + b"Content-Length: 10000000\r\n\r\n")
    assert wire.statuses() == [413]
    assert closings == [True]  # our half only: the peer still sends, and shall not be reset before it has read this
    for _ in range(4):
        wire.send(b"x" * 65536)
    assert wire.transport.producerState == "producing"
    wire.send(b"x")
    assert wire.transport.producerState == "paused"
    house.pass_time(5)
    assert wire.transport.disconnected


@pytest.mark.parametrize(("line", "status"), [(b"X-%d: 1\r\n", 431), (b"X-%d: " + b"1" * 200 + b"\r\n", 431)])
def test_too_many_headers_are_refused(house: House, line: bytes, status: int) -> None:
    wire = house.wire()
    wire.send(GET[:-2] + b"".join(line % index for index in range(110)) + b"\r\n")
    wire.refused(status)
    assert house.echo.requests == []


def test_a_hundred_headers_are_taken(house: House) -> None:
    wire = house.wire()
    wire.send(GET[:-2] + b"".join(b"X-%d: 1\r\n" % index for index in range(99)) + b"\r\n")
    assert wire.statuses() == [200]


@pytest.mark.parametrize("ended", [b"", b" HTTP/1.1\r\n\r\n"])
def test_an_overlong_request_line_is_refused(house: House, ended: bytes) -> None:
    wire = house.wire()
    wire.send(b"GET /api/v2/" + b"a" * 17000 + ended)
    assert wire.refused(414)["returnCode"] == -5


def test_an_overlong_header_is_refused(house: House) -> None:
    wire = house.wire()
    wire.send(GET[:-2] + b"X: " + b"a" * 17000)
    wire.refused(431)


# What the head says


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
        b"POST / HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\n",
        b"DELETE / HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n",
    ],
)
def test_a_head_that_is_ours_is_taken(house: House, head: bytes) -> None:
    wire = house.wire()
    wire.send(head + b"\r\n")
    assert wire.statuses() == [200] or wire.said().startswith(b"HTTP/1.0 200 ")


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


# Deadlines


def test_a_silent_connection_is_closed_after_a_minute(house: House) -> None:
    wire = house.wire()
    house.pass_time(59.75)
    assert not wire.transport.disconnecting
    house.pass_time(0.25)
    assert wire.transport.disconnecting
    assert wire.said() == b""
    assert not wire.transport.disconnected
    house.pass_time(5)
    assert wire.transport.disconnected
    assert house.clock.getDelayedCalls() == []


def test_a_client_that_polls_keeps_its_connection(house: House) -> None:
    wire = house.wire()
    for _ in range(30):
        wire.send(GET)
        house.pass_time(5)
    house.pass_time(54.75)
    assert wire.statuses() == [200] * 30
    assert not wire.transport.disconnecting
    house.pass_time(0.25)
    assert wire.transport.disconnecting


@pytest.mark.parametrize("idle", [0, 3, 7, 59])
def test_dripping_headers_end_five_seconds_after_the_first_byte(house: House, idle: int) -> None:
    wire = house.wire()
    house.pass_time(idle)
    for byte in GET[:19]:
        wire.send(bytes([byte]))
        house.pass_time(0.25)
    assert wire.statuses() == []
    wire.send(GET[19:20])
    house.pass_time(0.25)
    assert wire.refused(408)["returnCode"] == -5


def test_a_refusal_speaks_of_its_own_request_and_not_of_the_last_one(house: House) -> None:
    wire = house.wire()
    wire.send(GET + b"GET /api/v1/ord")
    house.pass_time(5)
    assert wire.statuses() == [200, 408]
    assert b"returnCode" not in wire.said()


def test_the_headers_of_a_pipelined_request_have_five_seconds_too(house: House) -> None:
    wire = house.wire()
    wire.send(GET + GET[:10])
    house.pass_time(5)
    assert wire.statuses() == [200, 408]


def test_an_empty_line_after_a_request_starts_no_request(house: House) -> None:
    wire = house.wire()
    wire.send(GET + b"\r\n")
    house.pass_time(50)
    assert not wire.transport.disconnecting
    wire.send(GET)
    assert wire.statuses() == [200, 200]


def test_a_dripping_body_ends_ten_seconds_after_the_headers(house: House) -> None:
    wire = house.wire()
    wire.send(POST)
    house.pass_time(4)
    wire.send(b"Content-Length: 1000\r\n\r\n")
    for _ in range(39):
        wire.send(b"x")
        house.pass_time(0.25)
    assert wire.statuses() == []
    house.pass_time(0.25)
    wire.refused(408)
    assert house.echo.requests == []


def test_a_request_that_is_not_answered_in_thirty_seconds_is_cut_off(house: House) -> None:
    wire = house.wire()
    house.echo.waits = True
    wire.send(POST + b"Content-Length: 1\r\n\r\n")
    house.pass_time(8)
    wire.send(b"x")
    house.pass_time(21.75)
    assert not wire.transport.disconnected
    house.pass_time(0.25)
    assert wire.transport.disconnected
    assert wire.said() == b""


def test_a_request_that_waits_on_purpose_has_longer(house: House) -> None:
    wire = house.wire()
    house.echo.waits = True
    wire.send(GET)
    house.echo.requests[0].no_deadline()
    house.pass_time(64.75)
    assert not wire.transport.disconnected
    house.echo.answer()
    house.pass_time(5)
    wire.send(GET)
    house.pass_time(30)
    assert wire.statuses() == [200]
    assert wire.transport.disconnected  # the next one has its 30 s again


@pytest.mark.parametrize("close", [b"", b"Connection: close\r\n"])
def test_who_does_not_read_the_reply_is_cut_off(house: House, close: bytes) -> None:
    wire = house.wire()
    house.echo.waits = True
    wire.send(GET[:-2] + close + b"\r\n")
    house.pass_time(10)
    wire.channel.pauseProducing()  # as a transport does whose buffer is full
    house.echo.answer()
    house.pass_time(19.75)
    assert not wire.transport.disconnected
    house.pass_time(0.25)
    assert wire.transport.disconnected
    assert house.clock.getDelayedCalls() == []


def test_no_further_request_is_answered_while_the_replies_are_not_read(house: House) -> None:
    wire = house.wire()
    wire.send(GET)
    wire.channel.pauseProducing()
    wire.send(GET * 3)
    assert wire.statuses() == [200]
    house.pass_time(20)
    wire.channel.resumeProducing()
    assert wire.statuses() == [200] * 4
    house.pass_time(59.75)
    assert not wire.transport.disconnecting


def test_nothing_is_read_while_the_replies_are_not(house: House) -> None:
    wire = house.wire()
    house.echo.waits = True
    wire.send(GET)
    wire.channel.pauseProducing()
    assert wire.transport.producerState == "paused"
    house.echo.answer()
    assert wire.transport.producerState == "paused"
    wire.channel.resumeProducing()
    assert wire.transport.producerState == "producing"


def test_a_body_that_came_while_the_replies_were_not_read_is_not_forgotten(house: House) -> None:
    wire = house.wire()
    wire.send(POST + b"Content-Length: 2\r\n\r\n")
    wire.channel.pauseProducing()
    wire.send(b"{}")
    assert wire.statuses() == []
    wire.channel.resumeProducing()
    assert wire.statuses() == [200]


def test_no_timer_is_left_when_a_connection_ends(house: House) -> None:
    for data in (b"", GET, GET[:10], POST + b"Content-Length: 5\r\n\r\n", b"nonsense\r\n\r\n"):
        wire = house.wire()
        wire.send(data)
        assert len(house.clock.getDelayedCalls()) == 1
        wire.end()
        assert house.clock.getDelayedCalls() == []
    assert len(house.site.connections) == 0


def test_the_site_itself_needs_no_timer(house: House) -> None:
    house.site.startFactory()
    assert house.clock.getDelayedCalls() == []
    house.site.stopFactory()


# Connections


def test_one_peer_cannot_take_all_connections(house: House) -> None:
    wires = [house.wire() for _ in range(40)]
    assert [wire.transport.disconnected for wire in wires] == [True] * 8 + [False] * 32
    assert len(house.site.connections) == 32


def test_a_newcomer_is_closed_where_all_are_being_answered(house: House) -> None:
    house.echo.waits = True
    wires = [house.wire() for _ in range(32)]
    for wire in wires:
        wire.send(GET)
    late = house.wire()
    late.send(GET)
    assert late.transport.disconnected
    assert len(house.echo.requests) == 32
    house.echo.answer()
    house.wire()
    assert [wire.transport.disconnected for wire in wires] == [False] * 31 + [True]


def test_a_valid_secret_takes_its_connection_out_of_the_count(house: House) -> None:
    house.echo.trusts = True
    trusted = house.wire()
    trusted.send(GET)
    for _ in range(100):
        house.wire()
    assert not trusted.transport.disconnected
    assert len(house.site.connections) == 33
    assert house.site.connections.untrusted == 32


def test_unix_sockets_are_not_counted(house: House) -> None:
    wires = [house.wire(UNIXAddress("/run/ttgateway.sock")) for _ in range(100)]
    wires[0].send(GET)
    assert wires[0].statuses() == [200]
    assert house.site.connections.untrusted == 0


def test_saying_something_about_a_connection_that_has_ended_does_nothing(house: House) -> None:
    house.echo.waits = True
    wire = house.wire()
    wire.send(GET)
    wire.end()
    house.echo.requests[0].trust()
    house.echo.requests[0].no_deadline()
    assert len(house.site.connections) == 0
    assert house.clock.getDelayedCalls() == []


class Upgraded(Protocol):
    def __init__(self) -> None:
        self.got = b""
        self.lost = False

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def connectionLost(self, reason: Failure = GONE) -> None:
        self.lost = True


def upgraded(house: House, wire: Wire) -> Upgraded:
    house.echo.waits = True
    wire.send(GET)
    protocol = Upgraded()
    as_protocol: IProtocol = protocol
    wire.channel._protocolUpgradeForWebsockets(as_protocol)  # as twisted.web.websocket does
    return protocol


def test_a_websocket_has_no_deadline_of_ours_and_gives_its_place_back(house: House) -> None:
    wire = house.wire()
    protocol = upgraded(house, wire)
    house.pass_time(200)
    wire.send(b"frame")
    assert protocol.got == b"frame"
    assert not wire.transport.disconnecting
    assert house.clock.getDelayedCalls() == []
    wire.end()
    assert protocol.lost
    assert len(house.site.connections) == 0


def test_a_websocket_that_shows_no_secret_can_be_cut_off_and_one_that_does_cannot(house: House) -> None:
    mute, honest = house.wire(), house.wire()
    upgraded(house, mute)
    upgraded(house, honest)
    house.echo.requests[-1].trust()
    for _ in range(32):
        house.wire()
    assert mute.transport.disconnected
    assert not honest.transport.disconnected


# Whatever comes


def klein_resource() -> IResource:
    app = Klein()

    @app.route("/api/v2/hello", methods=["GET", "POST", "DELETE"])
    def hello(request: ApiRequest) -> bytes:
        return b"{}"

    @app.route("/api/v2/late")
    def late(request: ApiRequest) -> Deferred[bytes]:
        return Deferred()

    resource: IResource = app.resource()
    return resource


PIECES = st.sampled_from(
    [
        *[
            GET,
            POST,
            b"GET ",
            b"POST ",
            b"HEAD ",
            b"OPTIONS ",
            b"* ",
            b"/api/v2/late ",
            b"/api/v2/hello?a=%ff&b ",
            b"/",
        ],
        *[
            b"//%00%ff/../",
            b" HTTP/1.1\r\n",
            b" HTTP/1.0\r\n",
            b"Host: gateway\r\n",
            b"Host: a..b\r\n",
            b"Host: [::\r\n",
        ],
        *[b"Content-Length: 5\r\n", b"Content-Length: 99999999\r\n", b"Transfer-Encoding: chunked\r\n", b"\r\n", b"\n"],
        *[
            b"5\r\nhello\r\n",
            b"0\r\n\r\n",
            b"0\r\nX: y\r\n",
            b"hello",
            b"Expect: 100-continue\r\n",
            b"Connection: close\r\n",
        ],
        *[
            b"Content-Type: multipart/form-data; boundary=x\r\n",
            b"Cookie: a=b; c\r\n",
            b"Origin: http://x\r\n",
            b" fold\r\n",
        ],
        *[b"Upgrade: websocket\r\nConnection: Upgrade\r\n", b"X: \x00\r\n", b"\x16\x03\x01\x02\x00", b"A" * 17000],
    ]
)
CHUNKS = st.lists(st.lists(PIECES | st.binary(max_size=20), max_size=8).map(b"".join), max_size=6)


def mutated(data: bytes, at: int, byte: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([byte]) + data[at + 1 :]


MUTANTS = st.lists(
    st.builds(
        mutated,
        st.sampled_from(
            [GET, POST + b"Content-Length: 2\r\n\r\n{}", POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]
        ),
        st.integers(0, 1000),
        st.integers(0, 255),
    ),
    max_size=6,
)


def check_any_bytes(resource: IResource, chunks: list[bytes], half: bool) -> None:
    house = House(resource)
    wire = house.wire()
    if half:
        wire.half_closes()
    for chunk in chunks:
        if not wire.transport.disconnecting:
            wire.send(chunk)
        house.clock.advance(0.5)
    house.pass_time(100)
    assert all(status < 500 for status in wire.statuses())
    assert b"HTTP/1.0 5" not in wire.said()
    assert wire.transport.disconnecting
    assert house.clock.getDelayedCalls() == []
    wire.end()
    assert len(house.site.connections) == 0


@given(chunks=CHUNKS | MUTANTS)
@settings(max_examples=300, deadline=None)
def test_no_bytes_give_a_traceback_or_a_5xx_or_leave_a_timer(chunks: list[bytes]) -> None:
    with nothing_logged():
        check_any_bytes(Echo(), chunks, half=True)


@given(chunks=CHUNKS | MUTANTS)
@settings(max_examples=300, deadline=None)
def test_no_bytes_do_so_through_klein(chunks: list[bytes]) -> None:
    with nothing_logged():
        check_any_bytes(klein_resource(), chunks, half=False)


def test_the_channel_is_ours(house: House) -> None:
    assert isinstance(house.site.buildProtocol(None), ApiChannel)
    assert house.site.acceptableProtocols() == [b"http/1.1"]
