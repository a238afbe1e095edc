"""One measurement of `bench.growth`: live listeners, told of changes at a fixed rate, and who is beside them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import processes
from bench.contenders import STARTS_WITHIN
from bench.figures import percentile
from bench.kept import Kept, judged
from bench.load import Load
from bench.prepared import Prepared
from bench.sink import Arrival, Sink
from bench.stores import Registered, idle, live
from tests.system.daemon import eventually, free_port

SETTINGS = "[journal]\nkeep_changes = 10000000\n"
"""The journal keeps what it is given: by itself it would keep 100,000 changes that everybody has got."""

SETTLING = 1.0
"""Seconds until anything is measured: those who are dead have been tried a few times by then, and are tried on."""

_ATTEMPTS, _TOLD = "ttgateway_attempts_total ", " delivered"


@dataclass(frozen=True)
class Situation:
    """``live`` listeners beside others: so many that are idle, ``refuse`` connections, or ``hang``: never answer.

    ``changes`` are in the journal at the start; ``behind``, if it is not 0, is by how many one more listener is behind.
    """

    name: str
    live: int = 10
    idle: int = 0
    refuse: int = 0
    hang: int = 0
    changes: int = 100
    behind: int = 0

    def registered(self, sink: Sink, hanging: int) -> list[Registered]:
        """Return them all; ``hanging`` is a port at which connections are taken and nothing is answered."""
        refusing = free_port()
        return [
            *live(sink, self.live),
            *([Registered(sink.url(self.live), self.behind)] if self.behind else []),
            *idle(sink, self.idle),
            *(Registered(f"http://127.0.0.1:{refusing}/{number}", behind=1) for number in range(self.refuse)),
            *(Registered(f"http://127.0.0.1:{hanging}/{number}", behind=1) for number in range(self.hang)),
        ]


@dataclass(frozen=True)
class Grown:
    """What the live listeners and the daemon had of it; times in seconds, memory in bytes.

    ``per_change`` and ``per_delivery`` are processor time; ``failed`` is how many attempts have failed meanwhile,
    ``behind`` how many changes a second the one that is behind was told, 0 without one.
    """

    serving: float
    telling: float
    p50: float
    p99: float
    per_change: float
    per_delivery: float
    memory: int
    kept: Kept
    failed: int
    behind: float = 0.0


def measure(situation: Situation, sink: Sink, template: Path, rate: float, seconds: float) -> Grown:
    """Start the daemon on a copy of the store, and feed it at a rate for so long."""
    with Prepared(sink, template, situation.changes, SETTINGS) as prepared:
        eventually(lambda: _told(sink, situation.live), STARTS_WITHIN)  # what waited for them from the start
        time.sleep(SETTLING)
        before = sink.arrivals()
        load = Load(prepared, sink, situation.live)
        phase = load.phase(lambda: load.at_rate(rate, seconds))
        memory = processes.resident(prepared.pids())
    told = [arrival for arrival in phase.arrivals if arrival.listener < situation.live]
    late = [
        arrival
        for arrival in (*before, *phase.arrivals)
        if arrival.listener == situation.live and arrival.seq <= situation.changes
    ]
    latencies = replace(phase, arrivals=told).latencies(rate)
    return Grown(
        serving=prepared.serving,
        telling=prepared.telling,
        p50=percentile(latencies, 50),
        p99=percentile(latencies, 99),
        per_change=phase.cpu.total / phase.changes,
        per_delivery=phase.cpu.total / len(phase.arrivals),
        memory=memory,
        kept=judged(told, phase.first, phase.changes, situation.live),
        failed=failed(phase.figures),
        behind=catching_up(late),
    )


def _told(sink: Sink, live: int) -> bool:
    """Return whether each live listener has been told something."""
    return len({arrival.listener for arrival in sink.arrivals() if arrival.listener < live}) == live


def failed(figures: Mapping[str, float]) -> int:
    """Return how many attempts were made in vain, by the metrics."""
    return int(sum(value for name, value in figures.items() if name.startswith(_ATTEMPTS) and not name.endswith(_TOLD)))


def catching_up(arrivals: Sequence[Arrival]) -> float:
    """Return how many of them came in a second, between the first and the last."""
    if len(arrivals) < 2:
        return 0.0
    return (len(arrivals) - 1) / (arrivals[-1].at - arrivals[0].at) * 1e9
