"""What is wrong with a listener at present, and when it is tried again."""

from ttgateway.notifier import backoff
from ttgateway.notifier.attempts.outcome import Outcome
from ttgateway.notifier.owner import Owner
from ttgateway.notifier.progress import failed
from ttgateway.orders.moment import is_plausible
from ttgateway.store.tables.listeners import Progress

HURRY_EVERY = 1.0
"""Seconds between two early tries that signs of life bring about: a chatty device is not a flood."""


class Trouble:
    """The trouble with one listener: it is down, or it refuses the change that comes next."""

    __slots__ = ("_heard", "_hurried_at", "_owner", "_progress", "_refusals", "_spared")

    def __init__(self, progress: Progress, owner: Owner) -> None:
        self._progress = progress
        self._owner = owner
        self._refusals = 0  # in a row, of the change that comes next
        self._spared = False  # has shown a sign of life: the next try needs no place
        self._heard = False  # a sign of life came while an attempt was under way
        self._hurried_at = float("-inf")

    @property
    def exists(self) -> bool:
        """Tell whether what comes next was tried before, in vain."""
        return self._progress.failures > 0 or self._refusals > 0

    @property
    def needs_place(self) -> bool:
        """Tell whether the next try has to wait for a place among the listeners in trouble."""
        return self._progress.failures > 0 and not self._spared

    def failed(self, outcome: Outcome) -> float:
        """The listener is down; return the seconds until the next try."""
        now = self._owner.clock.now().wall
        delay = backoff.down(self._progress.failures + 1, self._owner.jitter())
        delay = max(delay, backoff.retry_after(outcome.retry_after, _date(now)))
        failed(self._progress, outcome.cause, delay, now)
        self._spared = self._heard and self._may_hurry()
        return 0.0 if self._spared else delay

    def refused(self, outcome: Outcome) -> float | None:
        """The listener does not take this change; return the seconds until the next try, ``None`` after the last."""
        self._refusals += 1
        now = self._owner.clock.now().wall
        self._progress.last_failure, self._progress.last_cause = now, outcome.cause
        delay = backoff.refused(self._refusals, self._owner.jitter())
        return None if delay is None else max(delay, backoff.retry_after(outcome.retry_after, _date(now)))

    def over(self) -> None:
        """What comes next is another change."""
        self._refusals = 0
        self._spared = False

    def trying(self) -> None:
        """An attempt begins: signs of life count from here."""
        self._heard = False

    def heard(self) -> None:
        """A sign of life came while an attempt was under way: should that fail, the next follows at once."""
        self._heard = True

    def registered(self) -> None:
        """The listener registered again: all is forgiven."""
        self._refusals = 0
        self._hurried_at = float("-inf")

    def answered(self) -> None:
        """The listener answered a HEAD: the next sign of life counts at once."""
        self._hurried_at = float("-inf")

    def ends_early(self, registered: bool) -> bool:
        """Tell whether a sign of life ends the wait; that for a change which is refused ends only by registering."""
        if not registered and not (self._progress.failures and self._may_hurry()):
            return False
        self._spared = True
        return True

    def _may_hurry(self) -> bool:
        now = self._owner.timers.seconds()
        if now - self._hurried_at < HURRY_EVERY:
            return False
        self._hurried_at = now
        return True


def _date(wall: float) -> float | None:
    """Return Unix time ``wall`` where that may be true: a machine that was just started may be in 1970 still."""
    return wall if is_plausible(wall) else None
