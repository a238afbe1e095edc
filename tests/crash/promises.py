"""What a gateway that is killed again and again still promises: each function returns what was not kept, in words."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from tests.crash.cast import Cast, flagged
from tests.system.listeners import Listener, Told
from tests.system.traffic import Acknowledged

WRITTEN_WITHIN = 0.05
"""The promise: what was acknowledged longer before a kill than this is not told again."""

NOISE = 0.15
"""Seconds that a busy machine may add: the write itself, threads that wait for a processor, and ours too."""

SEEN_LATE, STALLED = 0.1, 0.02
"""The shares of kills before which the machine may have been busy, or the disk stalled for longer than `NOISE`."""


@dataclass
class Life:
    """One life of the gateway, in seconds of the monotonic clock; ``orderly`` if it was asked to end, and did."""

    started: float
    ended: float = float("inf")
    orderly: bool = False
    served: bool = False

    def of(self, told: Iterable[Told]) -> list[Told]:
        """Return what was told in this life."""
        return [each for each in told if self.started <= each.at < self.ended]


@dataclass
class Figures:
    """What is printed."""

    kills: int = 0
    changes: int = 0
    told: int = 0
    repeats: list[float] = field(default_factory=list)
    seen_late: int = 0
    stalled: int = 0
    first: list[float] = field(default_factory=list)
    answered: int = 0

    def add(self, other: "Figures") -> None:
        """Take the figures of another series in."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def plain(told: Iterable[Told]) -> list[Told]:
    """Return the first deliveries of changes: no replays, no snapshots."""
    return [each for each in told if not flagged(each, "replay") and not flagged(each, "snapshot")]


def nothing_lost(cast: Cast, acknowledged: list[Acknowledged]) -> list[str]:
    """Every acknowledged change is told to who wants all, and covered by something later for who wants the latest."""
    failures = []
    for listener in cast.every:
        told = {each.change for each in plain(listener.told)}
        lost = [each.change for each in acknowledged if each.change not in told]
        failures += [f"{_name(cast, listener)} was never told {change}" for change in lost[:3]]
    seqs = {each.change: each.seq for each in cast.first.told}
    for listener in (cast.latest, cast.mirror):
        newest, upto = _covered(listener)
        for each in acknowledged:
            seq = seqs.get(each.change, 0)
            if seq > max(upto, newest.get(each.change[0], 0)):
                failures.append(f"{_name(cast, listener)} knows nothing of {each.change}, seq {seq}")
                break
    return failures


def _covered(listener: Listener) -> tuple[dict[str, int], int]:
    """Return the newest seq told of each order, and up to which seq a whole snapshot told everything."""
    newest: dict[str, int] = {}
    upto = 0
    for told in listener.told:
        fields = told.fields
        if fields["type"] == "SNAPSHOT_END":
            upto = max(upto, fields["seq"])
        elif fields["type"] != "SNAPSHOT_BEGIN":
            newest[fields["uuid"]] = max(newest.get(fields["uuid"], 0), fields["seq"])
    return newest, upto


def in_order(cast: Cast, lives: list[Life]) -> list[str]:
    """In each life without a gap and once, and each life goes on where the one before ended or a little before."""
    failures = []
    for listener in cast.all:
        last = 0
        for number, life in enumerate(lives):
            seqs = [told.seq for told in plain(life.of(listener.told))]
            if not seqs:
                continue
            gapless = listener in cast.every
            if any(b <= a or (gapless and b != a + 1) for a, b in pairwise(seqs)):
                failures.append(f"{_name(cast, listener)} was told out of order in life {number}: {seqs}")
            if gapless and seqs[0] > last + 1:
                failures.append(f"{_name(cast, listener)} missed {last + 1} to {seqs[0] - 1} before life {number}")
            last = seqs[-1]
    return failures


def one_body_a_seq(cast: Cast) -> list[str]:
    """The same change has the same id and the same bytes, whenever and whomever it is told; another has another."""
    failures = []
    for group in ([cast.first], [listener for listener in cast.all if listener is not cast.first]):
        known: dict[int, Told] = {}
        ids: dict[str, int] = {}
        for told in (each for listener in group for each in listener.told):
            if told.id.endswith((".begin", ".end")):
                continue
            same = known.setdefault(told.seq, told)
            if (same.id, same.body) != (told.id, told.body) or ids.setdefault(told.id, told.seq) != told.seq:
                failures.append(f"two bodies for seq {told.seq}: {same.body!r} and {told.body!r}")
    return failures[:3]


def few_repeats(cast: Cast, lives: list[Life], figures: Figures) -> list[str]:
    """Only what was acknowledged just before a kill comes again; nothing after an orderly end."""
    failures = []
    slow: set[float] = set()
    stalled: set[float] = set()
    for listener in cast.every:
        lived = [life for life in lives if plain(life.of(listener.told))]
        for before, after in pairwise(lived):
            again = {told.seq for told in plain(after.of(listener.told))}
            repeated = [told for told in plain(before.of(listener.told)) if told.seq in again and told.answered_at]
            if before.orderly and repeated:
                failures.append(f"{_name(cast, listener)} was told {len(repeated)} again after an orderly end")
            ages = [before.ended - told.answered_at for told in repeated if not before.orderly]
            figures.repeats += ages
            stalled.update({before.ended} if max(ages, default=0.0) > WRITTEN_WITHIN + NOISE else ())
            slow.update({before.ended} if max(ages, default=0.0) > WRITTEN_WITHIN else ())
    figures.seen_late += len(slow)
    figures.stalled += len(stalled)
    return failures


def too_late(figures: Figures) -> list[str]:
    """Only what was acknowledged at most 50 ms before a kill is told again: but for the noise, over all kills."""
    failures = []
    if figures.seen_late > SEEN_LATE * figures.kills + 2:
        failures.append(f"before {figures.seen_late} kills a cursor was written after more than 50 ms")
    if figures.stalled > STALLED * figures.kills + 1:
        failures.append(f"before {figures.stalled} kills a cursor was written after more than 200 ms")
    return failures


def replays_whole(cast: Cast, replays: list[tuple[float, int, int]]) -> list[str]:
    """A replay that was answered is told to its end, through kills."""
    failures = []
    for at, since, upto in replays:
        # It may begin before the answer has come; and what was being acknowledged is no part of it.
        told = {each.seq for each in cast.replayed.told if each.at > at - 1.0}
        missing = [seq for seq in range(since + 1, upto + 1) if seq not in told]
        if missing:
            failures.append(f"a replay of {since + 1} to {upto} has left out {missing[:5]} of {len(missing)}")
    return failures


def soon_back(cast: Cast, lives: list[Life], figures: Figures) -> None:
    """Note how long after each start the first delivery came to those who answer at once."""
    for life in lives[1:]:
        for listener in cast.prompt if life.served else ():
            told = life.of(listener.told)
            if told:
                figures.first.append(told[0].at - life.started)


def _name(cast: Cast, listener: Listener) -> str:
    return next(name for name, one in vars(cast).items() if one is listener)
