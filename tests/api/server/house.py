"""A site, its clock, and the clients' ends of connections to it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, ITCPTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import directlyProvides, implementer

from ttgateway.api.server.request import ApiRequest
from ttgateway.api.server.site import ApiSite

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
