"""What became of the deliveries to one listener: in its progress, in the file, and in the figures of all."""

from ttgateway.notifier import progress as moves
from ttgateway.notifier.delivery import REPLAY, Delivery
from ttgateway.notifier.owner import Owner
from ttgateway.sparing import sparing_logger
from ttgateway.store.tables.entry import Entry
from ttgateway.store.tables.listeners import Listener, Parked, Progress


class Accounts:
    """The accounts of one listener. After each call its progress is written with the next commit."""

    __slots__ = ("_owner", "_progress")
    _log = sparing_logger("ttgateway.notifier")

    def __init__(self, progress: Progress, owner: Owner) -> None:
        self._progress = progress
        self._owner = owner

    def delivered(self, listener: Listener, delivery: Delivery) -> None:
        """The listener has it."""
        wall = self._owner.clock.wall()
        if delivery.entry is not None:
            self._note_wait(delivery.entry, wall)
        elif delivery.unparks(self._progress):
            self._owner.cursors.unparked(listener.id, delivery.seq, self._progress)
        moves.delivered(self._progress, delivery, wall)
        self.moved(listener)

    def given_up(self, listener: Listener, delivery: Delivery) -> None:
        """The listener refused it for good: a change that it never had is parked."""
        cause = self._progress.last_cause
        if delivery.entry is not None:
            self._log.warn(
                "{url} refuses change {seq} ({cause}): parked", url=listener.named, seq=delivery.seq, cause=cause
            )
            now = self._owner.clock.now().wall
            self._owner.cursors.parked(Parked(listener.id, delivery.seq, now, cause, delivery.body), self._progress)
            moves.parked(self._progress, delivery)
        else:
            if delivery.flags == REPLAY:
                self._log.warn(
                    "{url} refuses change {seq} again ({cause})", url=listener.named, seq=delivery.seq, cause=cause
                )
            moves.passed_over(self._progress, delivery)
        self.moved(listener)

    def moved(self, listener: Listener) -> None:
        """Have the progress written."""
        self._owner.cursors.moved(listener.id, self._progress)

    def _note_wait(self, entry: Entry, wall: float) -> None:
        """Count the time since the commit; of a change read from the file only that since it was made is known."""
        waited = self._owner.journal.waited(entry, wall)
        if waited or entry.committed is not None:  # else the clock has been set back since: nothing is known
            self._owner.figures.waits.observe(waited)
