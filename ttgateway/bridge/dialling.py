"""Where we connect to the bridge: again and again, for ever."""

import termios
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, execute
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.serialport import SerialPort
from twisted.logger import Logger
from twisted.python.failure import Failure

from ttgateway.bridge.connections import Connections
from ttgateway.gateway import Gateway
from ttgateway.settings import StreamAddress

CONNECT_WITHIN = 5
"""Seconds that a try may take."""

SOONEST, LATEST = 0.2, 10.0
"""Seconds before the next try, after the first failure and after many; jittered by 20 %."""

Connect = Callable[[Factory], Deferred[Any]]
"""Opens one connection, made by the factory."""


class SerialConnection(SerialPort):
    """A serial port as a transport that can also be closed at once."""

    _aborting = False

    def abortConnection(self) -> None:  # noqa: N802  # as Twisted's other transports have it
        """Close, whatever waits to be written; in the reactor's next turn, as it may be reading from it just now."""
        if not self._aborting:
            self._aborting = True
            self.stopReading()  # type: ignore[no-untyped-call]
            self.stopWriting()  # type: ignore[no-untyped-call]
            reactor: Any = self.reactor
            reactor.callLater(0, self.connectionLost, Failure(ConnectionAborted()))


def connect_to(address: StreamAddress, reactor: Any) -> Connect:
    """Return what opens connections to ``address``; they fail with an ``Exception`` of whatever kind."""
    if address.kind == "serial":
        return lambda factory: execute(_open_serial, factory, address, reactor)
    endpoint: IStreamClientEndpoint
    if address.kind == "unix":
        endpoint = UNIXClientEndpoint(reactor, address.where, timeout=CONNECT_WITHIN)
    else:
        kind = TCP6ClientEndpoint if ":" in address.where else TCP4ClientEndpoint
        endpoint = kind(reactor, address.where, address.number, timeout=CONNECT_WITHIN)
    return endpoint.connect


class Dialling(Service):
    """Keeps a connection to the bridge, or tries to; ``jitter`` returns random numbers in [0, 1).

    ``at`` is where the bridge is, for people.
    """

    _log = Logger()

    def __init__(
        self, connect: Connect, at: str, gateway: Gateway, timers: IReactorTime, jitter: Callable[[], float]
    ) -> None:
        self._connect = connect
        self._at = at
        self._timers = timers
        self._jitter = jitter
        self._connections = Connections(gateway, timers, self._lost)
        self._attempt: Deferred[Any] | None = None
        self._timer: IDelayedCall | None = None
        self._failures = 0
        self._since = 0.0

    def startService(self) -> None:
        """Begin to connect."""
        super().startService()  # type: ignore[no-untyped-call]
        self._dial()

    def stopService(self) -> None:
        """Give up what is being tried, and the connection."""
        super().stopService()  # type: ignore[no-untyped-call]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._attempt is not None:
            self._attempt.cancel()
        self._connections.close()

    def _dial(self) -> None:
        self._timer = None
        self._since = self._timers.seconds()
        attempt = self._attempt = self._connect(self._connections)
        attempt.addCallbacks(self._made, self._failed)

    def _made(self, _: object) -> None:
        self._attempt = None

    def _failed(self, failure: Failure) -> None:
        self._attempt = None
        if self.running and self._failures == 0:  # once an outage
            self._log.warn("No radio bridge at {at}: {error}", at=self._at, error=failure.getErrorMessage())
        self._wait()

    def _lost(self) -> None:
        if self._timers.seconds() - self._since >= LATEST:  # else it hangs up on us at once, again and again
            self._failures = 0
        self._wait()

    def _wait(self) -> None:
        if self.running:
            delay = min(LATEST, SOONEST * 2 ** min(self._failures, 10))
            self._failures += 1
            self._timer = self._timers.callLater(delay * (0.8 + 0.4 * self._jitter()), self._dial)


def _open_serial(factory: Factory, address: StreamAddress, reactor: Any) -> None:
    protocol = factory.buildProtocol(None)  # a serial port has no address
    try:
        SerialConnection(protocol, address.where, reactor, baudrate=address.number)  # type: ignore[no-untyped-call]
    except termios.error as error:  # no OSError, and pyserial lets it through
        raise OSError(*error.args) from None
