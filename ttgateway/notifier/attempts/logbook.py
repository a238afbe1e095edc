"""The last attempts at one listener, for the operator; and their number, for the figures of all."""

from collections import deque

from ttgateway.figures import DeliveryFigures
from ttgateway.notifier.attempts.outcome import Outcome
from ttgateway.watcher import AttemptRecord

MOST = 50

HEAD = "head"
"""What stands in the place of the flags for a HEAD: it is no attempt at a delivery, and not counted."""


class Logbook:
    """Takes down each attempt when it ends; one that is cancelled leaves nothing."""

    __slots__ = ("_at", "_attempt", "_figures", "_flags", "_records", "_seq")

    def __init__(self, figures: DeliveryFigures) -> None:
        self._figures = figures
        self._records: deque[AttemptRecord] | None = None  # an idle listener costs nothing
        self._seq = 0

    def began(self, at: float, seq: int, attempt: int, flags: str) -> None:
        """An attempt at ``seq`` begins, at Unix time ``at``."""
        self._at, self._seq, self._attempt, self._flags = at, seq, attempt, flags

    def asks(self, at: float) -> None:
        """A HEAD asks whether the listener only chokes on what it was sent last."""
        self.began(at, self._seq, 0, HEAD)

    def ended(self, outcome: Outcome, seconds: float) -> None:
        """The attempt that began last has ended, after so many seconds."""
        flags, kind, cause = self._flags, outcome.verdict, outcome.cause
        if flags != HEAD:
            self._figures.attempt(kind, cause)
        if self._records is None:
            self._records = deque(maxlen=MOST)
        self._records.append(AttemptRecord(self._at, self._seq, self._attempt, kind, cause, seconds, flags))

    def newest(self) -> list[AttemptRecord]:
        """Return the last `MOST` attempts, newest first."""
        return list(reversed(self._records or ()))
