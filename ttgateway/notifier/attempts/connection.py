"""One HTTP/1.1 connection to one listener: one request at a time, every limit counted.

Stock clients do not bound what a listener may answer (design section 4); this is why there is one of our own. It
decodes nothing, keeps no cookie, follows nothing. The status line decides: what goes wrong after it is no reason
to send again.
"""

import socket
from collections.abc import Callable
from typing import Protocol as Port

import httptools
from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet.interfaces import IConsumer, IHandshakeListener, IPullProducer, ISystemHandle, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from ttgateway.notifier.attempts.outcome import PROTOCOL, TLS, Reply

MOST_HEADER_BYTES = 16 * 1024
"""Of the reply's headers, interim replies included."""

MOST_BODY_BYTES = 4 * 1024
MOST_BEHIND_HEAD = 2 * MOST_BODY_BYTES
"""Of the body with what stands around it: extensions of chunks, and trailers, may be endless as well."""

MOST_INTERIM = 8

MOST_USUAL_BYTES = 1024
"""Of a reply that is remembered, should the listener answer like that again."""


class _Transport(ITCPTransport, IConsumer, ISystemHandle):
    """What Twisted's stream transports are."""


class Waiting(Port):
    """Who waits for the reply."""

    def answered(self) -> None:
        """The head of the reply has come, and its body ends when the listener closes."""

    def replied(self, reply: Reply) -> None:
        """The listener has answered; the connection can be used again if `ListenerConnection.usable` says so."""

    def broken(self, cause: str, heard: bool) -> None:
        """No answer came; ``heard`` tells whether any byte of one did. The connection is gone."""


