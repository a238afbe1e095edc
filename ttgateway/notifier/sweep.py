"""One timer for all deadlines: a healthy delivery neither makes nor cancels one."""

from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

EVERY = 0.1
"""Seconds between sweeps: a deadline is kept to within this."""


class Swept(Protocol):
    """What has a deadline."""

    def check(self, now: float) -> None:
        """Do what is due at ``now``, seconds on the reactor's clock."""


class Sweep:
    """Calls `Swept.check` of all that it watches, every `EVERY` seconds, for as long as it watches anything."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._watched: dict[Swept, None] = {}
        self._timer: IDelayedCall | None = None

    def now(self) -> float:
        """Return the reactor's time in seconds."""
        return self._clock.seconds()

    def watch(self, swept: Swept) -> None:
        """Begin to watch."""
        self._watched[swept] = None
        if self._timer is None:
            self._timer = self._clock.callLater(EVERY, self._sweep)

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
        self._timer = None
        now = self._clock.seconds()
        for swept in list(self._watched):
            if swept in self._watched:
                swept.check(now)
        if self._watched and self._timer is None:
            self._timer = self._clock.callLater(EVERY, self._sweep)
