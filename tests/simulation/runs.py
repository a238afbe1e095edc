"""Many runs in one process, and what they came to."""

import gc
import os
import signal
import tempfile
from collections import Counter
from pathlib import Path
from typing import NoReturn

from werkzeug.routing import Rule

from tests.disks.recording import install
from tests.simulation.report import Report
from tests.simulation.world import run

LONGEST = 60
"""Seconds that a run may take; it takes less than one."""


def seeds(first: int, count: int) -> list[tuple[int, list[str], Counter[str], float]]:
    """Run some seeds in this process; return of each its number, what it broke, its figures and its hours."""
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()  # or each collection would look through all modules again
        gc.set_threshold(20_000)
    reports = map(one, range(first, first + count))
    found = [(report.seed, report.broken, report.counts, report.hours) for report in reports]
    gc.collect()  # what a gateway is made of goes round in circles
    return found


def _never(*_: object) -> None:
    raise AssertionError("the gateway builds no URL of its own")


# A third of a run would go by in making, at each start of a gateway, the code that builds URLs.
Rule._compile_builder = lambda self, append_unknown=True: _never  # type: ignore[method-assign,assignment,return-value]


def one(seed: int) -> Report:
    """Run one seed; one that does not end has broken a rule."""
    vfs = install()
    signal.signal(signal.SIGALRM, _endless)
    signal.alarm(LONGEST)
    with tempfile.TemporaryDirectory(prefix="ttgateway-simulation-", dir=_memory()) as folder:
        try:
            return run(seed, Path(folder).resolve() / "state", vfs)
        finally:
            signal.alarm(0)


def _endless(*_: object) -> NoReturn:
    raise TimeoutError(f"the run takes more than {LONGEST} s: somebody goes round in circles")


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # memory, and a folder of our own in it
