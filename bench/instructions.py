"""How many instructions of user space 10,000 deliveries take, by callgrind: what a later change is compared with."""

import re
import shutil
import subprocess
import time
from pathlib import Path

from bench import alone, daemon
from bench.options import Options
from bench.report import Section
from bench.sink import Sink
from tests.system.daemon import eventually

LISTENERS = 10
CHANGES = 1_000
WARM = 200
LOT = 20
SERVES_WITHIN = 120.0
SETTLES_IN = 2.0
"""What is delivered is written soon after; callgrind makes that slow, too."""

ABOUT = """
``python -m bench.instructions`` counts these alone. The daemon runs under callgrind, with all its threads, but without
the kernel, from when it is told of the first change until the last is delivered and how far the listeners have come is
written. Changes come in lots of {lot}, each when the one before has arrived: so the commits are alike from run to run,
and time, of which callgrind takes fifty times as much, has little part in it.
"""

_TOTAL = re.compile(r"^summary: (\d+)", re.MULTILINE)


def count(changes: int) -> int:
    """Run the daemon under callgrind; return the instructions of telling `LISTENERS` listeners of so many changes."""
    counting = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=counted"]
    gateway = daemon.Gateway(before=["env", "PYTHONHASHSEED=0", *counting])
    with Sink() as sink:
        try:
            gateway.begin()
            eventually(gateway.serves, SERVES_WITHIN, every=0.2)
            client = gateway.client()
            for number in range(LISTENERS):
                client.register(sink.url(number))
            client.close()
            _tell(gateway, sink, changes)
            _control("--dump", gateway)
            return sum(map(_total, gateway.folder.glob("counted.*")))
        finally:
            gateway.close()


def _tell(gateway: daemon.Gateway, sink: Sink, changes: int) -> None:
    with gateway.bridge() as bridge:
        for fed in range(0, WARM + changes, LOT):
            if fed == WARM:
                time.sleep(SETTLES_IN)
                _control("--instr=on", gateway)
            bridge.sendall(daemon.moves(fed, LOT))
            wanted = (fed + LOT) * LISTENERS
            eventually(lambda wanted=wanted: sink.count() >= wanted, 60.0, every=0.001)  # type: ignore[misc]
        time.sleep(SETTLES_IN)


def _control(what: str, gateway: daemon.Gateway) -> None:
    words = ["callgrind_control", what, str(gateway.process.pid)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603


def _total(dump: Path) -> int:
    found = _TOTAL.search(dump.read_text())
    return int(found[1]) if found else 0


def run(options: Options) -> list[Section]:
    """Count, twice where there is time, and return the section; it needs Valgrind."""
    title = "How many instructions"
    if shutil.which("callgrind_control") is None:
        return [Section(title, "Not counted, as Valgrind is missing.")]
    runs, changes = (1, LOT) if options.quick else (2, CHANGES)
    deliveries = changes * LISTENERS
    counts = sorted(count(changes) for _ in range(runs))
    told = f"{deliveries:,} deliveries to {LISTENERS} listeners took {counts[0]:,} instructions"
    told += f", {counts[0] / deliveries:,.0f} each"
    if runs > 1:
        told += f"; another run {100 * (counts[-1] / counts[0] - 1):.2f} % more"
    return [Section(title, f"**{told}.**\n{ABOUT.format(lot=LOT)}")]


if __name__ == "__main__":
    alone.main(__doc__, run)