@implementer(IPullProducer, IHandshakeListener)
class ListenerConnection(Protocol):
    """A connection; ``usable`` while a request can be sent on it."""

    transport: _Transport

    def __init__(self, *, tls: bool) -> None:
        self.usable = False
        self._tls = tls
        self._shaking_hands = tls
        self._waiting: Waiting | None = None
        self._send: Callable[[bytes], int] | None = None
        self._usual: tuple[bytes, Reply] | None = None
        self.lost: Callable[[], object] = lambda: None
        """Called when the connection is lost."""

    def connectionMade(self) -> None:
        """The connection is there."""
        self.usable = True
        self.transport.setTcpNoDelay(True)
        if not self._tls and ISystemHandle.providedBy(self.transport):
            handle: socket.socket = self.transport.getHandle()  # type: ignore[assignment]
            self._send = handle.send

    def handshakeCompleted(self) -> None:
        """By TLS, the other side has proved who it is."""
        self._shaking_hands = False

    def request(self, request: bytes, waiting: Waiting, *, head: bool = False) -> None:
        """Send a whole request; ``waiting`` is told of what comes of it. ``head``: the reply has no body."""
        self.usable = False
        self._waiting = waiting
        self._head = head
        self._heard = False
        self._status = 0
        self._unsent: bytes | None = None
        self._written = True
        if self._tls:  # its transport cannot tell when all is written, so early answers pass there
            self.transport.write(request)
        elif (sent := self._hand_over(request)) < len(request):
            self._unsent = request[sent:]
            self._written = False
            self.transport.registerProducer(self, False)

    def _hand_over(self, request: bytes) -> int:
        """Give the kernel what it takes at once, without a turn of the reactor: mostly all; return how many bytes."""
        if self._send is None:
            return 0
        try:
            return self._send(request)
        except OSError:  # its buffer is full; or the connection is gone: the transport will say so
            return 0

    def close(self) -> None:
        """Close an idle connection, politely: the other side has done nothing wrong."""
        self.usable = False
        if self._tls:  # a peer that does not answer the closing of TLS would keep the connection
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()

    def abandon(self) -> None:
        """Close at once; nobody is told."""
        self.usable = False
        self._waiting = None
        self.transport.abortConnection()

    def resumeProducing(self) -> None:
        """Write the request when first called; the second call says that the kernel has all of it."""
        if self._unsent is not None:
            request, self._unsent = self._unsent, None
            self.transport.write(request)
        else:
            self._written = True
            self.transport.unregisterProducer()

    def stopProducing(self) -> None:
        """The connection is going; `connectionLost` follows."""

    def dataReceived(self, data: bytes) -> None:
        """Take in some of the reply, no more of it than the limits allow."""
        waiting = self._waiting
        if waiting is None:
            self.abandon()  # an answer to no question
            return
        if self._heard:
            self._whole = b""
        elif self._usual is not None and data == self._usual[0] and self._written and not self._head:
            self._heard = self.usable = True
            self._waiting = None
            waiting.replied(self._usual[1])  # the parser would say the same again
            return
        else:
            self._begin_reply(data)
        try:
            self._feed(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):  # the latter after a 101
            self._broken = True
        self._conclude()

    def _begin_reply(self, data: bytes) -> None:
        """The first of a reply has come: it may be the whole of it."""
        self._heard = True
        self._whole = data
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True)  # as RFC 9112, 2.2 allows
        self._framed = self._in_body = self._complete = self._keeps_alive = self._excess = self._broken = False
        self._interim = self._header_bytes = self._body_bytes = self._behind_head = 0
        self._retry_after: bytes | None = None

    def _feed(self, data: bytes) -> None:
        if self._in_body:
            self._behind_head += len(data)
            self._parser.feed_data(data)
            return
        room = MOST_HEADER_BYTES - self._header_bytes
        self._feed_head(data[:room])
        self._header_bytes += min(len(data), room)
        if self._in_body and len(data) > room:
            self._parser.feed_data(data[room:])

    def _feed_head(self, data: bytes) -> None:
        """Let the status line be read by itself: what is wrong behind it must not depend on how the reply was cut."""
        while data and not self._status and not self._broken:
            line, end, data = data.partition(b"\n")
            self._parser.feed_data(line + end)
            if end:
                self._note_status()
        if data:
            self._parser.feed_data(data)

    def _conclude(self) -> None:
        """Tell who waits, if the reply is there, or cannot come any more."""
        endless = self._body_bytes > MOST_BODY_BYTES or self._behind_head > MOST_BEHIND_HEAD
        if self._complete or (self._in_body and (self._head or endless)):
            self._end()
        elif self._broken or (not self._in_body and self._header_bytes >= MOST_HEADER_BYTES):
            self._complete = False
            self._end()
        elif self._in_body and not self._framed and self._waiting is not None:
            self._waiting.answered()

    def _end(self) -> None:
        waiting, self._waiting = self._waiting, None
        early = 200 <= self._status < 300 and not self._written
        answered = self._status > 0 and not early
        spoilt = self._head or self._excess or self._broken or not self._written
        self.usable = answered and self._complete and self._keeps_alive and not spoilt
        if not self.usable:
            self._close()
        if waiting is None:
            return
        if answered:
            reply = self._reply()
            if self.usable and 0 < len(self._whole) <= MOST_USUAL_BYTES:
                self._usual = self._whole, reply
            waiting.replied(reply)
        else:
            waiting.broken(PROTOCOL, self._heard)

    def _reply(self) -> Reply:
        """Return the reply; what its headers say counts once they are all there, in however many pieces they came."""
        return Reply(self._status, self._retry_after if self._in_body else None)

    def _close(self) -> None:
        """Close politely where that cannot take long, else at once."""
        if self._complete and self._written and not self._tls:
            self.transport.loseConnection()
        else:
            self.transport.abortConnection()

    def overdue(self) -> Reply | None:
        """Return the reply where the deadline has passed after its status line; close."""
        reply = self._reply() if self._status and self._written else None
        self.abandon()
        return reply

    @property
    def heard(self) -> bool:
        """Whether any byte of the reply has come."""
        return self._heard

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone: after the status line that is an answer too."""
        self.lost()
        self.usable = False
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        if self._status and (self._written or self._status >= 300):
            waiting.replied(self._reply())
        else:
            by_tls = self._shaking_hands or isinstance(reason.value, SSL.Error | VerificationError)
            waiting.broken(TLS if by_tls else PROTOCOL, self._heard)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Another reply begins: after the final one, that is one too many."""
        self._excess = self._excess or self._complete

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        if self._in_body:
            return
        if name.lower() == b"retry-after":
            self._retry_after = value
        elif name.lower() in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        """All headers of a reply are there: of the final one, or of an interim one."""
        if self._complete or self._broken:
            return  # what it came to is known, and what came along with that does not change it
        status = self._parser.get_status_code()
        if 102 <= status < 200 or status == 100:
            self._interim += 1
            self._broken = self._interim > MOST_INTERIM
            self._framed = False
            self._retry_after = None
        elif not 200 <= status < 600 or self._parser.get_http_version() not in ("1.0", "1.1"):
            self._status = 0
            self._broken = True
        else:
            self._in_body = True

    def on_body(self, body: bytes) -> None:
        """Some of the body, which nobody reads."""
        self._body_bytes += len(body)

    def on_message_complete(self) -> None:
        """The reply is whole, if it is not an interim one."""
        if self._in_body and not self._complete:
            self._complete = True
            self._keeps_alive = bool(self._parser.should_keep_alive())  # the parser forgets it soon after

    def _note_status(self) -> None:
        status = self._parser.get_status_code()
        self._status = status if 200 <= status < 600 else 0
