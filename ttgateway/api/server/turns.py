"""Whose turn it is: strangers' requests take a share of the processor, and no more (design section 5).

All that the gateway does happens on one thread. Many strangers who each keep to their own rate could together take
all of it, and every till would wait behind them. So the time that goes into requests without a valid secret is
counted, and where it has been too much, such requests wait: one of each peer is answered in turn.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.web.http_headers import Headers

SHARE = 0.4
"""How much of the time strangers may take."""
MOST_AT_ONCE = 0.005
"""Seconds that strangers may take in a row: whoever shows a secret waits about that long for them."""
MOST_OWED = 0.05
"""Seconds that count at most against those who come next: nobody is to wait for long because others did much."""


class Turns:
    """The requests of strangers. Time is counted, and work measured, on ``clock``.

    What waits here is bounded by the connections: each has one request that waits, at most. ``knows``, to be set once
    that can be told, tells of the headers of a request whether they show a valid secret: who does waits for nobody.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.knows: Callable[[Headers], bool] = _knows_nobody
        self._clock = clock
        self._credit = MOST_AT_ONCE
        self._counted = clock.seconds()
        self._waiting: OrderedDict[str, OrderedDict[Hashable, Callable[[], None]]] = OrderedDict()
        self._group_of: dict[Hashable, str] = {}
        self._timer: IDelayedCall | None = None

    def __len__(self) -> int:
        """Return how many requests wait."""
        return len(self._group_of)

    @property
    def crowded(self) -> bool:
        """Whether one more would have to wait."""
        return bool(self._group_of) or not self._has_credit()

    def waits(self, request: Hashable) -> bool:
        """Return whether ``request`` waits for its turn."""
        return request in self._group_of

    def take(self, request: Hashable, group: str, answer: Callable[[], None]) -> bool:
        """Call ``answer`` now, or when it is the turn of ``group``; return whether that was now.

        ``group`` is what counts as one peer (`rates.peer_group`).
        """
        if not self._group_of and self._has_credit():
            answer()
            return True
        self._waiting.setdefault(group, OrderedDict())[request] = answer
        self._group_of[request] = group
        self._wait()
        return False

    def spend(self, seconds: float) -> None:
        """Note that strangers took so much time."""
        self._has_credit()
        self._credit = max(-MOST_OWED, self._credit - seconds)

    def forget(self, request: Hashable) -> None:
        """Do not answer ``request`` any more, whose connection has ended; one that does not wait is no error."""
        group = self._group_of.pop(request, None)
        if group is None:
            return
        del self._waiting[group][request]
        if not self._waiting[group]:
            del self._waiting[group]
        if not self._group_of and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _has_credit(self) -> bool:
        """Add what has come in by now; return whether strangers may take time."""
        now = self._clock.seconds()
        self._credit = min(MOST_AT_ONCE, self._credit + (now - self._counted) * SHARE)
        self._counted = now
        return self._credit > 0

    def _wait(self) -> None:
        if self._timer is None:
            lacking = MOST_AT_ONCE / 2 - self._credit
            self._timer = self._clock.callLater(max(0.0, lacking / SHARE), self._go_on)

    def _go_on(self) -> None:
        """Answer those whose turn it is: one at least, and as many as there is time for."""
        self._timer = None
        self._has_credit()
        while self._group_of:
            began = self._clock.seconds()
            self._answer_next()
            self.spend(self._clock.seconds() - began)
            if self._credit <= 0:
                break
        if self._group_of:
            self._wait()

    def _answer_next(self) -> None:
        group, requests = self._waiting.popitem(last=False)
        request, answer = requests.popitem(last=False)
        del self._group_of[request]
        if requests:
            self._waiting[group] = requests  # at the end: the others first
        answer()


def _knows_nobody(headers: Headers) -> bool:
    return False
