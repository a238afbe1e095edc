"""Whether each listener was told of each change, once and in order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.sink import Arrival


@dataclass(frozen=True)
class Kept:
    """How many deliveries there should have been, and how many were not as they should be."""

    deliveries: int = 0
    missing: int = 0
    repeated: int = 0
    misordered: int = 0

    def __bool__(self) -> bool:
        """Tell whether all is as it should be."""
        return not (self.missing or self.repeated or self.misordered)

    def __add__(self, other: "Kept") -> "Kept":
        """Return both together."""
        return Kept(
            self.deliveries + other.deliveries,
            self.missing + other.missing,
            self.repeated + other.repeated,
            self.misordered + other.misordered,
        )


def judged(arrivals: Iterable[Arrival], first: int, changes: int, listeners: int) -> Kept:
    """Judge what came of ``changes`` changes, from seq ``first`` on.

    A change that comes after a later one is out of order; what nobody asked for counts as repeated.
    """
    told: list[list[int]] = [[] for _ in range(listeners)]
    strange = 0
    for arrival in arrivals:
        if arrival.listener < listeners and first <= arrival.seq < first + changes:
            told[arrival.listener].append(arrival.seq)
        else:
            strange += 1
    once = sum(len(set(seqs)) for seqs in told)
    wanted = changes * listeners
    repeated = sum(map(len, told)) - once + strange
    return Kept(wanted, wanted - once, repeated, sum(map(_misordered, told)))


def _misordered(seqs: Sequence[int]) -> int:
    """Return how many of them stand behind a greater one."""
    greatest, count = -1, 0
    for seq in seqs:
        if seq < greatest:
            count += 1
        else:
            greatest = seq
    return count
