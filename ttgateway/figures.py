"""What is counted while the gateway works: plain numbers, cheap enough for the path of every delivery.

Nothing here knows how the numbers are shown; `ttgateway.metrics` does. All of it is of this process: a restart
counts from 0 again.
"""

from bisect import bisect_left
from collections import Counter

MOST_CAUSES = 100
"""Pairs of kind and cause that are told apart; the causes that come later are counted as `OTHER`."""

OTHER = "other"

_TOLD_APART = frozenset({200, 201, 202, 204, 400, 401, 403, 404, 405, 408, 410, 413, 415, 422, 425, 429})
_TOLD_APART_5XX = frozenset({500, 501, 502, 503, 504, 507})


class Histogram:
    """How many values fell where.

    ``bounds`` rise. ``counts[i]`` values lie above the bound before ``bounds[i]`` and not above that one; the last
    count is of those above them all. ``total`` is the sum of the values, ``count`` their number.
    """

    __slots__ = ("bounds", "count", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self.count = 0

    def observe(self, value: float) -> None:
        """Count ``value``."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
        self.count += 1


class DeliveryFigures:
    """What became of the attempts at deliveries, to all listeners together.

    ``outcomes`` counts them by kind (``delivered``, ``down``, ``refused``, ``gone``) and cause (one word, or a status);
    ``waits`` holds the seconds from a change's commit to a listener's 2xx.
    """

    __slots__ = ("outcomes", "waits")

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.waits = Histogram(
            (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
        )

    def attempt(self, kind: str, cause: str) -> None:
        """Count one attempt; a ``cause`` that is a status which listeners seldom answer is counted with its like."""
        key = (kind, cause)
        if key not in self.outcomes:
            key = (kind, _folded(cause))
            if key not in self.outcomes and len(self.outcomes) >= MOST_CAUSES:
                key = (kind, OTHER)
        self.outcomes[key] += 1


class CommitFigures:
    """How large the store's commits are (``sizes``: writes in each), and how long each takes (``seconds``)."""

    __slots__ = ("seconds", "sizes")

    def __init__(self) -> None:
        self.sizes = Histogram((1, 2, 5, 10, 20, 50, 100, 200, 500, 1000))
        self.seconds = Histogram((0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10))


def _folded(cause: str) -> str:
    """Return ``cause``, or for a status that is not told apart the class of it: ``4xx``."""
    if not cause.isdecimal():
        return cause
    return cause if int(cause) in _TOLD_APART | _TOLD_APART_5XX else f"{cause[:1]}xx"
