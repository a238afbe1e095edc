"""A gateway with a bridge at the other end of a connection: what the bridge says, and what it is told."""

import json
from collections.abc import Mapping
from typing import Any

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import ensureDeferred
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from tests.support import AtOnce, FakeClock, OnDemand, memory_gateway, memory_store, result_of
from ttgateway.bridge.connection import BridgeConnection
from ttgateway.bridge.connections import Connections
from ttgateway.orders.order import Order
from ttgateway.settings import Bridge as BridgeSettings
from ttgateway.settings import Settings

UNIX = UNIXAddress("/run/bridge.sock")
TCP = IPv4Address("TCP", "127.0.0.1", 7007)


class Line(StringTransport):
    """Our end's transport; ``full`` lets it fill up at so many bytes, as one does to a bridge that does not read."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.connection: BridgeConnection | None = None
        self.options: dict[object, object] = {}
        self.full: int | None = None
        self.was_full = self.aborted = self.lost = False

    def write(self, data: bytes) -> None:
        super().write(data)  # type: ignore[no-untyped-call]
        if self.full is not None and not self.was_full and len(self.value()) > self.full:  # type: ignore[no-untyped-call]
            self.was_full = True
            producer: Any = self.producer
            producer.pauseProducing()

    def abortConnection(self) -> None:  # noqa: N802
        self.aborted = True
        self.lose(ConnectionAborted())

    def loseConnection(self) -> None:  # noqa: N802
        self.lose(ConnectionDone())

    def lose(self, why: Exception) -> None:
        if not self.lost:
            self.lost = True
            assert self.connection is not None
            self.connection.connectionLost(Failure(why))

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        self.options["nodelay"] = enabled

    def setTcpKeepAlive(self, enabled: bool) -> None:  # noqa: N802
        self.options["keepalive"] = enabled

    def getHandle(self) -> "Line":  # noqa: N802
        return self

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self.options[level, option] = value


class Bridge:
    """The bridge's end of one connection."""

    def __init__(self, connections: Connections, address: Any = UNIX) -> None:
        self.transport = Line()
        self.connection = connections.buildProtocol(address)
        self.transport.connection = self.connection
        self.connection.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def send(self, data: bytes) -> None:
        self.connection.dataReceived(data)

    def say(self, *reports: Mapping[str, object]) -> None:
        self.send(b"".join(json.dumps(report).encode() + b"\n" for report in reports))

    def report(self, tracker: str, event: str, **more: object) -> None:
        self.say({"tracker": tracker, "event": event, **more})

    def told(self) -> list[dict[str, object]]:
        """Return what it was told since this was last asked."""
        data = bytes(self.transport.value())  # type: ignore[no-untyped-call]
        self.transport.clear()  # type: ignore[no-untyped-call]
        assert data == b"" or data.endswith(b"\n")
        return [json.loads(line) for line in data.splitlines()]

    def hang_up(self) -> None:
        self.transport.lose(ConnectionDone())

    @property
    def reads(self) -> bool:
        """Whether the gateway reads what it says."""
        return self.transport.producerState == "producing"


class Shop:
    """A gateway that has a bridge configured."""

    def __init__(self, executor: AtOnce | OnDemand | None = None) -> None:
        self.timers = Clock()
        self.clock = FakeClock(self.timers)
        self.store = memory_store(self.timers, clock=self.clock, executor=executor)
        settings = Settings(bridge=BridgeSettings(listen="unix:/run/bridge.sock"))
        self.gateway = memory_gateway(self.store, self.clock, settings=settings)
        self.ends = 0
        self.connections = Connections(self.gateway, self.timers, self._ended)

    def _ended(self) -> None:
        self.ends += 1

    def bridge(self, address: Any = UNIX) -> Bridge:
        """Return a bridge that has connected, and has read how things stand."""
        bridge = Bridge(self.connections, address)
        bridge.told()
        return bridge

    def orders(self) -> dict[str, tuple[str, str, str]]:
        """Return type, state and table of each active order."""
        orders: list[Order] = result_of(self.gateway.active_orders())
        return {order.name: (order.type.value, order.state.value, order.location) for order in orders}

    def do(self, command: Any) -> None:
        """Begin a command; nobody waits for what becomes of it."""
        ensureDeferred(command).addErrback(lambda _: None)
