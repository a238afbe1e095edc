"""One connection of a client: what it may send, and by when (design section 5).

Twisted's channel reads HTTP well, but bounds neither the time nor the size of a request (twisted#4898). This one
adds absolute deadlines, limits, and an answer in JSON to whatever is refused before a handler sees it. Who is too slow
with a request is told so; who does not read a reply is cut off.
"""

from collections.abc import Callable

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IReactorTime, ITCPTransport
from twisted.python.failure import Failure
from twisted.web.http import Request
from twisted.web.server import Site
from zope.interface import implementer

from ttgateway.api.parsing import MOST_BODY
from ttgateway.api.server import phases
from ttgateway.api.server.connections import ConnectionTable
from ttgateway.api.server.deadline import Deadline
from ttgateway.api.server.headers import HeadRefused, checked_path
from ttgateway.api.server.intake import IntakeChannel
from ttgateway.api.server.phases import Phase
from ttgateway.api.server.rates import peer_group
from ttgateway.api.server.refusal import BODY_INVALID, NO_SUCH_API, NOT_NOW, whole_refusal
from ttgateway.api.server.turns import Turns
from ttgateway.closing import LINGER, MOST_DROPPED, closes_in_halves, keep_little


@implementer(IHalfCloseableProtocol)
class ApiChannel(IntakeChannel):
    """One connection to an `ttgateway.api.server.site.ApiSite`, which tells it what it needs to know."""

    transport: ITCPTransport
    site: Site

    def __init__(
        self,
        clock: IReactorTime,
        connections: ConnectionTable,
        turns: Turns,
        hosts: Callable[[str], bool],
        origins: frozenset[str],
    ) -> None:
        super().__init__(clock, connections, turns)
        self.maxHeaders, self.totalHeadersSize = 100, 16 * 1024
        self._hosts, self._origins = hosts, origins
        self._deadline = Deadline(clock, self._overdue)
        self._phase = Phase.IDLE
        self._whole = 0.0  # when the request must have been answered, and the answer be read
        self._request_line = b""
        self._dropped = 0
        self._waits_on_purpose = self._ends = False  # the latter: the peer sends no more

    def connectionMade(self) -> None:
        """Take a place in the table of connections, or close."""
        super().connectionMade()  # type: ignore[no-untyped-call]
        keep_little(self.transport)
        self._here = getattr(self.transport.getHost(), "host", None)
        peer = getattr(self.transport.getPeer(), "host", None)
        self.group = peer_group(peer or "")  # what takes turns
        if self.connections.add(self, peer):
            self._deadline.start(self._clock.seconds() + phases.IDLE)
        else:
            self.abort()

    def _is_ours(self, host: str) -> bool:
        """Tell whether a request is for this machine: most name the very address at which it came."""
        return host == self._here or self._hosts(host)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """Give the place back, and tell the requests."""
        self._deadline.stop()
        self.connections.remove(self)
        super().connectionLost(reason)

    def readConnectionLost(self) -> None:  # noqa: N802
        """Answer the request of a peer that sends no more; one that waits, on purpose or in turn, has rather gone."""
        self._ends = True
        if self._phase is not Phase.REPLY or self._waits_on_purpose or self.turns.waits(self.requests[0]):
            self._end()

    def writeConnectionLost(self) -> None:  # noqa: N802
        """Our half is closed, as was wanted."""

    def abort(self) -> None:
        """Close at once, whatever waits to be written."""
        self._phase = Phase.CLOSING
        self.leave_unread()
        self.transport.abortConnection()

    @property
    def ready(self) -> bool:
        """Whether more can be taken in: no request is being answered, and what was answered is being read."""
        return not self.paused and self._phase is not Phase.REPLY and self._phase is not Phase.CLOSING

    def trust(self) -> None:
        """Count this connection among those that have shown a valid secret."""
        self.connections.trust(self)

    def allow_waiting(self) -> None:
        """Give the request that is being answered 65 s from now, in place of its 30 s."""
        self._whole = self._deadline.due = self._clock.seconds() + phases.WHOLE_WHEN_WAITING
        self._waits_on_purpose = True

    def refuse(self, status: int, message: str, code: int = NO_SUCH_API) -> None:
        """Answer the request that is being received with an error, and close; does nothing where that was done."""
        if self._phase is Phase.CLOSING:
            return
        unread: bytes = self.clearLineBuffer()  # type: ignore[no-untyped-call]
        self.transport.write(whole_refusal(self._request_line or unread, status, code, message))
        self._linger()

    # What follows overrides HTTPChannel and IntakeChannel, in the order in which a request meets it.

    def dataReceived(self, data: bytes) -> None:
        """Read on, unless the connection is closing."""
        if self._phase is Phase.CLOSING:
            self._dropped += len(data)
            if self._dropped > MOST_DROPPED:
                self._networkProducer.pauseProducing()
            return
        self.take_in(data)

    def look_at(self, data: bytes) -> None:
        """Look at what has come, when that may be."""
        super().look_at(data)
        if self._phase is Phase.IDLE and self._buffer and not self.paused:
            self._begin()

    def lineReceived(self, line: bytes) -> None:
        """Take a line of the head of a request."""
        if not self.requests:
            if self._phase is Phase.IDLE:
                self._begin()
            self._request_line = line
        elif line.startswith((b" ", b"\t")):
            self.refuse(400, "A header must not be folded over several lines.")
            return
        super().lineReceived(line)  # type: ignore[no-untyped-call]
        if not line and not self.requests and self._phase is Phase.HEADERS:
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
        self._phase = Phase.BODY
        self._deadline.due = self._clock.seconds() + phases.BODY
        try:
            headers = self.requests[-1].requestHeaders
            self._path = checked_path(self._version, self._path, headers, self._is_ours, self._origins)
        except HeadRefused as refused:
            self.refuse(refused.status, str(refused))
            return
        if self.connections.stopping:
            self.refuse(503, "The gateway is stopping.", NOT_NOW)
        elif self.length is not None and self.length > MOST_BODY:
            self._refuse_body_size()
        else:
            super().allHeadersReceived()  # type: ignore[no-untyped-call]

    def takes_body(self, size: int) -> bool:
        """Return whether the request may have a body of ``size`` bytes, as have come; refuse it where it may not."""
        if size > MOST_BODY:
            self._refuse_body_size()
        return self._phase is not Phase.CLOSING

    def allContentReceived(self) -> None:
        """Let a complete request be answered, unless it was refused."""
        if self._phase is Phase.CLOSING:
            return
        self._phase = Phase.REPLY
        self._deadline.due = self._whole
        self.connections.busy(self)
        super().allContentReceived()  # type: ignore[no-untyped-call]

    def requestDone(self, request: Request) -> None:  # noqa: N802
        """Go on with the next request, or close."""
        self.connections.idle(self)
        if self._phase is Phase.REPLY:
            self._rest()
        super().requestDone(request)
        if self._ends and self._phase is not Phase.REPLY:
            self._end()

    def loseConnection(self) -> None:  # noqa: N802
        """Close once all is written out; a peer that does not read it in time is cut off."""
        if self._phase is not Phase.CLOSING:
            self._phase = Phase.CLOSING
            self.leave_unread()
            self._deadline.due = self._whole
            super().loseConnection()  # type: ignore[no-untyped-call]

    def resumeProducing(self) -> None:
        """Go on: all that was written has gone out."""
        self.paused = False
        super().resumeProducing()  # type: ignore[no-untyped-call]
        if self._phase is Phase.CLOSING:
            return
        self._networkProducer.resumeProducing()
        if self._phase is Phase.IDLE:
            self._rest()
        self.look_on()

    def _protocolUpgradeForWebsockets(self, protocol: IProtocol) -> None:  # noqa: N802
        """Hand the connection over to a WebSocket, which has deadlines of its own.

        Twisted puts the WebSocket's ``connectionLost`` in place of ours, and we still have a place to give back.
        """
        self._deadline.stop()
        self._waits_on_purpose = True
        self.connections.idle(self)
        early = [*self._dataBuffer, self._buffer, self.leave_unread()]  # what came while it waited
        self._buffer, self._dataBuffer = b"".join(early), []
        super()._protocolUpgradeForWebsockets(protocol)

        def connection_lost(reason: Failure) -> None:
            protocol.connectionLost(reason)
            del self.connectionLost, self.dataReceived  # they lead back here, and a collector would have to find that
            self.connectionLost(reason)

        self.connectionLost = connection_lost  # type: ignore[method-assign]

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802
        if self._receivedHeaderSize > self.totalHeadersSize or self._receivedHeaderCount > self.maxHeaders:
            self._refuse_head_size()
        elif self._phase is Phase.BODY:
            self.refuse(400, "Malformed chunked body.", BODY_INVALID)
        else:
            self.refuse(400, "Malformed HTTP request.")

    def _refuse_head_size(self) -> None:
        if self.requests:
            self.refuse(431, f"More than {self.maxHeaders} headers, or {self.totalHeadersSize} bytes of them.")
        else:
            self.refuse(414, f"The request line is longer than {self.totalHeadersSize} bytes.")

    def _refuse_body_size(self) -> None:
        self.refuse(413, f"The body is longer than {MOST_BODY} bytes.", BODY_INVALID)

    def _begin(self) -> None:
        """Note the first byte of a request."""
        now = self._clock.seconds()
        self._phase = Phase.HEADERS
        self._waits_on_purpose = False
        self._request_line = b""
        self._deadline.due = now + phases.HEADERS
        self._whole = now + phases.WHOLE

    def _rest(self) -> None:
        """Wait for the next request; while the last answer is not read, the deadline of its request stands."""
        self._phase = Phase.IDLE
        if not self.paused:
            self._deadline.due = self._clock.seconds() + phases.IDLE

    def _linger(self) -> None:
        """Close after a refusal.

        Closing while the peer still sends would reset the connection, and the peer might lose what we said. So
        only our half is closed; what still comes is dropped, and after a while the connection is.
        """
        self._phase = Phase.CLOSING
        self.leave_unread()
        self._transferDecoder = None  # it may hold as much as a body, and hundreds like this one may linger
        for request in self.requests:
            request.drop_body()
        self._deadline.due = self._clock.seconds() + LINGER
        if closes_in_halves(self.transport):
            self._networkProducer.unregisterProducer()  # type: ignore[attr-defined]
            self.transport.loseWriteConnection()
        else:
            super().loseConnection()  # type: ignore[no-untyped-call]

    def _end(self) -> None:
        """Close, as nothing more comes."""
        polite = {Phase.IDLE: self.loseConnection, Phase.CLOSING: self.transport.loseConnection}
        polite.get(self._phase, self.abort)()

    def _overdue(self) -> None:
        """Act on a missed deadline."""
        if self._phase is Phase.HEADERS or self._phase is Phase.BODY:
            self.refuse(408, "The request took too long to arrive.")
        elif self._phase is Phase.IDLE and not self.paused:
            self._whole = self._clock.seconds() + LINGER
            self.loseConnection()
        else:
            self.abort()
