"""The tempo of a story: how long to wait for what happens next in it."""

from twisted.internet.interfaces import IReactorTime

from ttgateway.commands.simulation.day import between

BEHIND = 1.0
"""Seconds that may be made up for, where whoever it is played to was slow."""


class Tempo:
    """Plays a story, ``speed`` of its seconds in a second; ``nights``: also the hours in which it is closed."""

    def __init__(self, timers: IReactorTime, speed: float, *, nights: bool = False) -> None:
        self._timers = timers
        self._speed = speed
        self._nights = nights
        self._at: float | None = None
        self._due = 0.0

    def wait(self, at: float) -> float:
        """Return in how many seconds second ``at`` of the story is due; the first that is asked for is due at once.

        After an outage the story goes on from there: what was missed is not made up for in a burst.
        """
        now = self._timers.seconds()
        if self._at is None:
            self._due = now
        else:
            self._due = max(self._due, now - BEHIND) + between(self._at, at, nights=self._nights) / self._speed
        self._at = at
        return max(0.0, self._due - now)
