"""One attempt: a request goes to a listener, and an outcome comes back, within a deadline.

On the way: the name is looked up, the policy judges every address that it gives, the address that was judged is
dialled (never the name again), and the request is sent on the one connection that is kept to each listener.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import ConnectError, TCPTimedOutError
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.python.failure import Failure

from ttgateway.machine import IPAddress
from ttgateway.notifier.attempts.connection import ListenerConnection
from ttgateway.notifier.attempts.outcome import (
    DNS,
    FORBIDDEN,
    PROTOCOL,
    REFUSED,
    TIMEOUT,
    Outcome,
    Reply,
    failed,
    judged,
)
from ttgateway.notifier.attempts.sweep import EVERY, Sweep
from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.notifier.callbacks.policy import CallPolicy, unwrapped
from ttgateway.notifier.callbacks.resolver import Resolver
from ttgateway.refusals import CallbackForbidden

IDLE = 2.0
"""Seconds after which an idle connection is closed: before usual servers close it under a request of ours."""


REST = 1.0
"""Seconds for the rest of a reply that ends with the connection, once its head is there: the status decides."""


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
    """Where one listener is reached: the attempt that is under way there, or else the connection that is kept to it.

    ``address`` is where it was reached last, ``began`` when the last attempt did, on the sweep's clock.
    """

    __slots__ = (
        "_address_queue",
        "_answered",
        "_connection",
        "_deadlines",
        "_dialling",
        "_done",
        "_due",
        "_ends",
        "_fresh",
        "_head",
        "_idle_until",
        "_judged",
        "_request",
        "_resolving",
        "address",
        "began",
        "network",
        "url",
    )

    def __init__(self, url: CallbackURL, network: Network) -> None:
        self.url = url
        self.network = network
        self.address: IPAddress | None = url.address
        self.began = 0.0
        self._connection: ListenerConnection | None = None
        self._dialling: Deferred[ListenerConnection] | None = None
        self._resolving: Deferred[tuple[IPAddress, ...]] | None = None
        self._done: Callable[[Outcome], None] | None = None  # while an attempt is under way
        self._idle_until: float | None = None  # not known before the first sweep
        self._judged = 0  # by which revision of the policy the kept connection's address was

    @property
    def under_way(self) -> bool:
        """Whether an attempt is."""
        return self._done is not None

    def attempt(
        self,
        request: bytes,
        done: Callable[[Outcome], None],
        deadlines: Deadlines,
        *,
        head: bool = False,
        addresses: tuple[IPAddress, ...] = (),
    ) -> None:
        """Send ``request`` on the kept connection, or make one; no other attempt may be under way.

        ``done`` is called once with the outcome, unless the attempt is cancelled. ``head``: the reply has no body.
        ``addresses`` are what the caller has looked up.
        """
        self._request, self._done, self._deadlines, self._head = request, done, deadlines, head
        self._fresh = self._answered = False
        self.began = now = self.network.sweep.now()
        self._ends = now + deadlines.total
        connection = self._connection
        if connection is not None and connection.usable:
            if self._judged == self.network.policy.revision:
                self._send(connection, now)
                return
            self.close()  # what was allowed then may not be any more
        self._connection = None
        self._due = self._ends
        self.network.sweep.watch(self)
        if addresses:
            self._fresh = True
            self._judge(addresses)
        else:
            self._look_up()

    def cancel(self) -> None:
        """End the attempt without an outcome; nothing where none is under way."""
        if self._done is not None:
            self._stop()

    def close(self) -> None:
        """Close the kept connection."""
        connection, self._connection = self._connection, None
        self.network.sweep.ignore(self)
        if connection is not None and connection.usable:
            connection.close()

    def check(self, now: float) -> None:
        """End the attempt, or the try of one address, or the kept connection, if its time is over."""
        if self._done is not None:
            if now >= self._due:
                self._overdue(now)
        elif self._idle_until is None:
            self._idle_until = now + IDLE
        elif now >= self._idle_until:
            self.close()

    def _overdue(self, now: float) -> None:
        if self._dialling is not None and now < self._ends:
            dialling, self._dialling = self._dialling, None
            dialling.cancel()
            self._dial_next(TIMEOUT)
            return
        connection = self._connection
        if connection is not None and connection.heard and not self._answered and now < self._ends:
            self._due = self._ends
            return
        self._connection = None
        reply = connection.overdue() if connection is not None else None
        self._end(judged(reply) if reply is not None else failed(TIMEOUT))

    def answered(self) -> None:
        """The head of the reply is there, and its body ends when the listener closes: some never do."""
        if not self._answered:
            self._answered = True
            self._due = min(self._ends, self.network.sweep.now() + REST)

    def replied(self, reply: Reply) -> None:
        """The listener has answered."""
        done, self._done = self._done, None
        connection = self._connection
        if connection is not None and connection.usable:
            self._idle_until = None
        else:
            self._connection = None
            self.network.sweep.ignore(self)
        if done is not None:
            done(judged(reply))

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
        url = self.url
        if url.address is not None:
            self._judge((url.address,))
            return
        self._resolving = self.network.resolver.resolve(url.host)
        self._resolving.addCallbacks(self._judge, self._not_found)

    def _not_found(self, _: Failure) -> None:
        self._resolving = None
        self._end(failed(DNS))

    def _judge(self, addresses: tuple[IPAddress, ...]) -> None:
        """Go on only if the policy passes every address: one good one among them proves nothing."""
        self._resolving = None
        if self._done is None:
            return
        try:
            for address in addresses:
                self.network.policy.check(address, self.url.port)
        except CallbackForbidden:
            self._end(failed(FORBIDDEN))
            return
        self._judged = self.network.policy.revision
        self._address_queue = deque(unwrapped(address) for address in addresses)
        self._dial_next(DNS)

    def _dial_next(self, cause: str) -> None:
        """Dial the next address; ``cause`` is why the last one failed."""
        network, url = self.network, self.url
        if not self._address_queue:
            network.resolver.forget(url.host)
            self._end(failed(cause))
            return
        address = self.address = self._address_queue.popleft()
        self._due = min(self._ends, network.sweep.now() + self._deadlines.connect)
        host = url.host if url.scheme == "https" else None
        self._dialling = dialling = maybeDeferred(network.dial, address, url.port, host)
        dialling.addCallbacks(self._connected, self._not_connected, callbackArgs=(dialling,), errbackArgs=(dialling,))

    def _connected(self, connection: ListenerConnection, dialling: Deferred[ListenerConnection]) -> None:
        if self._dialling is not dialling:
            connection.abandon()
            return
        self._dialling = None
        self._connection = connection
        self._send(connection, self.network.sweep.now())

    def _not_connected(self, failure: Failure, dialling: Deferred[ListenerConnection]) -> None:
        if self._dialling is dialling:
            self._dialling = None
            self._dial_next(_why(failure.value))

    def _send(self, connection: ListenerConnection, now: float) -> None:
        self._due = min(self._ends, now + self._deadlines.first_byte)
        connection.request(self._request, self, head=self._head)

    def _end(self, outcome: Outcome) -> None:
        done = self._done
        if done is not None:
            self._stop()
            done(outcome)

    def _stop(self) -> None:
        self._done = None
        self.network.sweep.ignore(self)
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
