"""Memory: of the daemon alone, with many changes and listeners, and of a listener that nothing happens to."""

import tempfile
from pathlib import Path
from typing import NamedTuple

from bench.alone import main
from bench.load import Load
from bench.options import Options
from bench.prepared import Prepared, keeping_aside
from bench.report import Section, Verdict, table
from bench.sink import Sink
from bench.stores import fill, idle, live

MIB = 2**20
MOST = 64 * MIB
"""Bytes that the gateway may take with `FULL`."""

MOST_IDLE = 4096
"""Bytes that the gateway and an idle listener may take."""


class Memory(NamedTuple):
    """The memory of a process in bytes.

    ``resident`` is what counts (RSS). Of it ``private`` is anonymous memory, which nobody else can share; in ``fair``
    (PSS) each page counts by its share among the processes that have it.
    """

    resident: int
    fair: int
    private: int


def parsed(rollup: str) -> Memory:
    """Read the text of ``/proc/PID/smaps_rollup``."""
    sizes = {line.split()[0]: 1024 * int(line.split()[1]) for line in rollup.splitlines()[1:]}
    return Memory(sizes["Rss:"], sizes["Pss:"], sizes["Pss_Anon:"])


def memory(prepared: Prepared) -> Memory:
    """Return the memory that the daemon has now."""
    return parsed(Path(f"/proc/{prepared.pids()[0]}/smaps_rollup").read_text())


class Sizes(NamedTuple):
    """How much there is: changes in the journal, live listeners, idle ones beside one, deliveries after the start."""

    changes: int
    live: int
    idle: int
    deliveries: int


FEW = 100
"""Changes in the journal where their number is not what matters: one of each tracker."""

ABOUT = """RSS is all memory that the process has, the pages of shared libraries too. PSS counts a page that several
processes have by its share; anonymous memory is what no other process can share."""

FULL = Sizes(100_000, 100, 10_000, 10_000)
QUICK = Sizes(2_000, 10, 500, 200)


def run(options: Options) -> list[Section]:
    """Measure it all, once: memory hardly varies from run to run."""
    sizes = QUICK if options.quick else FULL
    with keeping_aside() as aside, Sink(aside) as sink, tempfile.TemporaryDirectory() as folder:
        stores = Path(folder)
        fill(stores / "alone", FEW, live(sink, 1))
        fill(stores / "full", sizes.changes, live(sink, sizes.live))
        fill(stores / "crowd", FEW, [*live(sink, 1), *idle(sink, sizes.idle)])
        with Prepared(sink, stores / "alone", FEW) as prepared:
            alone = memory(prepared)
        with Prepared(sink, stores / "full", sizes.changes) as prepared:
            started = memory(prepared)
            load = Load(prepared, sink, sizes.live)
            load.phase(lambda: load.feed(sizes.deliveries // sizes.live))
            used = memory(prepared)
        with Prepared(sink, stores / "crowd", FEW) as prepared:
            crowd = memory(prepared)
    return [section(sizes, alone, started, used, crowd)]


def section(sizes: Sizes, alone: Memory, started: Memory, used: Memory, crowd: Memory) -> Section:
    """Return what was measured: alone, with ``sizes`` at the start and after use, and with idle listeners."""
    each = (crowd.resident - alone.resident) / sizes.idle
    full = f"{sizes.live} listeners, {sizes.changes:,} changes in the journal"
    rows = {
        f"1 listener, {FEW} changes": alone,
        f"{full}, just started": started,
        f"the same after {sizes.deliveries:,} deliveries": used,
        f"1 listener and {sizes.idle:,} idle ones": crowd,
    }
    shown = table(
        ("MiB", "RSS", "PSS", "anonymous"),
        [(name, *(f"{size / MIB:.1f}" for size in one)) for name, one in rows.items()],
    )
    worst = max(started.resident, used.resident)
    verdicts = (
        Verdict("RSS under 64 MiB with 100 listeners and 100,000 changes", f"{worst / MIB:.1f} MiB", worst < MOST),
        Verdict("an idle listener takes less than 4 KiB", f"{each:,.0f} bytes", each < MOST_IDLE),
    )
    return Section("Memory", f"{ABOUT}\n\n{shown}\nAn idle listener takes {each:,.0f} bytes.\n", verdicts)


if __name__ == "__main__":
    main(__doc__, run)
