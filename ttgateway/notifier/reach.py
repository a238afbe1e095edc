"""Reaching a callback for the first time: is it a URL that we call, may we, and is anybody there?"""

import ipaddress

from twisted.internet.defer import Deferred

from ttgateway.machine import IPAddress
from ttgateway.notifier.attempt import Attempt, Deadlines, Destination, Network
from ttgateway.notifier.callback import CallbackURL
from ttgateway.notifier.outcome import DNS, Outcome
from ttgateway.notifier.request import head_request
from ttgateway.notifier.resolver import NameNotFound
from ttgateway.notifier.signing import check_secret
from ttgateway.refusals import ListenerSilent

LIMIT = 3.5
"""Seconds for the look-up and the HEAD together: a device that registers has its answer within 4 seconds."""

CONNECT = 2.5


class Reach:
    """Checks callbacks and sends the HEAD with which a listener is registered (protocol section 6)."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def canonical(self, url: object) -> str:
        """Return ``url`` in its one spelling; raise `CallbackInvalid`."""
        return str(CallbackURL.parse(url))

    def check_secret(self, secret: object) -> str:
        """Return ``secret`` if deliveries can be signed with it; raise `ListenerOptionInvalid`."""
        return check_secret(secret)

    async def reach(self, url: str, caller: str) -> None:
        """Send a HEAD to ``url``; raise `CallbackForbidden` or `ListenerSilent`. Any HTTP answer will do."""
        target = CallbackURL.parse(url)
        ends = self._network.sweep.now() + LIMIT
        addresses = await self._addresses(target)
        for address in addresses:
            self._network.policy.check(address, target.port)
        if (source := _address(caller)) is not None:
            self._network.policy.check_source(source, addresses)
        outcome = await self._head(target, ends - self._network.sweep.now())
        if not outcome.status:
            raise ListenerSilent(url, outcome.cause)

    async def _addresses(self, target: CallbackURL) -> tuple[IPAddress, ...]:
        if target.address is not None:
            return (target.address,)
        try:
            return await self._network.resolver.resolve(target.host)
        except NameNotFound:
            raise ListenerSilent(str(target), DNS) from None

    def _head(self, target: CallbackURL, limit: float) -> Deferred[Outcome]:
        deadlines = Deadlines(connect=min(CONNECT, limit), first_byte=limit, total=limit)
        destination = Destination(target, self._network)
        done: Deferred[Outcome] = Deferred(lambda _: attempt.cancel())
        attempt = Attempt(destination, head_request(target), done.callback, deadlines, True)
        attempt.start()
        return done


def _address(text: str) -> IPAddress | None:
    """Return the caller's address; ``None`` for one that came through the control socket."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
