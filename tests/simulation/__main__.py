"""``python -m tests.simulation``: many seeds on some processes, or one seed with its story told."""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.simulation.runs import one, seeds

CHUNK = 20
"""Seeds that a process runs before it tells of them."""

KINDS = ("changes", "deliveries", "events", "starts", "stops", "kill", "power cut")


def tell(seed: int) -> int:
    """Run one seed and tell its story; return the exit code."""
    report = one(seed)
    sys.stdout.write("\n".join(report.story) + "\n")
    figures = ", ".join(f"{report.counts[kind]} {kind}" for kind in KINDS)
    sys.stdout.write(f"seed {seed}: {report.profile}\n{report.hours:.2f} simulated hours: {figures}\n")
    sys.stdout.write(f"trace {report.digest}\n")
    for what in report.broken:
        sys.stdout.write(f"BROKEN {what}\n")
    return 1 if report.broken else 0


def many(first: int, count: int, jobs: int) -> int:
    """Run many seeds; print figures and failures; return the exit code."""
    began = time.monotonic()
    totals: Counter[str] = Counter()
    hours, ran, failed = 0.0, 0, []
    chunks = [(at, min(CHUNK, first + count - at)) for at in range(first, first + count, CHUNK)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for results in pool.map(seeds, *zip(*chunks, strict=True)):
            for seed, broken, counts, simulated in results:
                ran, hours = ran + 1, hours + simulated
                totals += counts
                if broken:
                    failed.append(seed)
                    _show(seed, broken)
    took = time.monotonic() - began
    figures = ", ".join(f"{totals[kind]} {kind}" for kind in KINDS)
    sys.stdout.write(
        f"{ran} runs (seeds {first} to {first + count - 1}) in {took:.0f} s, {ran / took:.1f}/s; "
        f"{hours:.0f} simulated hours: {figures}\n{len(failed)} runs broke a rule\n"
    )
    return 1 if failed else 0


def _show(seed: int, broken: list[str]) -> None:
    shown = "".join(f"  {what[:600]}\n" for what in broken[:3])
    sys.stdout.write(f"seed {seed} broke {len(broken)} rules; again: make simulate SEED={seed}\n{shown}")
    sys.stdout.flush()


def main() -> int:
    """Read the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000, help="how many seeds to run")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them")
    parser.add_argument("--seed", type=int, help="run this one alone, and tell its story")
    parser.add_argument("--jobs", type=int, default=2, help="on how many processes")
    asked = parser.parse_args()
    return many(asked.first, asked.seeds, asked.jobs) if asked.seed is None else tell(asked.seed)


if __name__ == "__main__":
    raise SystemExit(main())
