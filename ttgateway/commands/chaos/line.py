"""The line to a listener: sends a request as a gateway does, or breaks it off on purpose."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from ttgateway.commands.chaos.script import Manner
from ttgateway.machine import IPAddress
from ttgateway.notifier.attempts.attempt import DELIVERY, Destination, Network
from ttgateway.notifier.attempts.connection import ListenerConnection
from ttgateway.notifier.attempts.outcome import DNS, FORBIDDEN, REFUSED, TIMEOUT, Outcome, Reply, failed, judged
from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.notifier.callbacks.policy import unwrapped
from ttgateway.notifier.callbacks.resolver import NameNotFound
from ttgateway.refusals import CallbackForbidden

LEFT_OPEN = 0.05
"""Seconds for which a connection stays, on which no more is sent, or from which nothing is read."""

PIECES = 4
"""In which a slow request comes."""

BETWEEN_PIECES = 0.25
"""Seconds."""


class Line:
    """The line to ``url``."""

    def __init__(self, url: CallbackURL, network: Network, timers: IReactorTime) -> None:
        self._url = url
        self._network = network
        self._timers = timers
        self._destination = Destination(url, network)

    async def send(self, request: bytes, manner: Manner) -> Outcome | None:
        """Send ``request``, and return what came of it; ``None`` where its answer is not waited for."""
        if manner is Manner.WHOLE:
            done: Deferred[Outcome] = Deferred(lambda _: self._destination.cancel())
            self._destination.attempt(request, done.callback, DELIVERY)
            return await done
        self._destination.close()  # a listener may take one connection only
        connection = await self._connected()
        if isinstance(connection, Outcome):
            return connection
        waiting = _Reply()
        if manner is Manner.SLOW:
            return await self._sent_slowly(request, connection, waiting)
        connection.request(request if manner is Manner.UNREAD else request[: len(request) * 2 // 3], waiting)
        await deferLater(self._timers, LEFT_OPEN)
        connection.abandon()
        return None

    def close(self) -> None:
        """Close the connection that is kept."""
        self._destination.close()

    async def _connected(self) -> ListenerConnection | Outcome:
        """Return a new connection, or why there is none. Whom we may call is judged here as for any delivery."""
        url, network = self._url, self._network
        try:
            found = (url.address,) if url.address is not None else await network.resolver.resolve(url.host)
            for address in found:
                network.policy.check(address, url.port)
        except NameNotFound:
            return failed(DNS)
        except CallbackForbidden:
            return failed(FORBIDDEN)
        connected: ListenerConnection | Outcome = failed(DNS)
        for address in found:
            connected = await self._dialled(address)
            if isinstance(connected, ListenerConnection):
                break
        return connected

    async def _dialled(self, address: IPAddress) -> ListenerConnection | Outcome:
        url = self._url
        try:
            dialling = self._network.dial(unwrapped(address), url.port, url.host if url.scheme == "https" else None)
            return await dialling.addTimeout(DELIVERY.connect, self._timers)
        except (DeferredTimeout, CancelledError):
            return failed(TIMEOUT)
        except Exception:  # whatever a connection can fail with: TCP's errors, and TLS's
            return failed(REFUSED)

    async def _sent_slowly(self, request: bytes, connection: ListenerConnection, waiting: "_Reply") -> Outcome:
        size = -(-len(request) // PIECES)
        connection.request(request[:size], waiting)
        for start in range(size, len(request), size):
            await deferLater(self._timers, BETWEEN_PIECES)
            if not waiting.outcome.called:  # else it has answered, or gone, before it had all
                connection.transport.write(request[start : start + size])
        try:
            outcome = await waiting.outcome.addTimeout(DELIVERY.total, self._timers)
        except DeferredTimeout:
            outcome = failed(TIMEOUT)
        connection.abandon()
        return outcome


class _Reply:
    """Waits for a reply."""

    def __init__(self) -> None:
        self.outcome: Deferred[Outcome] = Deferred()

    def answered(self) -> None:
        pass

    def replied(self, reply: Reply) -> None:
        self.outcome.callback(judged(reply))

    def broken(self, cause: str, heard: bool) -> None:
        self.outcome.callback(failed(cause))
