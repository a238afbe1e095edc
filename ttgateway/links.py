"""One-time links: codes that open one session of the staff page each, soon or never. In memory only."""

from collections import OrderedDict
from collections.abc import Callable

from ttgateway.clock import Clock
from ttgateway.store.tables.tokens import digest

LINK = 120.0
"""Seconds for which a link is good."""

MOST_LINKS = 16
"""How many may wait to be used; the oldest goes."""


class OneTimeLinks:
    """The codes that were given out and not used. ``entropy`` returns as many random bytes as it is asked for."""

    def __init__(self, clock: Clock, entropy: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._entropy = entropy
        self._ends: OrderedDict[bytes, float] = OrderedDict()  # in uptime, by the hash of the code

    def make(self) -> str:
        """Return a new code, 48 hexadecimal characters, good once within `LINK` seconds."""
        code = self._entropy(24).hex()
        self._ends[digest(code)] = self._clock.now().uptime + LINK
        if len(self._ends) > MOST_LINKS:
            self._ends.popitem(last=False)
        return code

    def take(self, code: str) -> bool:
        """Return whether ``code`` is good; it is no more, from now on."""
        ends = self._ends.pop(digest(code), 0.0)
        return self._clock.now().uptime < ends
