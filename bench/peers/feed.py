"""How Twisted peers take what they are to tell: bodies, one a line, over TCP."""

from collections.abc import Callable

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.protocol import Protocol, ServerFactory


class Lines(Protocol):
    """Hands on each line that comes."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._rest = b""

    def dataReceived(self, data: bytes) -> None:
        """Cut what has come into lines."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line)


class _Feeds(ServerFactory):
    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take

    def buildProtocol(self, addr: object) -> Lines:
        return Lines(self._take)


def listen(reactor: IReactorTCP, take: Callable[[bytes], None]) -> None:
    """Take lines on a free port of 127.0.0.1, and print it."""
    address = reactor.listenTCP(0, _Feeds(take), interface="127.0.0.1").getHost()
    assert isinstance(address, IPv4Address)
    print(address.port, flush=True)
