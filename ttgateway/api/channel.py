"""One connection of a client: what it may send, and by when (design section 5).

Twisted's channel reads HTTP well, but bounds neither the time nor the size of a request (twisted#4898). This one
adds absolute deadlines, limits, and an answer in JSON to whatever is refused before a handler sees it::

    IDLE --first byte--> HEADERS --blank line--> BODY --its end--> REPLY --written out--> IDLE
                            |                     |                  |
                            +------ refused ------+-- not kept up ---+---> CLOSING

Each phase has its deadline. Who is too slow with a request is told so; who does not read a reply is cut off.
"""

from collections.abc import Callable
from enum import Enum, auto
from http import HTTPStatus

import msgspec
from twisted.internet.interfaces import INegotiated, IProtocol, IReactorTime, ITCPTransport
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, Request
from twisted.web.server import Site

from ttgateway.api.connections import ConnectionTable
from ttgateway.api.deadline import Deadline
from ttgateway.api.headers import HeadRefused, check_head
from ttgateway.api.parsing import MOST_BODY

SERVER = b"ttgateway"
"""What we call ourselves in the ``Server`` header."""

_IDLE = 60.0  # clients poll every 5 s, and keep their connections
_HEADERS = 5.0
_BODY = 10.0
_WHOLE = 30.0
_WHOLE_WHEN_WAITING = 65.0
_LINGER = 5.0
_MOST_DROPPED = 256 * 1024

_NOTHING_HERE = -5
_BODY_INVALID = -31


class _Phase(Enum):
    IDLE = auto()
    HEADERS = auto()
    BODY = auto()
    REPLY = auto()
    CLOSING = auto()


def error_body(status: int, code: int, message: str, v2: bool) -> bytes:
    """Return the JSON object that tells of an error; only version 2 has a ``returnCode`` (protocol section 1)."""
    return_code = {"returnCode": code} if v2 else {}
    return msgspec.json.encode({"status": status, **return_code, "message": message})


