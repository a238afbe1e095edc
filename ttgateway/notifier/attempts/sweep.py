"""One timer for all deadlines: a healthy delivery neither makes nor cancels one."""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ttgateway.sparing import sparing_logger

EVERY = 0.1
"""Seconds between sweeps: a deadline is kept to within this."""


class Swept(Protocol):
    """What has a deadline."""

    def check(self, now: float) -> None:
        """Do what is due at ``now``, seconds on the reactor's clock."""


class Sweep:
    """Calls `Swept.check` of all that it watches, every `EVERY` seconds, for as long as it watches anything."""

    _log = sparing_logger("ttgateway.notifier")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self.now: Callable[[], float] = clock.seconds
        """Returns the reactor's time in seconds."""
        self._watched: dict[Swept, None] = {}
        self._timer: IDelayedCall | None = None
        self._swept = 0.0  # when it last looked, or began to

    def watch(self, swept: Swept) -> None:
        """Begin to watch."""
        self._watched[swept] = None
        if self._timer is None:
            self._swept = self._clock.seconds()
            self._timer = self._clock.callLater(EVERY, self._sweep)

    def behind(self) -> float:
        """Return for how many seconds a sweep has been due; 0 where none is."""
        return max(0.0, self._clock.seconds() - self._swept - EVERY) if self._watched else 0.0

    def ignore(self, swept: Swept) -> None:
        """Watch no longer."""
        self._watched.pop(swept, None)

    def stop(self) -> None:
        """Watch nothing any more."""
        self._watched.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sweep(self) -> None:
        self._swept = now = self._clock.seconds()
        self._timer = self._clock.callLater(EVERY, self._sweep)  # first: whatever follows, the deadlines go on
        for swept in list(self._watched):
            if swept in self._watched:
                try:
                    swept.check(now)
                except Exception:
                    self._log.failure("A deadline was not kept")
        if not self._watched:
            self.stop()
