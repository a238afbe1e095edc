"""How often a listener is told how things stand because somebody asks for it: a chatty operator is not a flood."""

RESYNC_EVERY = 5.0
"""Seconds, at the least, from the begin of one snapshot that a resync asked for to that of the next."""


class Resyncs:
    """The resyncs of one listener that were asked for. Times are in seconds on the machine's uptime.

    What is asked for is durable (`Progress.snapshot_due`); this is not: a restart forgets that it is to wait.
    """

    __slots__ = ("_again", "_asked", "_held_until")

    def __init__(self) -> None:
        self._asked = False  # the snapshot that is due was asked for
        self._again = False  # one more was, while that was being told
        self._held_until = 0.0

    def ask(self, *, begun: bool) -> None:
        """One is asked for: that which is due; where a snapshot has begun, one more."""
        if begun:
            self._again = True
        else:
            self._asked = True

    def begins(self, now: float) -> None:
        """The snapshot that is due begins."""
        if self._asked:
            self._asked = False
            self._held_until = now + RESYNC_EVERY

    def ended(self) -> bool:
        """The snapshot has been told, or there was nothing to tell; return whether one more is due."""
        self._asked, self._again = self._again, False
        return self._asked

    def begins_anew(self) -> None:
        """If a snapshot had begun, it will be told from its beginning: all that were asked for are this one."""
        self._asked = self._asked or self._again
        self._again = False

    def waive(self) -> None:
        """A snapshot is due for another reason than a resync: it need not wait."""
        self._held_until = 0.0

    def holds(self, now: float) -> bool:
        """Tell whether the snapshot that is due has to wait."""
        return now < self._held_until
