"""``python -m tests.crash --cycles 300 --jobs 2 --seed 1``: prints what was done, and ends with 0 if all was kept.

Where all was, and only a figure of time was too high, a few more series are played, whose figures count then: two busy
processors can spoil them.
"""

import argparse
import multiprocessing
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.crash import series
from tests.crash.promises import Figures, too_late
from tests.system.traffic import percentile

KILLS = 25
"""Kills in one series."""

FIRST_WITHIN = 2.0
"""Seconds from each start to the first delivery."""

LATE = 0.02
"""The share of starts that may take longer on a machine where others work too, and by what factor."""

MUCH_LATER = 3.0

AGAIN = 3
"""Series that are played, one gateway at a time, where a figure of time was too high: both processors were busy."""


def main() -> int:
    """Run the series; return the exit code."""
    asked = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    asked.add_argument("--cycles", type=int, default=300, help="how many kills in all")
    asked.add_argument("--jobs", type=int, default=2, help="how many gateways at a time")
    asked.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of the first series")  # noqa: S311
    options = asked.parse_args()
    sizes = [KILLS] * (options.cycles // KILLS) + [options.cycles % KILLS] * (options.cycles % KILLS > 0)
    kept, in_time = _play(sizes, options.seed, options.jobs)
    if kept and not in_time:
        kept, in_time = _play([KILLS] * AGAIN, options.seed + len(sizes), 1)
    return 0 if kept and in_time else 1


def _play(sizes: list[int], seed: int, jobs: int) -> tuple[bool, bool]:
    """Kill gateways so many times, each series with a seed of its own; return whether all was kept, and in time."""
    print(f"crash: {sum(sizes)} kills in {len(sizes)} series, {jobs} at a time, seed {seed}")
    began, figures, failed = time.monotonic(), Figures(), 0
    # A process each: the interpreter's lock must not keep the listeners of one waiting for those of another.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        running = [pool.submit(series.run, seed + number, size) for number, size in enumerate(sizes)]
        for done in as_completed(running):
            its_seed, theirs, failures = done.result()
            figures.add(theirs)
            failed += _tell(its_seed, theirs, failures)
    return not failed, _in_time(figures, time.monotonic() - began)


def _tell(seed: int, figures: Figures, failures: list[str]) -> bool:
    word = "FAILED" if failures else "kept"
    print(f"  seed {seed}: {figures.kills} kills, {figures.changes} changes acknowledged, {word}", flush=True)
    for failure in failures[:10]:
        print(f"    {failure[:1000]}")
    if failures:
        print(f"    replay: python -m tests.crash --cycles {KILLS} --jobs 1 --seed {seed}")
    return bool(failures)


def _in_time(figures: Figures, seconds: float) -> bool:
    """Print the figures of what took ``seconds``; return whether those of time are as they should be."""
    late = [wait for wait in figures.first if wait > FIRST_WITHIN]
    slow = len(late) > LATE * len(figures.first) + 2 or max(late, default=0.0) > MUCH_LATER * FIRST_WITHIN
    print(
        f"crash: {figures.kills} kills in {seconds:.0f} s; {figures.changes} changes acknowledged, {figures.told} told;"
        f" {figures.answered} tokens, registrations, replays answered"
    )
    print(
        f"crash: {len(figures.repeats)} told again, the oldest acknowledged"
        f" {max(figures.repeats, default=0.0) * 1000:.0f} ms before the kill; more than 50 ms in {figures.seen_late}"
        f" kills, more than 200 ms in {figures.stalled}"
    )
    broken = too_late(figures)
    for failure in broken:
        print(f"crash: FAILED: {failure}")
    if figures.first:
        print(
            f"crash: first delivery after a start: p50 {percentile(figures.first, 50):.2f} s,"
            f" p99 {percentile(figures.first, 99):.2f} s, worst {max(figures.first):.2f} s;"
            f" {len(late)} of {len(figures.first)} after more than {FIRST_WITHIN:.0f} s{' FAILED' if slow else ''}"
        )
    return not slow and not broken


if __name__ == "__main__":
    sys.exit(main())
