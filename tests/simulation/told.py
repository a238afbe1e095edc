"""What one device was told since it registered, and whether that was all, in order, and no more."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.listeners import Delivery, Wishes
from tests.simulation.orders import Change

PLAIN = ("", "coalesced")
TRIES = 5
"""A change that was refused so often may be parked."""


@dataclass
class Subscription:
    """One registration of a device. ``base`` is the last seq when it was acknowledged: it is owed all after it.

    Until then (``base`` is ``None``) it may be told something, and is owed nothing.
    """

    wrong: Callable[[str], None]
    label: str
    base: int | None = None
    ended: bool = False
    gone_after: float = float("inf")
    wishes: list[Wishes] = field(default_factory=list)
    resyncs: list[float] = field(default_factory=list)
    replays: list[tuple[float, int, int]] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    acks: list[tuple[float, Delivery]] = field(default_factory=list)
    _previous: set[int] | None = None
    _floor: int = 0
    _began: float = 0.0

    def end(self, gone_after: float = float("inf")) -> None:
        """It may be over, and surely is from ``gone_after`` on: nothing is owed any more."""
        self.ended = True
        self.gone_after = gone_after

    def begin_anew(self, now: float) -> None:
        """What comes until ``now`` is for the registration before this one."""
        self._began = now
        self.deliveries, self.acks = [], []
        self._previous, self._floor = None, 0

    def take(self, delivery: Delivery) -> None:
        """Take note of a delivery as it comes, and check its place."""
        if delivery.at <= self._began:
            return
        self.deliveries.append(delivery)
        if delivery.late:
            return
        if self._previous is not None and delivery.previous not in self._previous:
            self.wrong(f"{self.label}: previous {delivery.previous} of {delivery.id}, not {sorted(self._previous)}")
        self._previous = {delivery.previous}
        if delivery.at > self.gone_after:
            self.wrong(f"{self.label} was removed, and told {delivery.id}")
        if delivery.flags in PLAIN and delivery.seq <= self._floor:
            self.wrong(f"{self.label}: {delivery.id} came again, or late: after {self._floor}")

    def acked(self, delivery: Delivery, now: float) -> None:
        """Take note that an answer reached the gateway."""
        if delivery.at <= self._began:
            return
        self.acks.append((now, delivery))
        if delivery.sure:
            self._previous = {delivery.seq}
            if _moves_on(delivery):
                self._floor = max(self._floor, delivery.seq)
        elif self._previous is not None:
            self._previous.add(delivery.seq)

    @property
    def reached(self) -> int:
        """The last seq that the gateway surely knows the device to have, told in turn."""
        return self._floor

    def crashed(self, remembered: float) -> None:
        """The gateway may have forgotten what was acknowledged after ``remembered``."""
        known = [delivery for at, delivery in self.acks if at <= remembered and delivery.sure]
        later = [delivery for at, delivery in self.acks if at > remembered]
        reached = max((delivery.seq for delivery in known if _moves_on(delivery)), default=0)
        self._floor = min(self._floor, reached)  # what an earlier crash has forgotten stays forgotten
        if self._previous is not None:
            maybe = [delivery for at, delivery in self.acks if at <= remembered and not delivery.sure]
            self._previous |= {delivery.seq for delivery in (*known[-1:], *later, *maybe)}
            if not known:  # what was told before this registration may be remembered
                self._previous |= {0, *(delivery.previous for delivery in self.deliveries[:1])}

    def owed(self, journal: dict[int, Change]) -> list[str]:
        """Return what should have been told, and was not."""
        if self.base is None or self.ended:
            return []
        acked = {delivery.seq for _, delivery in self.acks}
        refusals = Counter(delivery.seq for delivery in self.deliveries if delivery.refused)
        newest = {change["uuid"]: seq for seq, change in sorted(journal.items())}
        found = []
        for seq in sorted(journal):
            if seq <= self.base or seq in acked or refusals[seq] >= TRIES or self._unwanted(journal[seq]):
                continue
            if newest[journal[seq]["uuid"]] != seq:
                excused = self._superseded(seq, journal) or self._covered(seq) or self._loosely_covered(seq)
            else:  # how the order stands: only that it was cleared can be told in another way
                cleared = journal[seq]["state"] == "cleared"
                excused = cleared and (self._covered(seq) or self._refused_marks())
            if not excused:
                found.append(f"{self.label} was never told of change {seq}: {journal[seq]}")
        return found + self._unreplayed(journal, refusals)

    def _unwanted(self, change: Change) -> bool:
        return any(wishes.events and change["type"] not in wishes.events for wishes in self.wishes)

    def _superseded(self, seq: int, journal: dict[int, Change]) -> bool:
        """Tell whether a later change of the same order was told in its place."""
        if not any(wishes.latest for wishes in self.wishes):
            return False
        later = [one for one, change in journal.items() if one > seq and change["uuid"] == journal[seq]["uuid"]]
        refusals = Counter(delivery.seq for delivery in self.deliveries if delivery.refused)
        acked = {delivery.seq for _, delivery in self.acks}
        return any(one in acked or refusals[one] >= TRIES for one in later)

    def _covered(self, seq: int) -> bool:
        """Tell whether a whole snapshot told how things stood after a change."""
        return any(delivery.seq >= seq for _, delivery in self.acks if delivery.id.endswith(".end"))

    def _loosely_covered(self, seq: int) -> bool:
        """Tell whether a snapshot without marks may have passed over a change of which there was a later one."""
        if all(wishes.snapshot for wishes in self.wishes) and not self._refused_marks():
            return False
        after = [at for at, delivery in self.acks if delivery.seq > seq and delivery.flags in PLAIN]
        return any(at < min(after, default=float("inf")) for at in self.resyncs)

    def _refused_marks(self) -> bool:
        return any(delivery.refused for delivery in self.deliveries if delivery.flags == "snapshot")

    def _unreplayed(self, journal: dict[int, Change], refusals: Counter[int]) -> list[str]:
        found = []
        for at, since, upto in self.replays:
            again = {delivery.seq for then, delivery in self.acks if then >= at}
            for seq in range(since + 1, upto + 1):
                if seq in again or seq not in journal or self._unwanted(journal[seq]) or refusals[seq] >= TRIES:
                    continue
                found.append(f"{self.label} was not told again of change {seq}, as asked at {at:.1f}")
        return found


def _moves_on(delivery: Delivery) -> bool:
    """Tell whether nothing from before this delivery is told any more."""
    return delivery.flags in PLAIN or delivery.id.endswith(".end")


def fields(body: bytes) -> Change:
    """Return the change in a body, without what version 1 or the WebSocket leaves out."""
    change: Change = json.loads(body)
    return change
