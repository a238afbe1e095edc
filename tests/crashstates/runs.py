"""Scenarios shared out among processes, each with directories of its own in memory."""

import math
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.crashstates.examination import Examination
from tests.crashstates.exploration import Findings, State, explore, states
from tests.crashstates.mutants import MUTANTS
from tests.crashstates.scenarios import SCENARIOS
from tests.crashstates.script import record
from tests.disks.recording import install

PORTION = 2_500
"""States that one process looks at before it takes another scenario."""


@dataclass(frozen=True)
class Portion:
    """A part of the states of one scenario: the ``part``-th of ``parts``; or one ``state``, to see it again."""

    scenario: str
    seed: int
    number: int
    part: int = 0
    parts: int = 1
    state: State | None = None
    mutant: str | None = None
    seconds: float = math.inf


def portions(number: int, seed: int, names: list[str], seconds: float) -> Iterator[Portion]:
    """Yield all portions of ``number`` states, shared out among the scenarios by their weights."""
    total = sum(SCENARIOS[name].weight for name in names)
    for name in names:
        share = max(1, round(number * SCENARIOS[name].weight / total))
        parts = math.ceil(share / PORTION)
        for part in range(parts):
            yield Portion(name, seed, share, part, parts, seconds=seconds)


def run(portion: Portion) -> Findings:
    """Record the portion's scenario, in this process, and look at its states."""
    disks = install()
    if portion.mutant is not None:
        MUTANTS[portion.mutant].plant()
    place = Path(tempfile.mkdtemp(prefix="crashstates-", dir=_memory()))
    until = time.monotonic() + portion.seconds
    try:
        for name in ("recorded", "opened"):
            (place / name).mkdir()
        script = record(portion.scenario, disks, place / "recorded", portion.seed)
        chosen = [portion.state] if portion.state else states(script, portion.number, portion.seed)
        size = math.ceil(len(chosen) / portion.parts)
        mine = chosen[portion.part * size : (portion.part + 1) * size]
        return explore(script, mine, Examination(disks, place / "opened"), until)
    finally:
        shutil.rmtree(place)


def run_all(wanted: list[Portion], jobs: int) -> Iterator[tuple[Portion, Findings]]:
    """Yield what came of each portion, each mutant in a process of its own; ``jobs`` processes at a time."""
    context = multiprocessing.get_context("spawn")
    fresh = 1 if any(portion.mutant for portion in wanted) else None
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=fresh) as pool:
        yield from zip(wanted, pool.map(run, wanted), strict=True)


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # a disk that costs nothing
