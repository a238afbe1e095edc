"""The way in: orders posted through the HTTP API, each on the disk before it is answered, beside bare Klein."""

import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import shuffle
from typing import NamedTuple

from bench import processes
from bench.alone import main
from bench.daemon import Gateway
from bench.figures import Spread, number
from bench.options import Options
from bench.report import Section, Verdict, table

CONNECTIONS = (1, 16)
OURS, KLEIN = "ttgateway, durable", "bare Klein, no work"
MOST_TIMES = 1.5
"""How many times the processor time of bare Klein ours may take under load."""

SCRIPT = Path(__file__).with_name("orders.lua")

ABOUT = """Orders posted by wrk on kept connections, one request under way on each. Every request moves one of a
thousand orders to another table, so each is a change, which is committed before it is answered. No listener is
registered. Bare Klein answers the same requests with as many bytes, and does nothing. The requests show a token, and
who shows one is not slowed: no setting was changed. Latency is as wrk sees it, which asks again only when answered."""


class Answered(NamedTuple):
    """What wrk saw: requests that were answered, of these how many with an error, latencies and duration in seconds."""

    requests: int
    errors: int
    p50: float
    p99: float
    seconds: float


@dataclass(frozen=True)
class Posted:
    """One measurement: what wrk saw, the server's processor time in seconds, its commits and the changes in them."""

    answered: Answered
    cpu: float
    commits: float = 0.0
    changes: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.answered.requests / self.answered.seconds

    @property
    def each(self) -> float:
        """Processor time of a request, in seconds."""
        return self.cpu / self.answered.requests


class Server(NamedTuple):
    """Who is posted to: its process and port, a secret that it wants, and what it counts itself."""

    pid: int
    port: int
    secret: str
    figures: Callable[[], Mapping[str, float]]


def parsed(output: str) -> Answered:
    """Read what ``orders.lua`` has wrk say at the end."""
    words = next(line.split() for line in output.splitlines() if line.startswith("answered "))
    requests, errors, p50, p99, duration = map(float, words[1:])
    return Answered(int(requests), int(errors), p50 / 1e6, p99 / 1e6, duration / 1e6)


Results = Mapping[tuple[str, int], Sequence[Posted]]


def run(options: Options) -> list[Section]:
    """Post to both, on one connection and on several, in interleaved rounds."""
    if shutil.which("wrk") is None:
        return [Section("The way in", "Not measured: wrk is missing.\n")]
    rounds, seconds = (1, 1) if options.quick else (options.rounds, max(1, round(options.seconds)))
    results: dict[tuple[str, int], list[Posted]] = {
        (name, count): [] for name in (OURS, KLEIN) for count in CONNECTIONS
    }
    with _ours() as ours, _klein() as klein:
        servers = {OURS: ours, KLEIN: klein}
        for server in servers.values():
            post(server, CONNECTIONS[-1], 1, 0)  # warm
        for turn in range(rounds):
            order = list(results)
            shuffle(order)
            for name, count in order:
                results[name, count].append(
                    post(servers[name], count, seconds, 1 + 2 * turn + CONNECTIONS.index(count))
                )
    return [section(results)]


def post(server: Server, connections: int, seconds: int, turn: int) -> Posted:
    """Let wrk post for so long; another ``turn`` moves the orders to other tables."""
    url = f"http://127.0.0.1:{server.port}/api/v2/activeorders"
    pinned = ["taskset", "-c", str(processes.cores()[1])]
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT), url, "--", server.secret, str(turn)]
    before, used = server.figures(), processes.cpu([server.pid])
    ended = subprocess.run([*pinned, *words], check=True, capture_output=True, text=True, timeout=seconds + 30)  # noqa: S603
    cpu, after = processes.cpu([server.pid]).since(used), server.figures()
    counted = {name: after[name] - before[name] for name in (COMMITS, LAST) if name in after}
    return Posted(parsed(ended.stdout), cpu.total, counted.get(COMMITS, 0.0), counted.get(LAST, 0.0))


COMMITS, LAST = "ttgateway_commits_total", "ttgateway_last_seq"


def section(results: Results) -> Section:
    """Return the table, and whether ours costs little enough under load."""
    rows = []
    for (name, count), ones in results.items():
        commits = statistics.median(one.changes / one.commits if one.commits else 0.0 for one in ones)
        rows.append(
            (
                name,
                count,
                _shown(ones, lambda one: one.rate, 1),
                _shown(ones, lambda one: one.each, 1e6),
                _shown(ones, lambda one: one.answered.p50, 1e3),
                _shown(ones, lambda one: one.answered.p99, 1e3),
                number(commits) if commits else "",
            )
        )
    header = ("", "connections", "requests/s", "CPU a request, us", "p50, ms", "p99, ms", "changes a commit")
    ratio = statistics.median(
        ours.each / bare.each
        for ours, bare in zip(results[OURS, CONNECTIONS[-1]], results[KLEIN, CONNECTIONS[-1]], strict=True)
    )
    asked = f"an order through the API, durable, takes at most {MOST_TIMES} x bare Klein's CPU, on 16 connections"
    told = f"On {CONNECTIONS[-1]} connections ours takes {number(ratio)} times the processor time of bare Klein."
    failed = sum(one.answered.errors for count in CONNECTIONS for one in results[OURS, count])
    verdicts = (
        Verdict(asked, f"{number(ratio)} x", ratio <= MOST_TIMES),
        Verdict("no order that is posted fails", f"{failed:,} failed", not failed),
    )
    return Section("The way in", f"{ABOUT}\n\n{table(header, rows)}\n{told}\n", verdicts)


def _shown(ones: Sequence[Posted], figure: Callable[[Posted], float], scale: float) -> str:
    return Spread.of([figure(one) for one in ones]).shown(scale)


@contextmanager
def _ours() -> Iterator[Server]:
    gateway = Gateway()
    try:
        gateway.start()
        yield Server(gateway.process.pid, gateway.port, gateway.secret, gateway.scrape)
    finally:
        gateway.close()


@contextmanager
def _klein() -> Iterator[Server]:
    words = ["taskset", "-c", str(processes.cores()[0]), sys.executable, "-m", "bench.peers.with_klein"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
    with process:
        assert process.stdout is not None
        yield Server(process.pid, int(process.stdout.readline()), "none", dict)


if __name__ == "__main__":
    main(__doc__, run)
