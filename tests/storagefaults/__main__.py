"""``python -m tests.storagefaults [--seed s] [--bounded]``: prints what was done, and ends with 0 if all was kept."""

import argparse
import multiprocessing
import random
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor

from tests.storagefaults.parts import run

SECONDS = {"flips": 60.0, "running": 30.0, "disk": 50.0, "calls": 130.0}
"""How long each part goes on when bounded: two at a time, less than three minutes in all."""

LONGER = 10.0
"""By what factor it is longer otherwise."""


def main() -> int:
    """Run all parts, or one; return the exit code."""
    asked = argparse.ArgumentParser(prog="python -m tests.storagefaults", description=__doc__)
    asked.add_argument("--seed", type=int, default=random.randrange(1_000_000))  # noqa: S311
    asked.add_argument("--bounded", action="store_true", help="less than three minutes on two processors")
    asked.add_argument("--part", choices=list(SECONDS), help="only this")
    asked.add_argument("--case", type=int, help="only the case with this number, of flips or running")
    options = asked.parse_args()
    factor = 1.0 if options.bounded else LONGER
    parts = [options.part] if options.part else ["calls", "disk", "flips", "running"]
    print(f"storagefaults: {', '.join(parts)}, seed {options.seed}", flush=True)
    failed, began = 0, time.monotonic()
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        started: dict[str, Future[tuple[list[str], list[str]]]] = {
            part: pool.submit(run, part, options.seed, SECONDS[part] * factor, options.case) for part in parts
        }
        for part, future in started.items():
            lines, failures = future.result()
            for line in lines:
                print(f"{part}: {line}")
            for failure in failures[:10]:
                failed += 1
                case = f" --case {failure.split()[1].rstrip(',:')}" if failure.startswith("case ") else ""
                print(f"{part}: FAILED: {failure[:1500]}")
                print(f"    replay: python -m tests.storagefaults --bounded --part {part} --seed {options.seed}{case}")
    print(f"storagefaults: {failed} broken promises, in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
