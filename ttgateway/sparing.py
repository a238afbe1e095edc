"""Log lines that others can bring about: some are written, a flood of them is not (at most 10 MB a day in all).

Each kind of line has its share, and of that each listener its own: one that comes and goes all day does not silence the
lines about the others.

Whoever makes a listener come and go, or a bridge's connection, or posts an order on a full disk, has us write a line
each time. A disk that is full of those has no room for orders.
"""

from collections import OrderedDict

from twisted.logger import ILogObserver, LogEvent, Logger, eventAsText, globalLogPublisher
from zope.interface import implementer

BURST = 40_000.0
"""Bytes of one kind of line that may be written at once: a busy day of an honest shop."""
RATE = 5.0
"""Bytes a second of one kind, in the long run: 0.4 MB a day."""
MOST_KINDS = 21
"""So many kinds there are at the most; a test counts them. Together they come to 9.9 MB on the first day."""
OWN_BURST = 4_000.0
"""Bytes of one kind that may be written at once about one listener: some twenty lines."""
OWN_RATE = 0.5
"""Bytes a second of one kind about one listener, in the long run: a line in five minutes."""
MOST_KNOWN = 1_000
"""Shares of listeners that are remembered. The oldest goes first; its listener gets a new one."""
_FRAME = 100
"""Bytes that the log puts around a line: the time, who says it, the level."""


class Share:
    """Bytes that may be written: ``burst`` at once, ``rate`` a second in the long run."""

    __slots__ = ("_burst", "_counted", "_left", "_rate")

    def __init__(self, burst: float, rate: float, now: float) -> None:
        self._burst = self._left = burst
        self._rate = rate
        self._counted = now

    def spend(self, now: float, size: int) -> bool:
        """Take ``size`` bytes, and tell whether there were as many; else take none."""
        self._left = min(self._burst, self._left + max(0.0, now - self._counted) * self._rate)  # clocks are set back
        self._counted = now
        if self._left < size:
            return False
        self._left -= size
        return True


@implementer(ILogObserver)
class SparingObserver:
    """Passes events on to ``publisher`` as long as their kind, which is their format, has bytes left.

    Where the event has a ``url``, that listener must have bytes left of its own as well. Time is that in the events.
    The first of a kind that is passed on after others were not is preceded by a line with their number. One table is as
    large as there are formats in our code, the other has a bound.
    """

    def __init__(self, publisher: ILogObserver) -> None:
        self._publisher = publisher
        self._shares: dict[str, Share] = {}
        self._own: OrderedDict[tuple[str, str], Share] = OrderedDict()
        self._withheld: dict[str, int] = {}

    def __call__(self, event: LogEvent) -> None:
        """Pass ``event`` on, or count it."""
        kind = str(event.get("log_format"))
        now, size = float(event["log_time"]), len(_text(event)) + _FRAME
        if not (self._own_share(kind, event, now).spend(now, size) and self._share(kind, now).spend(now, size)):
            self._withheld[kind] = self._withheld.get(kind, 0) + 1
            return
        if count := self._withheld.pop(kind, 0):
            told = {**event, "log_format": "{count} more lines like the next were not written", "count": count}
            self._publisher(told)
        self._publisher(event)

    def _share(self, kind: str, now: float) -> "Share":
        return self._shares.setdefault(kind, Share(BURST, RATE, now))

    def _own_share(self, kind: str, event: LogEvent, now: float) -> "Share":
        """Return the share of the listener that ``event`` is about; for others, one that has enough."""
        if "url" not in event:
            return Share(BURST, RATE, now)
        own = self._own.setdefault((kind, str(event["url"])), Share(OWN_BURST, OWN_RATE, now))
        if len(self._own) > MOST_KNOWN:
            self._own.popitem(last=False)
        return own


def _text(event: LogEvent) -> str:
    """Return what is written of ``event``: of a failure its traceback too."""
    return eventAsText(event, includeTimestamp=False, includeSystem=False)


_sparing = SparingObserver(globalLogPublisher)


def sparing_logger(namespace: str) -> Logger:
    """Return a logger for lines that others can bring about; ``namespace`` is who says them."""
    return Logger(namespace, observer=_sparing)
