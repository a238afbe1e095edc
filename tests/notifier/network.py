"""A network of fakes: what a listener sees of us, and what it can do to us, without sockets."""

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IPullProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from tests.support import Names, open_policy
from ttgateway.machine import IPAddress
from ttgateway.notifier.attempts.attempt import Network
from ttgateway.notifier.attempts.connection import ListenerConnection
from ttgateway.notifier.attempts.sweep import Sweep
from ttgateway.notifier.callbacks.policy import CallPolicy


class PeerTransport(StringTransport):
    """Our end's transport. It writes at once, unless told that the peer takes nothing in."""

    def __init__(self, peer: "Peer") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peer = peer
        self.stuck = False
        self.aborted = False

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        pass

    def registerProducer(self, producer: IPullProducer, streaming: bool) -> None:  # noqa: N802
        super().registerProducer(producer, streaming)  # type: ignore[no-untyped-call]
        producer.resumeProducing()
        if not self.stuck:
            producer.resumeProducing()

    def loseConnection(self) -> None:  # noqa: N802
        super().loseConnection()  # type: ignore[no-untyped-call]
        self.peer.lose(ConnectionDone())

    def abortConnection(self) -> None:  # noqa: N802
        self.aborted = True
        self.peer.lose(ConnectionLost())


class Peer:
    """The listener's end of one connection."""

    def __init__(self, connection: ListenerConnection, address: IPAddress, port: int, host: str | None) -> None:
        self.connection = connection
        self.address, self.port, self.host = address, port, host
        self.transport = PeerTransport(self)
        self.open = True
        connection.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def received(self) -> bytes:
        """Return what came since this was last asked."""
        data = bytes(self.transport.value())  # type: ignore[no-untyped-call]
        self.transport.clear()  # type: ignore[no-untyped-call]
        return data

    def request(self) -> tuple[str, dict[str, str], bytes]:
        """Return the one request that came since this was last asked: its first line, headers and body."""
        head, _, body = self.received().partition(b"\r\n\r\n")
        first, *lines = head.decode("ascii").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        assert int(headers.get("Content-Length", 0)) == len(body)
        return first, headers, body

    def send(self, data: bytes) -> None:
        self.connection.dataReceived(data)

    def answer(self, status: int = 200, *headers: str) -> None:
        lines = [f"HTTP/1.1 {status} So", *headers, "Content-Length: 0", "", ""]
        self.send("\r\n".join(lines).encode("ascii"))

    def lose(self, why: Exception | None = None) -> None:
        """End the connection, from either side."""
        if self.open:
            self.open = False
            self.connection.connectionLost(Failure(why or ConnectionLost()))


class FakeDial:
    """Opens connections to peers at once; ``down`` holds what is down, ``silent`` what never answers a SYN.

    ``broken`` is what each call raises.
    """

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.dialled: list[str] = []
        self.down: set[str] = set()
        self.silent: set[str] = set()
        self.broken: Exception | None = None
        self.cancelled = 0

    def __call__(self, address: IPAddress, port: int, host: str | None) -> Deferred[ListenerConnection]:
        self.dialled.append(str(address))
        if self.broken is not None:
            raise self.broken
        connecting: Deferred[ListenerConnection] = Deferred(self._cancel)
        if str(address) in self.down:
            connecting.errback(ConnectError())
        elif str(address) not in self.silent:
            connection = ListenerConnection(tls=host is not None)
            self.peers.append(Peer(connection, address, port, host))
            connecting.callback(connection)
        return connecting

    def _cancel(self, _: object) -> None:
        self.cancelled += 1

    @property
    def peer(self) -> Peer:
        """The newest connection."""
        return self.peers[-1]


def fake_network(
    timers: Clock, *, dial: FakeDial | None = None, names: Names | None = None, policy: CallPolicy | None = None
) -> Network:
    """Return a network of fakes whose deadlines run on ``timers``."""
    return Network(
        sweep=Sweep(timers), resolver=names or Names(), policy=policy or open_policy(), dial=dial or FakeDial()
    )


def pass_time(timers: Clock, seconds: float, step: float = 0.1) -> None:
    """Let time pass in small steps, as it does."""
    timers.pump([step] * round(seconds / step))
