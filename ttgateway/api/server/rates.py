"""How often a peer may do something: token buckets in a table that cannot grow (design section 5)."""

import ipaddress
from collections import OrderedDict

from twisted.internet.interfaces import IReactorTime


class TokenBuckets:
    """A bucket of ``burst`` tokens for each peer, filled with ``rate`` tokens a second of ``clock``.

    The ``most`` peers that were seen last are remembered; one that is forgotten finds a full bucket again. So a
    peer is slowed, and never locked out.
    """

    def __init__(self, clock: IReactorTime, rate: float, burst: int, most: int = 1024) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when they were counted

    def __len__(self) -> int:
        """Return how many peers are remembered."""
        return len(self._buckets)

    def take(self, peer: str) -> bool:
        """Take a token from the bucket of ``peer``, an IP address; return whether there was one."""
        group = peer_group(peer)
        now = self._clock.seconds()
        tokens, counted = self._buckets.pop(group, (float(self._burst), now))
        tokens = min(float(self._burst), tokens + (now - counted) * self._rate)
        taken = tokens >= 1
        self._buckets[group] = (tokens - 1 if taken else tokens, now)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return taken


def peer_group(peer: str) -> str:
    """Return what counts as one peer: an IPv4 address, or the /64 of an IPv6 one, whose holder has all of it."""
    if ":" not in peer:
        return peer
    try:
        address = ipaddress.IPv6Address(peer)
    except ValueError:
        return peer
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{ipaddress.IPv6Address(int(address) >> 64 << 64)}/64"
