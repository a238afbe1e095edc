"""One attempt: a request goes to a listener, and an outcome comes back, within a deadline.

On the way: the name is looked up, the policy judges every address that it gives, the address that was judged is
dialled (never the name again), and the request is sent on the one connection that is kept to each listener.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, TCPTimedOutError
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.python.failure import Failure

from ttgateway.machine import IPAddress
from ttgateway.notifier.callback import CallbackURL
from ttgateway.notifier.connection import ListenerConnection
from ttgateway.notifier.outcome import DNS, FORBIDDEN, PROTOCOL, REFUSED, TIMEOUT, Outcome, Reply, failed, judged
from ttgateway.notifier.policy import CallPolicy, unwrapped
from ttgateway.notifier.resolver import Resolver
from ttgateway.notifier.sweep import EVERY, Sweep
from ttgateway.refusals import CallbackForbidden

IDLE = 2.0
"""Seconds after which an idle connection is closed: before usual servers close it under a request of ours."""


class Deadlines(msgspec.Struct, frozen=True):
    """How long an attempt may take, in seconds: to connect, to the first byte of the reply, and in all."""

    connect: float = 3.0
    first_byte: float = 5.0
    total: float = 10.0 - EVERY  # a sweep finds out up to `EVERY` late


DELIVERY = Deadlines()
"""How long a delivery may take (design section 4)."""


class Dial(Protocol):
    """Opens a connection to an address: the port that tests replace. With TLS, ``host`` is whom it must prove to be."""

    def __call__(self, address: IPAddress, port: int, host: str | None) -> Deferred[ListenerConnection]:
        """Connect to ``address``; by TLS, verified for ``host``, unless that is ``None``."""


class Network(msgspec.Struct, frozen=True):
    """What attempts need of the world."""

    sweep: Sweep
    resolver: Resolver
    policy: CallPolicy
    dial: Dial


class Destination:
    """Where one listener is reached, and the one connection that is kept to it."""

    __slots__ = ("_connection", "_idle_until", "address", "network", "url")

    def __init__(self, url: CallbackURL, network: Network) -> None:
        self.url = url
        self.network = network
        self.address: IPAddress | None = url.address
        self._connection: ListenerConnection | None = None
        self._idle_until = 0.0

    def attempt(
        self, request: bytes, done: Callable[[Outcome], None], deadlines: Deadlines, *, head: bool = False
    ) -> "Attempt":
        """Send ``request``; ``done`` is called once with the outcome, unless the attempt is cancelled."""
        attempt = Attempt(self, request, done, deadlines, head)
        attempt.start()
        return attempt

    def kept(self) -> ListenerConnection | None:
        """Return the kept connection for use, if there is one."""
        connection, self._connection = self._connection, None
        self.network.sweep.ignore(self)
        return connection if connection is not None and connection.usable else None

    def keep(self, connection: ListenerConnection) -> None:
        """Keep ``connection`` for the next attempt, for `IDLE` seconds."""
        self._connection = connection
        self._idle_until = self.network.sweep.now() + IDLE
        self.network.sweep.watch(self)

    def check(self, now: float) -> None:
        """Close the kept connection when its time is over."""
        if now >= self._idle_until:
            self.close()

    def close(self) -> None:
        """Close the kept connection."""
        connection = self.kept()
        if connection is not None:
            connection.close()


class Attempt:
    """One attempt. It ends exactly once: with an outcome, or cancelled."""

    __slots__ = (
        "_address_queue",
        "_connection",
        "_deadlines",
        "_destination",
        "_dialling",
        "_done",
        "_due",
        "_ends",
        "_fresh",
        "_head",
        "_request",
        "_resolving",
    )

    def __init__(
        self,
        destination: Destination,
        request: bytes,
        done: Callable[[Outcome], None],
        deadlines: Deadlines,
        head: bool,
    ) -> None:
        self._destination = destination
        self._request = request
        self._done: Callable[[Outcome], None] | None = done
        self._deadlines = deadlines
        self._head = head
        self._fresh = False
        self._connection: ListenerConnection | None = None
        self._dialling: Deferred[ListenerConnection] | None = None
        self._resolving: Deferred[tuple[IPAddress, ...]] | None = None

    def start(self) -> None:
        """Send on the kept connection, or make one."""
        sweep = self._destination.network.sweep
        self._ends = self._due = sweep.now() + self._deadlines.total
        sweep.watch(self)
        connection = self._destination.kept()
        if connection is not None:
            self._send(connection)
        else:
            self._look_up()

    def cancel(self) -> None:
        """End without an outcome."""
        self._stop()

    def check(self, now: float) -> None:
        """End the attempt, or the try of one address, if its time is over."""
        if now < self._due:
            return
        if self._dialling is not None and now < self._ends:
            dialling, self._dialling = self._dialling, None
            dialling.cancel()
            self._dial_next(TIMEOUT)
            return
        connection = self._connection
        if connection is not None and connection.heard and now < self._ends:
            self._due = self._ends
            return
        self._connection = None
        status = connection.overdue() if connection is not None else 0
        self._end(judged(Reply(status)) if status else failed(TIMEOUT))

    def replied(self, reply: Reply) -> None:
        """The listener has answered."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.usable:
            self._destination.keep(connection)
        self._end(judged(reply))

    def broken(self, cause: str, heard: bool) -> None:
        """No answer came. A kept connection may just have been closed by the listener: that does not count."""
        self._connection = None
        if heard or self._fresh:
            self._end(failed(cause))
        else:
            self._look_up()

    def _look_up(self) -> None:
        self._fresh = True
        self._due = self._ends
        url = self._destination.url
        if url.address is not None:
            self._judge((url.address,))
            return
        self._resolving = self._destination.network.resolver.resolve(url.host)
        self._resolving.addCallbacks(self._judge, self._not_found)

    def _not_found(self, _: Failure) -> None:
        self._resolving = None
        self._end(failed(DNS))

    def _judge(self, addresses: tuple[IPAddress, ...]) -> None:
        """Go on only if the policy passes every address: one good one among them proves nothing."""
        self._resolving = None
        if self._done is None:
            return
        policy, port = self._destination.network.policy, self._destination.url.port
        try:
            for address in addresses:
                policy.check(address, port)
        except CallbackForbidden:
            self._end(failed(FORBIDDEN))
            return
        self._address_queue = deque(unwrapped(address) for address in addresses)
        self._dial_next(DNS)

    def _dial_next(self, cause: str) -> None:
        """Dial the next address; ``cause`` is why the last one failed."""
        if not self._address_queue:
            self._destination.network.resolver.forget(self._destination.url.host)
            self._end(failed(cause))
            return
        address = self._address_queue.popleft()
        destination = self._destination
        destination.address = address
        url, network = destination.url, destination.network
        self._due = min(self._ends, network.sweep.now() + self._deadlines.connect)
        host = url.host if url.scheme == "https" else None
        self._dialling = dialling = network.dial(address, url.port, host)
        dialling.addCallbacks(self._connected, self._not_connected, callbackArgs=(dialling,), errbackArgs=(dialling,))

    def _connected(self, connection: ListenerConnection, dialling: Deferred[ListenerConnection]) -> None:
        if self._dialling is not dialling:
            connection.abandon()
            return
        self._dialling = None
        self._send(connection)

    def _not_connected(self, failure: Failure, dialling: Deferred[ListenerConnection]) -> None:
        if self._dialling is dialling:
            self._dialling = None
            self._dial_next(_why(failure.value))

    def _send(self, connection: ListenerConnection) -> None:
        self._connection = connection
        self._due = min(self._ends, self._destination.network.sweep.now() + self._deadlines.first_byte)
        connection.request(self._request, self, head=self._head)

    def _end(self, outcome: Outcome) -> None:
        done = self._done
        self._stop()
        if done is not None:
            done(outcome)

    def _stop(self) -> None:
        self._done = None
        self._destination.network.sweep.ignore(self)
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abandon()
        dialling, self._dialling = self._dialling, None
        if dialling is not None:
            dialling.cancel()
        resolving, self._resolving = self._resolving, None
        if resolving is not None:
            resolving.cancel()


def _why(error: BaseException | None) -> str:
    if isinstance(error, ConnectTimeout | TCPTimedOutError):
        return TIMEOUT
    return REFUSED if isinstance(error, ConnectError | OSError) else PROTOCOL
