"""One measurement: one contender with so many listeners, driven as fast as it can, and then half as fast."""

import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from bench import bodies, processes
from bench.contenders import STARTS_WITHIN, Contender
from bench.figures import percentile
from bench.kept import Kept
from bench.load import Load, Phase
from bench.processes import Cpu
from bench.sink import Sink

WARM = 0.4
"""So many seconds it is driven before anything is counted."""

WARM_UNDER_WAY = 5

ALONE_RATE = 50.0
"""Changes a second where each has the contender to itself; one that cannot do twice as many is not asked."""


@dataclass(frozen=True)
class Store:
    """What our daemon has counted of its commits in one phase."""

    commits: float
    writes: float
    changes: float


@dataclass(frozen=True)
class Measured:
    """What one measurement gave: times in seconds, memory and sizes in bytes.

    ``cpu`` and ``rate`` (deliveries a second) are of the phase as fast as it can, ``half_*`` of the one at half that
    rate, ``alone_*`` of `ALONE_RATE`; what could not be measured is missing. ``kept`` is of them all.
    """

    deliveries: int
    rate: float
    cpu: Cpu
    kept: Kept | None = None
    half_cpu: float | None = None
    half_p50: float | None = None
    half_p99: float | None = None
    alone_p50: float | None = None
    memory: int | None = None
    size: int | None = None
    busy_store: Store | None = None
    half_store: Store | None = None

    @property
    def each(self) -> float:
        """Processor time of a delivery, as fast as it can."""
        return self.cpu.total / self.deliveries


def outstanding(listeners: int) -> int:
    """Return how many changes are under way at most in the closed loop."""
    return max(20, 2_000 // listeners)


def measure(make: Callable[[], Contender], sink: Sink, listeners: int, seconds: float) -> Measured:
    """Start a contender, drive it for ``seconds`` in each of three phases, and end it."""
    with make() as contender:
        load = Load(contender, sink, listeners)
        first = load.phase(lambda: load.feed(1), STARTS_WITHIN)
        warm = load.phase(lambda: load.keep_under_way(WARM_UNDER_WAY, WARM))
        busy = load.phase(lambda: load.keep_under_way(outstanding(listeners), seconds))
        if not busy.arrivals:
            raise RuntimeError("nothing was delivered")
        rate = max(1.0, busy.rate / listeners / 2)
        half = load.phase(lambda: load.at_rate(rate, seconds))
        memory = processes.resident(contender.pids())
        alone = load.phase(lambda: load.at_rate(ALONE_RATE, seconds)) if rate > ALONE_RATE else None
    latencies = half.latencies(rate)
    return Measured(
        deliveries=len(busy.arrivals),
        rate=busy.rate,
        cpu=busy.cpu,
        kept=sum((phase.kept() for phase in (first, warm, busy, half, alone) if phase), Kept()),
        half_cpu=half.cpu.total / len(half.arrivals),
        half_p50=percentile(latencies, 50),
        half_p99=percentile(latencies, 99),
        alone_p50=percentile(alone.latencies(ALONE_RATE), 50) if alone else None,
        memory=memory,
        size=int(statistics.median(arrival.size for arrival in busy.arrivals)),
        busy_store=_store(busy),
        half_store=_store(half),
    )


def measure_wrk(sink: Sink, listeners: int, seconds: float) -> Measured:
    """Let wrk post on so many connections: what it costs a C program to tell the sink anything, as fast as it can."""
    sink.reset()
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        body = bodies.lines(0, 1).decode().rstrip("\n")
        script.write(f"wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = [[{body}]]\n")
        script.flush()
        pinned = ["taskset", "-c", str(processes.cores()[0])]
        duration = max(1, round(seconds))
        words = [*pinned, "wrk", "-t1", f"-c{listeners}", f"-d{duration}s", "-s", script.name, sink.url(0)]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise RuntimeError(f"wrk ended with {status}")
    cpu = Cpu(used.ru_utime, used.ru_stime)
    return Measured(sink.count(), sink.count() / duration, cpu, size=len(body))


def _store(phase: Phase) -> Store | None:
    figures = phase.figures
    if not figures:
        return None
    commits, writes = figures["ttgateway_commits_total"], figures["ttgateway_commit_writes_sum"]
    return Store(commits, writes, figures["ttgateway_last_seq"])
