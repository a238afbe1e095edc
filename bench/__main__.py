"""Measures the gateway beside a floor and what one would write in its place, and writes ``docs/performance.rst``."""

import argparse
import gc
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import deliveries, page, rounds
from bench.field import FIELD, OURS
from bench.options import Options
from bench.report import Section

PARTS = ("instructions", "growth", "inbound", "memory", "start")
"""Modules with a ``run`` of their own, in the order of the page."""

DOCS = Path(__file__).parent.parent / "docs"


def options(words: Sequence[str]) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = [*FIELD, *PARTS]
    parser.add_argument("--only", nargs="+", default=[], choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--listeners", nargs="+", type=int, metavar="N", help="how many live listeners")
    parser.add_argument("--rounds", type=int, help="how often each measurement is made")
    parser.add_argument("--seconds", type=float, help="how long a window of one is")
    parser.add_argument("--quick", action="store_true", help="as little as shows that it works")
    parser.add_argument("--out", type=Path, help="the folder of the page; docs, and none with --only or --quick")
    given = parser.parse_args(words)
    usual = Options(rounds=1, seconds=0.3, listeners=(1,), quick=True) if given.quick else Options()
    return Options(
        rounds=given.rounds or usual.rounds,
        seconds=given.seconds or usual.seconds,
        listeners=tuple(given.listeners or usual.listeners),
        quick=given.quick,
        only=tuple(given.only),
        out=given.out or (None if given.only or given.quick else DOCS),
    )


def main(chosen: Options) -> int:
    """Measure, write the page, and return the exit code: 1 where our daemon has not kept what it promises."""
    gc.disable()  # what is kept of a measurement is no garbage
    found: list[Section] = []
    plot, whole = "", True
    if not chosen.only or set(chosen.only) & set(FIELD):
        measured = rounds.run(chosen, rounds.tell)
        found += deliveries.sections(chosen, measured)
        plot, kept = deliveries.drawn(chosen, measured), measured.kept(OURS)
        whole = kept is None or bool(kept)
    for name in PARTS:
        if not chosen.only or name in chosen.only:
            rounds.tell(f"{name} ...")
            found += importlib.import_module(f"bench.{name}").run(chosen)
    for verdict in (verdict for section in found for verdict in section.verdicts):
        rounds.tell(f"{'yes' if verdict.holds else 'NO '} {verdict.asked}: {verdict.figure}")
    if chosen.out is not None:
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / "performance.rst").write_text(page.written(found))
        if plot:
            (chosen.out / deliveries.PLOT).write_text(plot)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main(options(sys.argv[1:])))
