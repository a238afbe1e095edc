"""Reaching a callback for the first time: is it a URL that we call, may we, and is anybody there?"""

import ipaddress
from collections import Counter
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred

from ttgateway.machine import IPAddress
from ttgateway.notifier.attempts.attempt import Deadlines, Destination, Network
from ttgateway.notifier.attempts.outcome import DNS, Outcome
from ttgateway.notifier.attempts.request import head_request
from ttgateway.notifier.attempts.signing import check_secret
from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.notifier.callbacks.resolver import NameNotFound
from ttgateway.refusals import ListenerSilent, NotNow, TooMany

T = TypeVar("T")

LIMIT = 3.5
"""Seconds for the look-up and the HEAD together: a device that registers has its answer within 4 seconds."""

CONNECT = 2.5

MOST_AT_ONCE, MOST_OF_A_CALLER = 64, 32
"""HEADs under way, in all and on behalf of one device: each holds a socket for as long as nobody answers."""


class Reach:
    """Checks callbacks and sends the HEAD with which a listener is registered (protocol section 6)."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._under_way: Counter[str] = Counter()
        self._waits: set[Deferred[Any]] = set()  # for a look-up, or for the answer to a HEAD
        self._stopping = False

    def stop(self) -> None:
        """Reach nobody any more: who waits for it is told that the gateway is stopping."""
        self._stopping = True
        for wait in list(self._waits):
            wait.cancel()

    def canonical(self, url: object) -> str:
        """Return ``url`` in its one spelling; raise `CallbackInvalid`."""
        return str(CallbackURL.parse(url))

    def check_secret(self, secret: object) -> str:
        """Return ``secret`` if deliveries can be signed with it; raise `ListenerOptionInvalid`."""
        return check_secret(secret)

    async def reach(self, url: str, caller: str) -> None:
        """Send a HEAD to ``url``, on behalf of ``caller``; any HTTP answer will do.

        Raises `CallbackForbidden`, `ListenerSilent`, `TooMany` where too many are under way, and `NotNow` at a stop.
        """
        if self._under_way.total() >= MOST_AT_ONCE or (caller and self._under_way[caller] >= MOST_OF_A_CALLER):
            raise TooMany("Too many listeners are being reached at once. Try again in a second.")
        self._under_way[caller] += 1
        try:
            await self._reach(url, caller)
        finally:
            self._under_way[caller] -= 1
            self._under_way += Counter()  # forgets those that have none

    async def _reach(self, url: str, caller: str) -> None:
        target = CallbackURL.parse(url)
        ends = self._network.sweep.now() + LIMIT
        if (source := _address(caller)) is not None:
            self._network.policy.check_source(source, target.address)
        addresses = await self._addresses(target)
        for address in addresses:
            self._network.policy.check(address, target.port)
        outcome = await self._unless_stopped(self._head(target, addresses, ends - self._network.sweep.now()))
        if not outcome.status:
            raise ListenerSilent(url, outcome.cause)

    async def _addresses(self, target: CallbackURL) -> tuple[IPAddress, ...]:
        if target.address is not None:
            return (target.address,)
        try:
            return await self._unless_stopped(self._network.resolver.resolve(target.host))
        except NameNotFound:
            raise ListenerSilent(str(target), DNS) from None

    async def _unless_stopped(self, wait: Deferred[T]) -> T:
        """Return what is waited for; raise `NotNow` where the gateway stops before."""
        self._waits.add(wait)
        try:
            if self._stopping:
                wait.cancel()
            return await wait
        except CancelledError:
            raise NotNow("The gateway is stopping.") from None
        finally:
            self._waits.discard(wait)

    def _head(self, target: CallbackURL, addresses: tuple[IPAddress, ...], limit: float) -> Deferred[Outcome]:
        """Send the HEAD to the addresses that were judged: looked up again, the name might give others."""
        deadlines = Deadlines(connect=min(CONNECT, limit), first_byte=limit, total=limit)
        destination = Destination(target, self._network)
        done: Deferred[Outcome] = Deferred(lambda _: destination.cancel())
        destination.attempt(head_request(target), done.callback, deadlines, head=True, addresses=addresses)
        return done


def _address(text: str) -> IPAddress | None:
    """Return the caller's address; ``None`` for one that came through the control socket."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
