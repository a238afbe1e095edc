"""The command: every course, killed at every point, or at some of them that a seed chooses."""

import argparse
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import NamedTuple

from tests.upgrades import points
from tests.upgrades.courses import Course, courses

BOUNDED = 90
"""Points of each course in the bounded form."""

PROCESSES = 2

MOST_TOLD = 3
"""Failures of one course that are printed."""


class Walked(NamedTuple):
    """What came of one course."""

    name: str
    points: str
    kills: int
    failures: list[tuple[int, str, str]]
    seconds: float


class Walk(NamedTuple):
    """Which points of one course are to be tried: all, so many, or the one."""

    name: str
    most: int | None
    seed: int
    only: int | None


def walked(walk: Walk) -> Walked:
    """Walk one course: count its points, and kill a process at each that was chosen."""
    points.stand_below_sqlite()
    began = time.monotonic()
    course = next(each for each in courses() if each.name == walk.name)
    with tempfile.TemporaryDirectory(prefix="ttgateway-upgrades-", dir=_scratch()) as scratch:
        template, folder = Path(scratch) / "template", Path(scratch) / "state"
        template.mkdir()
        course.prepare(template)
        known = course.know(template)
        seen, failure = _tried(course, template, folder, known, None)
        failures = [(0, "the end", failure)] if failure else []
        kills = 0
        for point in _chosen(len(seen), walk):
            _, failure = _tried(course, template, folder, known, point)
            kills += 1
            if failure:
                failures.append((point, seen[point - 1] if point <= len(seen) else "there is none", failure))
    return Walked(course.name, points.summary(seen), kills, failures, time.monotonic() - began)


def _tried(course: Course, template: Path, folder: Path, known: object, kill_at: int | None) -> tuple[list[str], str]:
    """Walk a course once; return its points, and what is wrong with what it left, or ``""``."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    ended = points.run(lambda: course.act(folder), folder, kill_at)
    if ended.error or ended.killed != (kill_at is not None):
        return ended.seen, ended.error or "was not killed at this point"
    if kill_at is None and not course.done(folder):
        return ended.seen, "what was asked for was not done"
    try:
        course.check(folder, known)
    except Exception:
        return ended.seen, traceback.format_exc(limit=-3)
    return ended.seen, ""


def _chosen(count: int, walk: Walk) -> list[int]:
    if walk.only is not None:
        return [walk.only]
    if walk.most is None or walk.most >= count:
        return list(range(1, count + 1))
    return sorted(random.Random(f"{walk.seed} {walk.name}").sample(range(1, count + 1), walk.most))  # noqa: S311


def _scratch() -> str | None:
    """Return a folder in memory, where there is one: a kill loses nothing that was written there either."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.upgrades", description=__doc__)
    parser.add_argument("--bounded", action="store_true", help=f"{BOUNDED} points of each course")
    parser.add_argument("--points", type=int, metavar="N", help="so many points of each course")
    parser.add_argument("--seed", type=int, default=2026, help="chooses the points")
    parser.add_argument("--course", metavar="NAME", action="append", help="this course alone (may be given again)")
    parser.add_argument("--point", type=int, metavar="N", help="kill at this point alone")
    return parser.parse_args()


def main() -> int:
    """Walk the courses; return the exit code."""
    arguments = _arguments()
    most = arguments.points or (BOUNDED if arguments.bounded else None)
    names = [course.name for course in courses() if not arguments.course or course.name in arguments.course]
    walks = [Walk(name, most, arguments.seed, arguments.point) for name in names]
    print(f"{len(walks)} courses, {most or 'all'} points of each, seed {arguments.seed}", flush=True)
    began, kills, failed = time.monotonic(), 0, 0
    with multiprocessing.get_context("fork").Pool(PROCESSES, maxtasksperchild=1) as pool:
        for came in pool.imap_unordered(walked, walks, chunksize=1):
            kills += came.kills
            failed += len(came.failures)
            print(f"{came.name}: {came.kills} kills in {came.seconds:.1f} s, of {came.points}", flush=True)
            _tell(came)
    print(f"{kills} kills, {failed} failures, {time.monotonic() - began:.0f} s", flush=True)
    return 1 if failed or not names else 0


def _tell(came: Walked) -> None:
    for point, what, failure in came.failures[:MOST_TOLD]:
        print(f"FAILED {came.name} at point {point} ({what}):\n{failure}")
        print(f"Again: python -m tests.upgrades --course {came.name} --point {point}", flush=True)
    if len(came.failures) > MOST_TOLD:
        print(f"... and {len(came.failures) - MOST_TOLD} more of {came.name}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
