"""One deadline that moves often, on one timer that does not."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

LONGEST_SLEEP = 3.0
"""The longest time in seconds between two looks at the clock: no deadline is set nearer than this."""


class Deadline:
    """Calls ``missed`` when ``clock`` reaches ``due``; where that moves ``due`` on, it will be called again.

    ``due`` is assigned anew several times a request. Moving a timer to an earlier time costs the reactor a search
    through all timers; so none is moved: the timer looks at least every `LONGEST_SLEEP` seconds, and sleeps
    again until ``due``. That is exact as long as no new ``due`` is nearer than that.
    """

    def __init__(self, clock: IReactorTime, missed: Callable[[], None]) -> None:
        self.due = 0.0
        self._clock = clock
        self._missed = missed
        self._waiting = False
        self._timer: IDelayedCall | None = None

    def start(self, due: float) -> None:
        """Wait for ``due``, a time on the clock."""
        self.due = due
        self._waiting = True
        self._sleep()

    def stop(self) -> None:
        """Wait no more, for good; calling it again does nothing."""
        self._waiting = False
        self._missed = _nothing
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sleep(self) -> None:
        """Sleep until ``due``, or for a while; what falls due just now is looked at in the next turn."""
        seconds = min(self.due - self._clock.seconds(), LONGEST_SLEEP)
        self._timer = self._clock.callLater(max(0.0, seconds), self._look)

    def _look(self) -> None:
        """See whether it is time, by one reading of the clock: another might fall on the other side of ``due``."""
        self._timer = None
        now = self._clock.seconds()
        if self.due <= now:
            self._missed()
        if self._waiting and self.due > now:
            self._sleep()


def _nothing() -> None:
    """Stand in for what is not to be kept, as it leads back to whoever keeps a deadline."""
