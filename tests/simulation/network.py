"""The store's network as the gateway meets it: connections to listeners, and the names of these."""

from collections.abc import Callable
from ipaddress import ip_address
from random import Random
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IPullProducer
from twisted.python.failure import Failure

from tests.simulation.clock import Timeline
from ttgateway.machine import IPAddress
from ttgateway.notifier.attempts.connection import ListenerConnection
from ttgateway.notifier.callbacks.resolver import NameNotFound

LONGEST_DIAL = 3.2
"""Seconds after which an address must have been given up (design section 4), and those of one sweep."""
LONGEST_ATTEMPT = 10.2


class Runs(Protocol):
    """A process, as the network knows it."""

    alive: bool


class Host(Protocol):
    """A device that may be dialled."""

    def refuses(self) -> bool | None:
        """Whether it refuses connections; ``None``: nothing comes back at all."""

    def accepted(self, wire: "Wire") -> None:
        """A connection was made."""

    def received(self, wire: "Wire", data: bytes) -> None:
        """Something came on a connection."""


class Wire:
    """One connection from the gateway to a listener, and our end's transport of it.

    ``asked_at`` is when a request was written that has no whole answer yet; ``stuck``: the peer reads nothing.
    """

    disconnecting = False

    def __init__(self, internet: "Internet", host: Host, process: Runs, began: float) -> None:
        self._internet = internet
        self.host = host
        self.process = process
        self.open = True
        self.stuck = False
        self.asked_at: float | None = None
        self.inbox = b""
        self.start = b""  # of the deliveries that are made on it
        self._began: float | None = began
        self.connection = ListenerConnection(tls=False)
        self.connection.makeConnection(self)  # type: ignore[no-untyped-call]

    # What the gateway's end calls.

    def write(self, data: bytes) -> None:
        internet = self._internet
        now = internet.timeline.now
        self.asked_at = now if self._began is None else self._began
        self._began = None
        internet.asked(self, data)
        if not self.stuck:
            internet.timeline.after(internet.latency(), lambda: self.host.received(self, data))

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        pass

    def registerProducer(self, producer: IPullProducer, streaming: bool) -> None:  # noqa: N802
        producer.resumeProducing()
        if not self.stuck:
            self._internet.timeline.after(0.0, lambda: self._drained(producer))

    def _drained(self, producer: IPullProducer) -> None:
        if self.open and self.process.alive:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:  # noqa: N802
        pass

    def loseConnection(self) -> None:  # noqa: N802
        self._close(ConnectionDone())

    def abortConnection(self) -> None:  # noqa: N802
        self._close(ConnectionLost())

    # What the listener's end calls.

    def send(
        self, data: bytes, delay: float, arrived: Callable[[], None] | None = None, *, whole: bool = False
    ) -> None:
        """Send something after ``delay``; ``arrived`` is called as it arrives; ``whole``: this ends the answer."""

        def arrive() -> None:
            if not (self.open and self.process.alive):
                return
            if whole:
                self._internet.check_age(self)
                self.asked_at = None
            if arrived is not None:
                arrived()
            self.connection.dataReceived(data)

        self._internet.timeline.after(delay, arrive)

    def hang_up(self, delay: float, *, reset: bool = False) -> None:
        """Close the connection after ``delay``."""
        self._internet.timeline.after(delay, lambda: self._close(ConnectionLost() if reset else ConnectionDone()))

    def _close(self, why: Exception) -> None:
        if self.open:
            self.open = False
            self._internet.closed(self)
            if self.process.alive:
                self.connection.connectionLost(Failure(why))


class Internet:
    """All hosts by address and port, all names, and all connections that the gateway has open."""

    def __init__(self, timeline: Timeline, random: Random, wrong: Callable[[str], None]) -> None:
        self.timeline = timeline
        self._random = random
        self._wrong = wrong
        self.hosts: dict[tuple[str, int], Host] = {}
        self.names: dict[str, str] = {}
        self.dns: str = "well"  # or "failing", "hanging"
        self.wires: dict[Wire, None] = {}
        self.dials = 0

    def latency(self) -> float:
        """Return how long a packet takes, in seconds."""
        return 0.0005 + self._random.random() * 0.003

    def dial(self, address: IPAddress, port: int, process: Runs) -> Deferred[ListenerConnection]:
        """Connect, as `ttgateway.notifier.attempts.attempt.Dial` does."""
        began = self.timeline.now
        self.dials += 1
        over: list[bool] = []

        def cancel(_: object) -> None:
            over.append(True)
            if self.timeline.now - began > LONGEST_DIAL:
                self._wrong(f"{address} was dialled for {self.timeline.now - began:.1f} s")

        dialled: Deferred[ListenerConnection] = Deferred(cancel)

        def connect() -> None:
            if over or not process.alive:
                return
            host = self.hosts.get((str(address), port))
            refuses = None if host is None else host.refuses()
            if refuses:
                dialled.errback(ConnectError())
            elif host is not None and refuses is False:
                wire = Wire(self, host, process, began)
                self.wires[wire] = None
                host.accepted(wire)
                dialled.callback(wire.connection)

        self.timeline.after(self.latency(), connect)
        return dialled

    def look_up(self, name: str, process: Runs) -> Deferred[tuple[IPAddress, ...]]:
        """Return the addresses of a name, in the present state of the DNS."""
        found: Deferred[tuple[IPAddress, ...]] = Deferred()
        how = self.dns
        delay = self._random.uniform(5.0, 90.0) if how == "hanging" else self._random.uniform(0.001, 0.3)

        def answer() -> None:
            if not process.alive:
                return
            address = self.names.get(name)
            if how == "failing" or address is None:
                found.errback(NameNotFound("no such name"))
            else:
                found.callback((ip_address(address),))

        self.timeline.after(delay, answer)
        return found

    def asked(self, wire: Wire, data: bytes) -> None:
        """Check that a listener is asked one thing at a time."""
        if data.startswith(b"POST"):
            start = data[: data.index(b"User-Agent")]
            for other in self.wires:
                if other.start == start and other is not wire and other.asked_at is not None:
                    self._wrong(f"two deliveries at a time to {start!r}")
            wire.start = start

    def closed(self, wire: Wire) -> None:
        """Take note that a connection has ended."""
        self.check_age(wire)
        self.wires.pop(wire, None)

    def check_age(self, wire: Wire) -> None:
        """Check that an attempt has not gone on for longer than it may."""
        if wire.asked_at is not None and wire.process.alive and self.timeline.now - wire.asked_at > LONGEST_ATTEMPT:
            self._wrong(f"an attempt went on for {self.timeline.now - wire.asked_at:.2f} s")

    def gone(self, process: Runs) -> None:
        """Tell the hosts that a process is no more: its connections are closed."""
        for wire in [wire for wire in self.wires if wire.process is process]:
            wire.open = False
            del self.wires[wire]
