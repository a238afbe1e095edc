"""A client's connection to the gateway's API: bytes go in, replies come out, either end may hang up."""

import json
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.simulation.machine import Process

Heard = Callable[[int, Any, bytes], None]
"""Called with status, headers or JSON, and body of a reply; with status 0 where none will come."""


@implementer(ITCPTransport)
class _Transport(StringTransport):
    """The gateway's end."""

    def __init__(self, line: "Line", peer: str) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", peer, 40_000))  # type: ignore[no-untyped-call]
        self.line = line

    def write(self, data: bytes) -> None:
        self.line.take(data)

    def writeSequence(self, data: Any) -> None:  # noqa: N802
        self.line.take(b"".join(data))

    def loseConnection(self) -> None:  # noqa: N802
        self.line.end(told=True)

    def abortConnection(self) -> None:  # noqa: N802
        self.line.end(told=True)

    def loseWriteConnection(self) -> None:  # noqa: N802
        self.line.half_closed()

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        pass

    def getTcpNoDelay(self) -> bool:  # noqa: N802
        return True

    def setTcpKeepAlive(self, enabled: bool) -> None:  # noqa: N802
        pass

    def getTcpKeepAlive(self) -> bool:  # noqa: N802
        return False


class Line:
    """The client's end. ``raw`` is called with whatever comes after a WebSocket's handshake was answered."""

    def __init__(self, process: Process, peer: str, raw: Callable[[bytes], None] | None = None) -> None:
        self.process = process
        self.open = True
        self._raw = raw
        self._upgraded = False
        self._buffer = b""
        self._waiting: deque[Heard] = deque()
        self.lost: Callable[[], None] = lambda: None
        self.transport = _Transport(self, peer)
        self._channel: Any = process.site.buildProtocol(None)
        self._channel.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def ask(self, request: bytes, heard: Heard) -> None:
        """Send a request; more may be sent before its reply is there."""
        self._waiting.append(heard)
        self.send(request)

    def send(self, data: bytes) -> None:
        """Send bytes."""
        if self.open and self.process.alive:
            self._channel.dataReceived(data)

    def hang_up(self) -> None:
        """Close the connection."""
        self.end(told=True)

    def stall(self, stalled: bool) -> None:
        """Read nothing, or go on reading."""
        producer = self.transport.producer
        if self.open and self.process.alive and producer is not None:
            producer.pauseProducing() if stalled else producer.resumeProducing()

    def half_closed(self) -> None:
        """The gateway says no more: so do we."""
        self.process.timers.callLater(0.01, self.end, told=True)

    def end(self, *, told: bool) -> None:
        """The connection is over; ``told``: the gateway hears of that."""
        if not self.open:
            return
        self.open = False
        if told and self.process.alive:
            self.process.timers.callLater(0.0, self._channel.connectionLost, Failure(ConnectionDone()))
        while self._waiting:
            self._waiting.popleft()(0, None, b"")
        self.lost()

    def take(self, data: bytes) -> None:
        """Take what the gateway sends."""
        if not (self.open and self.process.alive):
            return
        if self._upgraded and self._raw is not None:
            self._raw(data)
            return
        self._buffer += data
        while self._reply():
            pass

    def _reply(self) -> bool:
        head, blank, rest = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return False
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ")[1])
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if status == 101 and self._raw is not None:
            self._upgraded = True
            self._buffer = b""
            if rest:
                self._raw(rest)
            return False
        size = int(headers["content-length"])
        if len(rest) < size:
            return False
        self._buffer = rest[size:]
        body = rest[:size]
        is_json = headers.get("content-type", "").startswith("application/json")
        if self._waiting:
            self._waiting.popleft()(status, json.loads(body) if is_json and body else None, body)
        return bool(self._buffer)


def request(method: str, path: str, secret: str, body: Any = None, extra: str = "") -> bytes:
    """Return the bytes of a request that shows ``secret``."""
    raw = b"" if body is None else json.dumps(body).encode()
    length = f"Content-Length: {len(raw)}\r\n" if body is not None else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {secret}\r\n{extra}{length}\r\n"
    return head.encode("ascii") + raw
