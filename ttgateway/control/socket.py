"""The control socket's front: a connection speaks HTTP, or says ``button`` on its first line and means just that.

The line is for what cannot speak HTTP: ``echo button | nc -U control.sock``, a script of a udev rule.
"""

from collections.abc import Callable

from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, ITransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.server import Site

BUTTON = b"button"

FIRST_LINE_WITHIN = 5.0
"""Seconds for a connection to show which of the two it is."""


class ControlSocket(Factory):
    """Serves ``site``, and calls ``press`` for each line that says so."""

    noisy = False

    def __init__(self, site: Site, press: Callable[[], None], timers: IReactorTime) -> None:
        self._site = site
        self._press = press
        self._timers = timers

    def buildProtocol(self, addr: IAddress | None) -> "ControlConnection":
        """Return the protocol for a new connection."""
        return ControlConnection(lambda: self._site.buildProtocol(addr), self._press, self._timers)


class ControlConnection(Protocol):
    """One connection; ``http`` makes what speaks HTTP on it."""

    transport: ITransport

    def __init__(self, http: Callable[[], Protocol], press: Callable[[], None], timers: IReactorTime) -> None:
        self._make = http
        self._press = press
        self._timers = timers
        self._undecided: IDelayedCall | None = None
        self._http: Protocol | None = None
        self._head = b""

    def connectionMade(self) -> None:
        """Wait for the first line, but not for long."""
        self._undecided = self._timers.callLater(FIRST_LINE_WITHIN, self._overdue)

    def dataReceived(self, data: bytes) -> None:
        """Take bytes: up to the end of the first line to see what it is, then for HTTP."""
        if self._http is not None:
            self._http.dataReceived(data)
        elif self._undecided is not None:
            self._head += data
            line, end, _ = self._head.partition(b"\n")
            if end and line.removesuffix(b"\r") == BUTTON:
                self._decide()
                self._press()
                self._answer(b"Pressed. Within two minutes one device can get a token.\n")
            elif end or not (BUTTON + b"\r").startswith(line):
                self._decide()
                self._speak_http()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the connection."""
        self._decide()
        if self._http is not None:
            self._http.connectionLost(reason)

    def _decide(self) -> None:
        if self._undecided is not None:
            if self._undecided.active():
                self._undecided.cancel()
            self._undecided = None

    def _speak_http(self) -> None:
        self._http = self._make()
        self._http.makeConnection(self.transport)
        self._http.dataReceived(self._head)

    def _overdue(self) -> None:
        self._decide()
        self._answer(b"")

    def _answer(self, line: bytes) -> None:
        self.transport.write(line)
        self.transport.loseConnection()
