"""How long a start takes: until the daemon answers, and until what waits for a listener has arrived."""

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.alone import main
from bench.load import Load
from bench.options import Options
from bench.prepared import Prepared, keeping_aside
from bench.report import Section, Verdict, table
from bench.sink import Sink
from bench.stores import fill, live
from tests.system.daemon import eventually

AT_MOST = 2.0
"""Seconds from the start to the first delivery."""

UNDER_WAY = 1_000
"""So many changes are on their way to the listeners when the daemon is killed."""

ABOUT = f"""From ``exec`` until the first request is answered, and until the first delivery arrives. After the clean
stop one change waits for each listener; at the ``kill -9`` {UNDER_WAY:,} changes are on their way to all."""


class Start(NamedTuple):
    """Seconds from the start until a request was answered, and until the first delivery."""

    serving: float
    telling: float


def run(options: Options) -> list[Section]:
    """Start it after a clean stop and after a kill, a few times each."""
    changes, listeners = (2_000, 10) if options.quick else (100_000, 100)
    clean, killed = [], []
    with keeping_aside() as aside, Sink(aside) as sink, tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        fill(store, changes, live(sink, listeners))
        for _ in range(1 if options.quick else options.rounds):
            with Prepared(sink, store, changes) as prepared:
                clean.append(Start(prepared.serving, prepared.telling))
                eventually(lambda: sink.count() >= listeners)
                Load(prepared, sink, listeners).feed(UNDER_WAY)
                eventually(lambda: sink.count() >= 2 * listeners)
                prepared.gateway.kill()
                prepared.begin()
                killed.append(Start(prepared.serving, prepared.telling))
    return [section(changes, listeners, clean, killed)]


def section(changes: int, listeners: int, clean: Sequence[Start], killed: Sequence[Start]) -> Section:
    """Return what was measured, of each kind of start the medians."""
    rows, worst = [], 0.0
    for name, starts in (("a clean stop", clean), ("``kill -9``", killed)):
        serving, telling = (statistics.median(times) for times in zip(*starts, strict=True))
        rows.append((name, f"{serving:.2f}", f"{telling:.2f}"))
        worst = max(worst, telling)
    shown = table(("seconds, after", "until it serves", "until the first delivery"), rows)
    title = f"Start with {listeners} listeners and {changes:,} changes"
    verdict = Verdict(
        "start to first delivery under 2 s, with 100 listeners and 100,000 changes", f"{worst:.2f} s", worst < AT_MOST
    )
    return Section(title, f"{ABOUT}\n\n{shown}", (verdict,))


if __name__ == "__main__":
    main(__doc__, run)
