"""The connections to bridges, as Twisted makes them: one at a time counts, the newest."""

from collections.abc import Callable

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory

from ttgateway.bridge.connection import BridgeConnection
from ttgateway.gateway import Gateway
from ttgateway.sparing import sparing_logger


class Connections(Factory):
    """Makes connections for ``gateway``; ``lost`` is called at the end of each."""

    noisy = False
    _log = sparing_logger("ttgateway.bridge")

    def __init__(self, gateway: Gateway, timers: IReactorTime, lost: Callable[[], None] = lambda: None) -> None:
        self._gateway = gateway
        self._timers = timers
        self._lost = lost
        self._open: set[BridgeConnection] = set()

    def buildProtocol(self, addr: IAddress | None) -> BridgeConnection:
        """Return a new connection; ``addr`` tells whether it is one of TCP, a serial port has none."""
        tcp = isinstance(addr, IPv4Address | IPv6Address)
        return BridgeConnection(self._gateway, self._timers, self, tcp=tcp)

    def close(self) -> None:
        """End all connections."""
        for connection in list(self._open):
            connection.close()

    def made(self, connection: BridgeConnection) -> None:
        """A bridge is there."""
        self._open.add(connection)
        self._log.info("A radio bridge is connected")

    def gone(self, connection: BridgeConnection) -> None:
        """A bridge is there no more."""
        self._open.discard(connection)
        self._log.info("A radio bridge is gone")
        self._lost()