class ApiChannel(HTTPChannel):
    """One connection to an `ttgateway.api.site.ApiSite`, which tells it what it needs to know."""

    transport: ITCPTransport
    site: Site

    def __init__(
        self,
        clock: IReactorTime,
        connections: ConnectionTable,
        hosts: Callable[[str], bool],
        origins: frozenset[str],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.maxHeaders = 100
        self.totalHeadersSize = 16 * 1024
        self._clock = clock
        self._connections = connections
        self._hosts = hosts
        self._origins = origins
        self._deadline = Deadline(clock, self._overdue)
        self._phase = _Phase.IDLE
        self._whole = 0.0  # when the request must have been answered, and the answer be read
        self._request_line = b""
        self._dropped = 0

    def connectionMade(self) -> None:
        """Take a place in the table of connections, or close."""
        super().connectionMade()  # type: ignore[no-untyped-call]
        if self._connections.add(self, getattr(self.transport.getPeer(), "host", None)):
            self._deadline.start(self._clock.seconds() + _IDLE)
        else:
            self.abort()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """Give the place back, and tell the requests."""
        self._leave()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def abort(self) -> None:
        """Close at once, whatever waits to be written."""
        self._phase = _Phase.CLOSING
        self.transport.abortConnection()

    def trust(self) -> None:
        """Count this connection among those that have shown a valid secret."""
        self._connections.trust(self)

    def allow_waiting(self) -> None:
        """Give the request that is being answered 65 s from now, in place of its 30 s."""
        self._whole = self._deadline.due = self._clock.seconds() + _WHOLE_WHEN_WAITING

    def refuse(self, status: int, message: str, code: int = _NOTHING_HERE) -> None:
        """Answer the request that is being received with an error, and close; does nothing where that was done."""
        if self._phase is _Phase.CLOSING:
            return
        unread: bytes = self.clearLineBuffer()  # type: ignore[no-untyped-call]
        request_line = self._request_line or unread
        v2 = request_line.partition(b" ")[2].startswith(b"/api/v2")
        body = error_body(status, code, message, v2)
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nServer: {SERVER.decode()}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + (b"" if request_line.startswith(b"HEAD ") else body))
        self._linger()

    # What follows overrides HTTPChannel, in the order in which a request meets it.

    def dataReceived(self, data: bytes) -> None:
        """Read on, unless the connection is closing."""
        if self._phase is _Phase.CLOSING:
            self._dropped += len(data)
            if self._dropped > _MOST_DROPPED:
                self._networkProducer.pauseProducing()
            return
        super().dataReceived(data)  # type: ignore[no-untyped-call]
        if self._phase is _Phase.IDLE and self._buffer and not self.paused:
            self._begin()

    def lineReceived(self, line: bytes) -> None:
        """Take a line of the head of a request."""
        if not self.requests:
            if self._phase is _Phase.IDLE:
                self._begin()
            self._request_line = line
        elif line.startswith((b" ", b"\t")):
            self.refuse(400, "A header must not be folded over several lines.")
            return
        super().lineReceived(line)  # type: ignore[no-untyped-call]
        if not line and not self.requests and self._phase is _Phase.HEADERS:
            self._rest()  # the empty line that some clients send after a request

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802
        """Refuse a line that does not end."""
        if not self.requests:
            self._request_line = line
        self._refuse_head_size()

    def headerReceived(self, line: bytes) -> bool:
        """Take a header; return whether it is one."""
        try:
            return bool(super().headerReceived(line))  # type: ignore[no-untyped-call]
        except ValueError:  # a Content-Length of more digits than int() takes
            self._refuse_body_size()
            return False

    def allHeadersReceived(self) -> None:
        """Judge the head of a request, before anything is made of it."""
        self._phase = _Phase.BODY
        self._deadline.due = self._clock.seconds() + _BODY
        try:
            check_head(self._version, self._path, self.requests[-1].requestHeaders, self._hosts, self._origins)
        except HeadRefused as refused:
            self.refuse(refused.status, str(refused))
            return
        if self.length is not None and self.length > MOST_BODY:
            self._refuse_body_size()
            return
        super().allHeadersReceived()  # type: ignore[no-untyped-call]

    def body_received(self, size: int) -> None:
        """Refuse the request once its body has come to ``size`` bytes and that is too much."""
        if size > MOST_BODY:
            self._refuse_body_size()

    def allContentReceived(self) -> None:
        """Let a complete request be answered, unless it was refused."""
        if self._phase is _Phase.CLOSING:
            return
        self._phase = _Phase.REPLY
        self._deadline.due = self._whole
        self._connections.busy(self)
        super().allContentReceived()  # type: ignore[no-untyped-call]

    def requestDone(self, request: Request) -> None:  # noqa: N802
        """Go on with the next request, or close."""
        self._connections.idle(self)
        if self._phase is _Phase.REPLY:
            self._rest()
        super().requestDone(request)  # type: ignore[no-untyped-call]

    def loseConnection(self) -> None:  # noqa: N802
        """Close once all is written out; a peer that does not read it in time is cut off."""
        if self._phase is not _Phase.CLOSING:
            self._phase = _Phase.CLOSING
            self._deadline.due = self._whole
            super().loseConnection()  # type: ignore[no-untyped-call]

    def pauseProducing(self) -> None:
        """Read and answer nothing more while the peer does not read the answers: what waits here stays small."""
        self.paused = True
        super().pauseProducing()  # type: ignore[no-untyped-call]
        self._networkProducer.pauseProducing()

    def resumeProducing(self) -> None:
        """Go on: all that was written has gone out."""
        self.paused = False
        super().resumeProducing()  # type: ignore[no-untyped-call]
        if self._phase is _Phase.CLOSING:
            return
        self._networkProducer.resumeProducing()
        if self._phase is _Phase.IDLE:
            self._rest()
        if self._buffer:
            self.dataReceived(b"")

    def _protocolUpgradeForWebsockets(self, protocol: IProtocol) -> None:  # noqa: N802
        """Hand the connection over to a WebSocket, which has deadlines of its own.

        Twisted puts the WebSocket's ``connectionLost`` in place of ours, and we still have a place to give back.
        """
        self._deadline.stop()
        self._connections.idle(self)
        super()._protocolUpgradeForWebsockets(protocol)

        def connection_lost(reason: Failure) -> None:
            self._leave()
            protocol.connectionLost(reason)

        self.connectionLost = connection_lost  # type: ignore[method-assign]

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802
        if self._receivedHeaderSize > self.totalHeadersSize or self._receivedHeaderCount > self.maxHeaders:
            self._refuse_head_size()
        elif self._phase is _Phase.BODY:
            self.refuse(400, "Malformed chunked body.", _BODY_INVALID)
        else:
            self.refuse(400, "Malformed HTTP request.")

    def _refuse_head_size(self) -> None:
        if self.requests:
            self.refuse(431, f"More than {self.maxHeaders} headers, or {self.totalHeadersSize} bytes of them.")
        else:
            self.refuse(414, f"The request line is longer than {self.totalHeadersSize} bytes.")

    def _refuse_body_size(self) -> None:
        self.refuse(413, f"The body is longer than {MOST_BODY} bytes.", _BODY_INVALID)

    def _begin(self) -> None:
        """Note the first byte of a request."""
        now = self._clock.seconds()
        self._phase = _Phase.HEADERS
        self._request_line = b""
        self._deadline.due = now + _HEADERS
        self._whole = now + _WHOLE

    def _rest(self) -> None:
        """Wait for the next request; while the last answer is not read, the deadline of its request stands."""
        self._phase = _Phase.IDLE
        if not self.paused:
            self._deadline.due = self._clock.seconds() + _IDLE

    def _linger(self) -> None:
        """Close after a refusal.

        Closing while the peer still sends would reset the connection, and the peer might lose what we said. So
        only our half is closed; what still comes is dropped, and after a while the connection is.
        """
        self._phase = _Phase.CLOSING
        self._deadline.due = self._clock.seconds() + _LINGER
        if ITCPTransport.providedBy(self.transport) and not INegotiated.providedBy(self.transport):
            self._networkProducer.unregisterProducer()  # type: ignore[attr-defined]
            self.transport.loseWriteConnection()
        else:  # TLS closes in halves by itself, and stumbles where the connection below it does
            super().loseConnection()  # type: ignore[no-untyped-call]

    def _leave(self) -> None:
        self._deadline.stop()
        self._connections.remove(self)

    def _overdue(self) -> None:
        """Act on a missed deadline."""
        if self._phase is _Phase.HEADERS or self._phase is _Phase.BODY:
            self.refuse(408, "The request took too long to arrive.")
        elif self._phase is _Phase.IDLE and not self.paused:
            self._whole = self._clock.seconds() + _LINGER
            self.loseConnection()
        else:
            self.abort()
