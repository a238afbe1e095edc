"""One part of the benchmark alone: ``python -m bench.PART [--quick]`` prints what it adds to the page."""

import argparse
from collections.abc import Callable, Sequence

from bench.options import Options
from bench.report import Section


def main(about: str | None, run: Callable[[Options], Sequence[Section]]) -> None:
    """Run the part that the command line is about, and print its sections."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="as little as shows that it works")
    parser.add_argument("--rounds", type=int, default=Options.rounds, help="how often each measurement is made")
    parser.add_argument("--seconds", type=float, default=Options.seconds, help="how long a window of one is")
    given = parser.parse_args()
    for section in run(Options(rounds=given.rounds, seconds=given.seconds, quick=given.quick)):
        print(f"{section.title}\n{'-' * len(section.title)}\n\n{section.rst}")
        for verdict in section.verdicts:
            print(f"{'yes' if verdict.holds else 'NO'}: {verdict.asked}: {verdict.figure}")
        print()
