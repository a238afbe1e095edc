"""The floor: the least that a Twisted process can do to tell listeners, with a parser that can be trusted.

``python -m bench.peers.floor write|direct PORT COUNT``. No journal, no timer, no retry, no limit: a connection for each
listener, a head that was made before, the next body sent when the answer to the last is parsed. ``direct`` hands the
bytes to the socket itself, in place of the transport.
"""

import sys
from collections import deque

import httptools
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.protocol import Protocol
from twisted.internet.task import react

from bench.peers import feed


class Sender(Protocol):
    """Tells one listener, one change at a time."""

    def __init__(self, port: int, listener: int, direct: bool) -> None:
        self._head = b"POST /%d HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n" % (listener, port)
        self._waiting: deque[bytes] = deque()
        self._direct = direct
        self._idle = True
        self._parser = httptools.HttpResponseParser(self)

    def connectionMade(self) -> None:
        """Ready."""
        self.transport.setTcpNoDelay(True)  # type: ignore[union-attr]
        self._send = self._send_directly if self._direct else self.transport.write  # type: ignore[union-attr]

    def tell(self, rest: bytes) -> None:
        """Send the rest of a request, now or after those that wait."""
        if self._idle:
            self._idle = False
            self._send(self._head + rest)
        else:
            self._waiting.append(rest)

    def dataReceived(self, data: bytes) -> None:
        """Parse an answer."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Send what comes next."""
        if self._waiting:
            self._send(self._head + self._waiting.popleft())
        else:
            self._idle = True

    def _send_directly(self, request: bytes) -> None:
        sent = self.transport.getHandle().send(request)  # type: ignore[union-attr]
        if sent < len(request):
            self.transport.write(request[sent:])  # type: ignore[union-attr]


def main(reactor: IReactorTCP, how: str, port: str, count: str) -> Deferred[None]:
    """Connect to all listeners, take lines, and go on for ever."""
    senders = [Sender(int(port), number, how == "direct") for number in range(int(count))]
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", int(port))

    def take(body: bytes) -> None:
        rest = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        for sender in senders:
            sender.tell(rest)

    connected = gatherResults([connectProtocol(endpoint, sender) for sender in senders])
    connected.addCallback(lambda _: feed.listen(reactor, take))
    return connected.addCallback(lambda _: Deferred())


if __name__ == "__main__":
    react(main, sys.argv[1:])
