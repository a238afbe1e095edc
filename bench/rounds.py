"""The rounds: in each, everybody is measured once, in another order, so that what disturbs the machine disturbs all."""

import os
import random
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from bench import disk, processes
from bench.field import FIELD, OURS
from bench.figures import Spread
from bench.kept import Kept
from bench.measuring import Measured
from bench.options import Options
from bench.sink import Sink


@dataclass
class Rounds:
    """What all rounds gave: by contender and number of listeners, a measurement a round.

    ``syncs`` are the seconds of a sync of the disk in each round; ``absent`` says who was not measured, and why.
    """

    measured: dict[tuple[str, int], list[Measured]] = field(default_factory=dict)
    syncs: list[float] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Return who was measured, in the order of the field."""
        measured = {name for name, _ in self.measured}
        return [name for name in FIELD if name in measured]

    def kept(self, name: str) -> Kept | None:
        """Return what became of all deliveries of one contender; none where nobody looked."""
        all_of_them = [
            one.kept for (who, _), ones in self.measured.items() if who == name for one in ones if one.kept is not None
        ]
        return sum(all_of_them, Kept()) if all_of_them else None

    def spread(self, name: str, listeners: int, figure: Callable[[Measured], float | None]) -> Spread | None:
        """Return a figure over the rounds; none where it was not measured."""
        values = [value for one in self.measured.get((name, listeners), ()) if (value := figure(one)) is not None]
        return Spread.of(values) if values else None

    def ratio(self, name: str, other: str, listeners: int) -> float | None:
        """Return how often the other's processor time for a delivery goes into that of ``name``: the rounds' median."""
        pairs = zip(self.measured.get((name, listeners), ()), self.measured.get((other, listeners), ()), strict=False)
        ratios = [one.each / beside.each for one, beside in pairs]
        return statistics.median(ratios) if ratios else None


def run(options: Options, tell: Callable[[str], None]) -> Rounds:
    """Measure whom ``options`` name; ``tell`` is told of each measurement."""
    rounds = Rounds()
    names = [name for name in FIELD if name in options.only or not options.only]
    for name in names:
        if missing := FIELD[name].missing():
            rounds.absent[name] = f"was not measured, as {' and '.join(missing)} is missing"
    aside = processes.cores()[1]
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {aside})
    try:
        with Sink(aside) as sink:
            for _ in range(options.rounds):
                rounds.syncs.append(disk.sync_seconds())
                _round(rounds, sink, [(name, count) for name in names for count in options.listeners], options, tell)
    finally:
        os.sched_setaffinity(0, before)
    return rounds


def _round(
    rounds: Rounds, sink: Sink, all_of_them: list[tuple[str, int]], options: Options, tell: Callable[[str], None]
) -> None:
    random.shuffle(all_of_them)
    for name, listeners in all_of_them:
        if name in rounds.absent:
            continue
        try:
            measured = FIELD[name].measure(sink, listeners, options.seconds)
        except (OSError, RuntimeError) as error:
            if name == OURS:
                raise
            rounds.absent[name] = f"was left out after it had failed with {listeners} listeners: {error}"
            tell(f"{name} {rounds.absent[name]}")
            continue
        rounds.measured.setdefault((name, listeners), []).append(measured)
        tell(line(name, listeners, measured))


def line(name: str, listeners: int, one: Measured) -> str:
    """Return a measurement in one line."""
    each = 1e6 / one.deliveries
    shown = f"{name:13}{listeners:4} {each * one.cpu.total:8.1f} us"
    shown += f" ({each * one.cpu.user:.1f} + {each * one.cpu.system:.1f}) {one.rate:9,.0f}/s"
    if one.half_p50 is not None and one.half_p99 is not None:
        shown += f"  half: {1e6 * (one.half_cpu or 0):.1f} us, {1e3 * one.half_p50:.2f} / {1e3 * one.half_p99:.2f} ms"
    if one.alone_p50 is not None:
        shown += f"  alone: {1e3 * one.alone_p50:.2f} ms"
    if one.memory is not None:
        shown += f"  {one.memory / 2**20:.0f} MiB"
    if one.busy_store is not None:
        store = one.busy_store
        shown += f"  {store.commits:.0f} commits of {store.changes:.0f} changes, {store.writes:.0f} writes"
    if one.kept is not None and not one.kept:
        shown += f"  {one.kept}"
    return shown


def tell(words: str) -> None:
    """Print a line at once."""
    print(words, file=sys.stderr, flush=True)
