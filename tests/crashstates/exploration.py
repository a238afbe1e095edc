"""Which states are looked at, of one recorded scenario."""

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from tests.crashstates.examination import EXHAUSTIVE, Examination, subset
from tests.crashstates.ledger import Ledger
from tests.crashstates.notes import Replaced
from tests.crashstates.script import Script
from tests.disks.medium import Medium
from tests.disks.operations import Note, Operation, Sync, SyncFolder

MOST_EXAMPLES = 3

AGAIN = 0.15
"""The share of the states in which the power is cut a second time."""


@dataclass(frozen=True, slots=True)
class State:
    """The power is cut after ``point`` operations; ``choice``: ``first-<bits>``, ``last-<bits>``, ``random-<n>``."""

    point: int
    choice: str

    def __str__(self) -> str:
        return f"{self.point}:{self.choice}"


@dataclass
class Findings:
    """What came of the states of one scenario."""

    states: int = 0
    again: int = 0
    exhaustive: int = 0
    points: int = 0
    promises: int = 0
    late: bool = False
    first_failure: int | None = None  # the number of the first state that failed
    failed: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: "Findings") -> None:
        """Count what ``other`` counts."""
        self.states += other.states
        self.again += other.again
        self.exhaustive += other.exhaustive
        self.points += other.points
        self.promises += other.promises
        self.failed += other.failed
        self.examples += other.examples
        self.late |= other.late


def states(script: Script, number: int, seed: int) -> list[State]:
    """Return about ``number`` states, along the log: at most half of them near syncs, the others anywhere."""
    random = Random(f"{script.name} {seed} states")  # noqa: S311
    chosen = set(_sampled(list(_near_syncs(script.operations)), number // 2, random))
    points = [point for point, operation in enumerate(script.operations, 1) if _is_a_moment(operation)]
    while len(chosen) < number:
        chosen.add(State(random.choice(points), f"random-{random.getrandbits(32)}"))
    return sorted(chosen, key=lambda state: (state.point, state.choice))


def _is_a_moment(operation: Operation) -> bool:
    """Tell whether the power may be cut after this: a note of what was done at the same moment is none."""
    return not isinstance(operation, Note) or isinstance(operation.value, Replaced)


def _near_syncs(operations: Iterable[Operation]) -> Iterator[State]:
    for point, operation in enumerate(operations):
        if isinstance(operation, Sync | SyncFolder):
            for bits in range(1 << EXHAUSTIVE):
                yield from (State(point, f"last-{bits}"), State(point, f"first-{bits}"))


def _sampled(found: list[State], most: int, random: Random) -> list[State]:
    """Return all, or as many whole points as there is room for."""
    if len(found) <= most:
        return found
    points = sorted({state.point for state in found})
    kept = set(random.sample(points, min(len(points), most >> EXHAUSTIVE + 1)))
    return [state for state in found if state.point in kept]


def explore(script: Script, chosen: Iterable[State], examination: Examination, until: float = math.inf) -> Findings:
    """Look at states, which are in the order of the log, ``until`` this monotonic time; return what was found."""
    findings = Findings()
    medium, ledger, at = Medium(script.first), Ledger(script.contents, script.fresh, script.damaged, script.before), 0
    steps = iter(script.operations)
    for state in chosen:
        if time.monotonic() > until:
            findings.late = True
            break
        findings.points += state.point != at
        for operation in islice(steps, state.point - at):
            medium.apply(operation)
            ledger.apply(operation)
        at = state.point
        random = Random(f"{script.name} {state}")  # noqa: S311
        problem = _examined(state, medium, ledger, examination, random, findings)
        if problem is not None:
            findings.failed[problem.split(":")[0]] += 1
            findings.first_failure = findings.first_failure or findings.states
            if len(findings.examples) < MOST_EXAMPLES:
                findings.examples.append((str(state), problem))
    return findings


def _examined(
    state: State, medium: Medium, ledger: Ledger, examination: Examination, random: Random, findings: Findings
) -> str | None:
    findings.states += 1
    findings.promises += ledger.answers
    kind, number = state.choice.split("-")
    if kind == "random":
        image = medium.image(random)
    else:
        findings.exhaustive += 1
        image = subset(medium, int(number), at_the_end=kind == "last")
    if random.random() < AGAIN:
        findings.again += 1
        return examination.twice(image, ledger, random)
    return examination.once(image, ledger, random)
