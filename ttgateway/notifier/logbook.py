"""The last attempts at one listener, for the operator; and their number, for the figures of all."""

from collections import deque

from ttgateway.notifier.outcome import Outcome
from ttgateway.notifier.owner import Owner
from ttgateway.watcher import AttemptRecord

MOST = 50

HEAD = "head"
"""What stands in the place of the flags for a HEAD: it is no attempt at a delivery, and not counted."""


class Logbook:
    """Takes down each attempt when it ends; one that is cancelled leaves nothing."""

    __slots__ = ("_at", "_attempt", "_began", "_flags", "_owner", "_records", "_seq")

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._records: deque[AttemptRecord] | None = None  # an idle listener costs nothing
        self._seq = 0

    def began(self, at: float, seq: int, attempt: int, flags: str) -> None:
        """An attempt at ``seq`` begins, at Unix time ``at``."""
        self._at, self._seq, self._attempt, self._flags = at, seq, attempt, flags
        self._began = self._owner.timers.seconds()

    def asks(self, at: float) -> None:
        """A HEAD asks whether the listener only chokes on what it was sent last."""
        self.began(at, self._seq, 0, HEAD)

    def ended(self, outcome: Outcome) -> None:
        """The attempt that began last has ended."""
        kind = outcome.verdict.value
        if self._flags != HEAD:
            self._owner.figures.attempt(kind, outcome.cause)
        if self._records is None:
            self._records = deque(maxlen=MOST)
        seconds = self._owner.timers.seconds() - self._began
        self._records.append(
            AttemptRecord(self._at, self._seq, self._attempt, kind, outcome.cause, seconds, self._flags)
        )

    def newest(self) -> list[AttemptRecord]:
        """Return the last `MOST` attempts, newest first."""
        return list(reversed(self._records or ()))
