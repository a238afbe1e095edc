"""One connection to a bridge: reports come in, pages and errors go out, every limit counted."""

import socket
from typing import Any
from typing import Protocol as Port

from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IPushProducer,
    IReactorTime,
    ISystemHandle,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from ttgateway.bridge import lines
from ttgateway.bridge.lines import Event, Incoming, LineInvalid, TrackerReport
from ttgateway.gateway import Gateway
from ttgateway.orders.errors import OrderError, OrderNotActive
from ttgateway.orders.order import ClearedReason
from ttgateway.radio import RepeaterReport
from ttgateway.refusals import Refusal
from ttgateway.sparing import sparing_logger

MOST_UNDER_WAY = 100
"""The most commands that may wait for their commit; until one is done, no more is read."""

MOST_UNREAD = 64 * 1024
"""The most bytes that may be added, beyond those that made the transport full, for a bridge that does not read."""

LONGEST_UNREAD = 30.0
"""Seconds after which a bridge that does not read is hung up on."""

_KEEP_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}


class _Transport(ITCPTransport, IConsumer, IPushProducer, ISystemHandle):
    """What Twisted's stream transports are; one to a serial port knows nothing of TCP."""


class Owner(Port):
    """Who must know which connections there are."""

    def made(self, connection: "BridgeConnection") -> None:
        """The connection is there."""

    def gone(self, connection: "BridgeConnection") -> None:
        """The connection has ended."""


@implementer(IPushProducer)
class BridgeConnection(Protocol):
    """A connection, and a `ttgateway.radio.Link`; ``tcp`` tells whether it is one of TCP.

    As a producer it is told by its transport when the bridge does not read: then it does not read either.
    """

    transport: _Transport
    _log = sparing_logger("ttgateway.bridge")

    def __init__(self, gateway: Gateway, timers: IReactorTime, owner: Owner, *, tcp: bool) -> None:
        self._gateway = gateway
        self._timers = timers
        self._owner = owner
        self._tcp = tcp
        self._incoming = Incoming()
        self._under_way = 0
        self._open = self._reading = self._working = False
        self._unread = 0
        self._deadline: IDelayedCall | None = None  # runs while the bridge does not read

    def connectionMade(self) -> None:
        """The bridge is there: tell it how things stand."""
        self._open = self._reading = True
        if self._tcp:
            _keep_alive(self.transport)
        self.transport.registerProducer(self, True)
        self._owner.made(self)
        self._gateway.radio.attach(self)

    def dataReceived(self, data: bytes) -> None:
        """Take in some lines, or parts of lines."""
        if self._open:
            self._incoming.put(data)
            self._work()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The bridge is gone; what it had said is carried out all the same."""
        self._open = False
        self._gateway.radio.detach(self)
        self._stop_deadline()
        self._work()
        self._owner.gone(self)

    def close(self) -> None:
        """End the connection."""
        self._open = False
        self._incoming.clear()
        if self._deadline is None:
            self.transport.loseConnection()
        else:
            self.transport.abortConnection()

    def page(self, name: str, tracking: bool) -> None:
        """Page the guest who carries this tracker."""
        self._say(lines.page_line(name, tracking))

    def unpage(self, name: str) -> None:
        """End the paging of this tracker."""
        self._say(lines.unpage_line(name))

    def pair(self, seconds: int) -> None:
        """Let repeaters join for so long; 0: no more."""
        self._say(lines.pairing_line(seconds))

    def replaced(self) -> None:
        """Another bridge has come in this one's place."""
        self._hang_up("another one has connected")

    def pauseProducing(self) -> None:
        """The bridge does not read what is written: read no more of it, for a while."""
        self._unread = 0
        self._deadline = self._timers.callLater(LONGEST_UNREAD, self._overdue)
        self._pace()

    def resumeProducing(self) -> None:
        """The bridge has read all."""
        self._stop_deadline()
        self._work()

    def stopProducing(self) -> None:
        """The connection is going; `connectionLost` follows."""

    def _work(self) -> None:
        """Carry out what has come, as far as the limits allow, in the order of the lines."""
        if self._working:  # a command was carried out at once
            return
        self._working = True
        while self._deadline is None and self._under_way < MOST_UNDER_WAY and self._take():
            pass
        self._working = False
        self._pace()

    def _take(self) -> bool:
        """Read the next line and begin to carry it out; tell whether there was one."""
        try:
            line = self._incoming.take()
            if line is None:
                return False
            report = lines.read(line)
        except LineInvalid as fault:
            self._answer(str(fault), self._incoming.number)
            return True
        if isinstance(report, RepeaterReport):
            self._gateway.radio.reported(report)
        elif report is not None:
            self._gateway.radio.seen(report.tracker, report.pageable)
            if report.event is not Event.SEEN:
                self._under_way += 1
                number = self._incoming.number
                maybeDeferred(self._carry_out, report).addErrback(self._refused, number).addCallback(self._done)
        return True

    def _carry_out(self, report: TrackerReport) -> Deferred[Any]:
        if report.event is Event.CLEARED:
            return ensureDeferred(self._gateway.clear(report.tracker, ClearedReason.TRACKER))
        return self._gateway.tracked(report.tracker, report.location)

    def _refused(self, failure: Failure, number: int) -> None:
        if failure.check(OrderNotActive):
            return  # a tracker that is put away without an order is no news
        if failure.check(Refusal, OrderError):
            self._answer(str(failure.value), number)
        else:
            self._log.failure("A report of the radio bridge was not carried out", failure)
            self._answer("Not carried out. The gateway has failed.", number)

    def _done(self, _: object) -> None:
        self._under_way -= 1
        self._work()

    def _pace(self) -> None:
        """Read from the bridge, or let it wait."""
        wanted = self._deadline is None and self._under_way < MOST_UNDER_WAY
        if self._open and wanted is not self._reading:
            self._reading = wanted
            if wanted:
                self.transport.resumeProducing()
            else:
                self.transport.pauseProducing()

    def _answer(self, words: str, number: int) -> None:
        self._say(lines.error_line(words, number))

    def _say(self, line: bytes) -> None:
        if not self._open:
            return
        if self._deadline is not None:
            self._unread += len(line)
        if self._unread > MOST_UNREAD:
            self._overdue()
        else:
            self.transport.write(line)

    def _overdue(self) -> None:
        self._hang_up("it does not read what it is told")

    def _hang_up(self, why: str) -> None:
        """End the connection at once; the deadline ends with it, in `connectionLost`."""
        self._log.warn("The connection to the radio bridge is closed: {why}", why=why)
        self._open = False
        self._incoming.clear()
        self.transport.abortConnection()

    def _stop_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None
        self._unread = 0


def _keep_alive(transport: _Transport) -> None:
    """Notice within about a minute that the machine on the other side is gone, where the system lets us."""
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    handle: Any = transport.getHandle()
    for name, value in _KEEP_ALIVE.items():
        if hasattr(socket, name):
            handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
