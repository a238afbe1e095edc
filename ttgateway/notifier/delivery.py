"""A delivery: one thing to tell a listener, and what that changes in the listener's progress."""

import msgspec

from ttgateway.store.tables.entry import Entry
from ttgateway.store.tables.listeners import Progress

COALESCED = "coalesced"
REPLAY = "replay"
SNAPSHOT = "snapshot"
"""The values of ``ttgateway-flags``. A delivery has one of them, or none."""


class Again(msgspec.Struct, gc=False):
    """What is told again moves the replay on from ``after`` to ``upto``; ``parked`` tells that it was parked."""

    after: int
    upto: int
    parked: bool


class Delivery(msgspec.Struct, gc=False):
    """One thing to tell, and what the accounts are when it is told.

    ``mark`` is appended to the webhook-id, for what is no change of its own; ``cursor`` is where the listener stands
    afterwards (``None``: where it stood before), having passed over ``coalesced`` and ``filtered`` changes. ``entry``
    is the change, where it is told for the first time; ``again`` is there in a replay only.
    """

    seq: int
    body: bytes
    cursor: int | None
    flags: str = ""
    mark: str = ""
    coalesced: int = 0
    filtered: int = 0
    ends_snapshot: bool = False
    entry: Entry | None = None
    again: Again | None = None

    def alone(self) -> "Delivery":
        """Return this without the snapshot that it ends: another one has become due while it was in flight."""
        if self.flags != SNAPSHOT:
            return self
        return msgspec.structs.replace(self, cursor=None, coalesced=0, ends_snapshot=False)

    def is_same(self, other: "Delivery") -> bool:
        """Tell whether one is an attempt more at the other; a change that waits may have become a coalesced one."""
        told_alike = self.flags == other.flags or (self.entry is not None and other.entry is not None)
        return told_alike and self.seq == other.seq and self.mark == other.mark

    def goes_on_with_replay(self, progress: Progress) -> bool:
        """Tell whether this is what the replay stands before: it does not where another one, from further back, was
        asked for while this was in flight."""
        return self.again is not None and self.again.after == progress.replay_after

    def unparks(self, progress: Progress) -> bool:
        """Tell whether a change leaves the parked ones when this is delivered."""
        return self.again is not None and self.again.parked and self.goes_on_with_replay(progress)
