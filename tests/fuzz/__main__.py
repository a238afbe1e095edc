"""``python -m tests.fuzz --requests 200000 [--seed S] [--jobs 2]``: requests made to break the server.

Prints what was done, and ends with 0 if nothing was broken; else it says what, keeps the input that did it in a file
under ``/tmp``, and prints the command that replays it (``--replay FILE``).
"""

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.fuzz import inside, outside, shrinking
from tests.fuzz.scripts import Script

OUTSIDE = 0.1
"""The share of requests that go over real sockets; `LEAST_OUTSIDE` of them where that many are asked for in all."""
LEAST_OUTSIDE = 20_000

MOST_GROWTH = 24 * 2**20
"""Bytes by which a process may grow between its third round and its last."""

WITHIN = 1200.0
"""Seconds for it all."""


def main() -> int:
    """Run it; return the exit code."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("--requests", type=int, default=200_000, help="how many in all")
    asked.add_argument("--seed", default=str(random.randrange(1_000_000)), help="what it all follows from")  # noqa: S311
    asked.add_argument("--jobs", type=int, default=2, help="how many processes")
    asked.add_argument("--round", default="", metavar="SEED", help="do this one round again, and nothing else")
    asked.add_argument("--replay", type=Path, metavar="FILE", help="send again what is kept in a file")
    options = asked.parse_args()
    if options.replay:
        return _replay(options.replay)
    if options.round:
        return int(_told(inside.run(options.round)))
    return Run(options.requests, options.seed, options.jobs).run()


class Run:
    """One run: its rounds in processes of a pool, and beside them what goes over real sockets."""

    def __init__(self, requests: int, seed: str, jobs: int) -> None:
        self._outside = max(int(requests * OUTSIDE), min(LEAST_OUTSIDE, requests // 2))
        self._inside = requests - self._outside
        self._seed = seed
        self._jobs = jobs
        self._failed = 0
        self._rounds = 0
        self._requests = self._scripts = self._honest = self._conforming = 0
        self._statuses: Counter[int] = Counter()

    def run(self) -> int:
        """Run; return the exit code."""
        began = time.monotonic()
        print(f"fuzz: {self._inside} requests in-process, {self._outside} over sockets, seed {self._seed}", flush=True)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self._jobs, context) as pool, ProcessPoolExecutor(1, context) as beside:
            sockets = beside.submit(outside.run, self._seed, self._outside)
            self._all_rounds(pool, began + WITHIN)
            seconds = time.monotonic() - began
            self._tell_inside(seconds)
            self._tell_outside(sockets.result())
        print(f"fuzz: {time.monotonic() - began:.0f} s in all, {self._failed} failures")
        return 1 if self._failed else 0

    def _all_rounds(self, pool: ProcessPoolExecutor, ends: float) -> None:
        warm: dict[int, list[int]] = {}
        running: set[Future[inside.Result]] = set()
        while self._requests < self._inside and self._failed < 5:
            if time.monotonic() > ends:
                print(f"fuzz: FAILED: out of time after {self._requests} requests")
                self._failed += 1
                break
            while len(running) < self._jobs:
                running.add(pool.submit(inside.run, f"{self._seed}/{self._rounds}"))
                self._rounds += 1
            done = next(as_completed(running))
            running.remove(done)
            self._take(done.result(), warm)
        for last in as_completed(running):
            self._take(last.result(), warm)
        self._check_memory(warm)

    def _take(self, result: inside.Result, warm: dict[int, list[int]]) -> None:
        self._requests += result.requests
        self._scripts += result.scripts
        self._honest += result.honest
        self._conforming += result.conforming
        self._statuses += result.statuses
        warm.setdefault(result.process, []).append(result.resident)
        self._failed += _told(result)

    def _check_memory(self, warm: dict[int, list[int]]) -> None:
        for process, sizes in warm.items():
            begin, end = sizes[min(2, len(sizes) - 1)], sizes[-1]
            grown = end - begin > MOST_GROWTH
            self._failed += grown
            word = " FAILED: not flat" if grown else ""
            print(f"fuzz: process {process}: {begin >> 20} MiB after 3 rounds, {end >> 20} after {len(sizes)}{word}")

    def _tell_inside(self, seconds: float) -> None:
        print(
            f"fuzz: in-process: {self._requests} requests on {self._scripts} connections in {seconds:.0f} s,"
            f" {self._requests / seconds:.0f} a second; {self._honest} honest orders in between,"
            f" {self._conforming} replies held to the OpenAPI document"
        )
        print(f"fuzz: in-process: {_histogram(self._statuses)}", flush=True)

    def _tell_outside(self, result: outside.Result) -> None:
        rate = result.requests / max(result.seconds, 0.001)
        print(
            f"fuzz: sockets: {result.requests} requests on {result.scripts} connections in {result.seconds:.0f} s,"
            f" {rate:.0f} a second; {len(result.honest)} honest orders, the slowest after"
            f" {max(result.honest, default=0.0) * 1000:.0f} ms; {result.posted} confirmed orders in the journal"
        )
        print(
            f"fuzz: sockets: {result.patient} clients waited to be closed, the longest {result.longest:.0f} s; RSS"
            f" {result.warm >> 20} MiB when warm, {result.resident >> 20} at the end; {_histogram(result.statuses)}"
        )
        if result.failure:
            self._failed += 1
            print(f"fuzz: sockets: FAILED: {result.failure}")
            _keep(f"{self._seed}/outside", result.failure, result.blamed)
            print(
                f"replay: {sys.executable} -m tests.fuzz --requests {self._inside + self._outside} --seed {self._seed}"
            )


def _told(result: inside.Result) -> bool:
    """Tell of a round that failed; return whether it did."""
    if not result.failure:
        return False
    print(f"fuzz: FAILED: round {result.seed}, batch {result.batch}: {result.failure}")
    if result.blamed:
        _keep(result.seed, result.failure, shrinking.shrunk(result.blamed, inside.breaks))
    print(f"replay: {sys.executable} -m tests.fuzz --round {result.seed}", flush=True)
    return True


def _keep(seed: str, failure: str, scripts: tuple[Script, ...]) -> None:
    path = shrinking.keep(Path(tempfile.gettempdir()), seed, failure, scripts)
    print(f"kept: {[script.data[:200] for script in scripts[:3]]} in {path}")
    print(f"replay: {sys.executable} -m tests.fuzz --replay {path}", flush=True)


def _replay(path: Path) -> int:
    """Send again what is kept in a file; return the exit code."""
    failure = inside.breaks(shrinking.kept(path).scripts)
    print(failure or "fuzz: nothing was broken")
    return 1 if failure else 0


def _histogram(statuses: Mapping[int, int]) -> str:
    return ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))


if __name__ == "__main__":
    sys.exit(main())
