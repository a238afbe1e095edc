"""What growth costs those who are told: beside listeners that are idle, dead or far behind, and with a long journal."""

import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import shuffle

from bench.alone import main
from bench.daemon import Gateway
from bench.figures import Spread, number
from bench.growing import Grown, Situation, measure
from bench.options import Options
from bench.prepared import keeping_aside
from bench.report import Section, Verdict, table
from bench.sink import Sink
from bench.stores import fill, idle

RATE = 200.0
"""Changes a second, where the situations are compared."""
DEAD_RATE = 500.0
"""The same beside dead listeners: a 99th percentile takes many changes."""

MOST_WORSE = 1.5
"""How many times as long the 99th percentile may be beside a hundred dead listeners."""

MOST_ROUNDS = 2
"""The situations differ by much, so two rounds suffice."""

FULL = (
    Situation("alone"),
    Situation("990 idle", idle=990),
    Situation("9,990 idle", idle=9_990),
    Situation("990 dead", refuse=990),
    Situation("9,990 dead", refuse=9_990),
    Situation("100 that never answer", hang=100),
    Situation("1,000,000 changes in the journal", changes=1_000_000),
    Situation("one that is 100,000 behind", changes=100_000, behind=100_000),
)
QUICK = (
    Situation("alone"),
    Situation("90 idle", idle=90),
    Situation("90 dead", refuse=90),
    Situation("10 that never answer", hang=10),
    Situation("one that is 2,000 behind", changes=2_000, behind=2_000),
)
ALONE = Situation("one listener alone", live=1)
REFUSING = Situation("beside 100 that refuse", live=1, refuse=100)
HANGING = Situation("beside 100 that never answer", live=1, hang=100)

ABOUT = f"""Ten live listeners are told of {RATE:.0f} changes a second, beside others or with a long journal; medians
over the rounds, in brackets their range. Idle listeners want a type of change that does not happen. Dead ones want all,
and their port refuses connections; those that never answer take the connection. What is in the store at the start was
written by the store's own code, without the daemon. Latency is from when a change was due to its arrival; processor
time is the daemon's, whatever it did meanwhile. What is measured begins a second
after each live listener has been told what waited for it: the dead have been tried by then, and are tried on."""

ABOUT_DEAD = f"""One live listener is told of {DEAD_RATE:.0f} changes a second, alone and beside a hundred that have
been dead since the daemon was started, a second or two ago: soon they are tried less often. Medians over the rounds, in
brackets their range. The least 99th percentiles are compared: whatever else the machine does only adds to one."""

Results = Mapping[str, Sequence[Grown]]


def run(options: Options) -> list[Section]:
    """Measure all situations, and the one listener beside the dead."""
    rounds, seconds = (1, 0.5) if options.quick else (options.rounds, 2 * options.seconds)
    situations = QUICK if options.quick else FULL
    with keeping_aside() as aside, Sink(aside) as sink:
        registering = registration(sink, 20 if options.quick else 1_000)
        grown = interleaved(sink, situations, RATE, seconds, min(rounds, MOST_ROUNDS))
        dead = interleaved(sink, (ALONE, REFUSING, HANGING), DEAD_RATE, seconds / 2, 2 * rounds)
    return [growth(situations, grown, registering), beside_the_dead(dead)]


def interleaved(sink: Sink, situations: Sequence[Situation], rate: float, seconds: float, rounds: int) -> Results:
    """Measure each situation once a round, in another order each time."""
    results: dict[str, list[Grown]] = {situation.name: [] for situation in situations}
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0), backlog=4096) as hanging:
        stores = {}
        for position, situation in enumerate(situations):
            stores[situation] = Path(folder) / str(position)
            fill(stores[situation], situation.changes, situation.registered(sink, hanging.getsockname()[1]))
        for _ in range(rounds):
            order = list(situations)
            shuffle(order)
            for situation in order:
                results[situation.name].append(measure(situation, sink, stores[situation], rate, seconds))
    return results


def registration(sink: Sink, count: int) -> float:
    """Register so many listeners through the API, one after the other; return the seconds that each took."""
    gateway = Gateway()
    try:
        gateway.start()
        client = gateway.client()
        began = time.monotonic()
        for listener in idle(sink, count):
            reply = client.register(listener.url, events=list(listener.events))
            if reply.status != 200:
                raise RuntimeError(f"not registered: {reply}")
        took = time.monotonic() - began
        client.close()
    finally:
        gateway.close()
    return took / count


def growth(situations: Sequence[Situation], grown: Results, registering: float) -> Section:
    """Return the table of all situations."""
    header = (
        *("", "p50, ms", "p99, ms", "CPU a change, us", "CPU a delivery, us", "RSS, MiB"),
        *("until it serves, s", "until the first delivery, s"),
    )
    rows = [(situation.name, *_figures(grown[situation.name])) for situation in situations]
    told = [f"A registration through the API, with its ``HEAD``, takes {1_000 * registering:.1f} ms."]
    for situation in situations:
        if situation.behind:
            rate = statistics.median(one.behind for one in grown[situation.name])
            took = situation.behind / rate if rate else 0.0
            told.append(
                f"The one that is {situation.behind:,} changes behind catches up by {rate:,.0f} changes a second: it "
                f"takes {took:.1f} s beside the live ones."
            )
    kept = all(one.kept for ones in grown.values() for one in ones)
    verdict = Verdict(
        "live listeners get all, once and in order, beside any others", "all" if kept else "not all", kept
    )
    return Section("Growth", f"{ABOUT}\n\n{table(header, rows)}\n{' '.join(told)}\n", (verdict,))


def beside_the_dead(dead: Results) -> Section:
    """Return how one live listener fares beside a hundred dead ones."""
    rows, verdicts = [], []
    for situation in (ALONE, REFUSING, HANGING):
        ones = dead[situation.name]
        ratio = _worse(dead[ALONE.name], ones)
        p50, p99 = _shown(ones, lambda one: one.p50, 1e3), _shown(ones, lambda one: one.p99, 1e3)
        rows.append((situation.name, p50, p99, f"{statistics.median(one.failed for one in ones):.0f}"))
        if situation is not ALONE:
            asked = f"the live one's p99 {situation.name}: at most half as long again"
            verdicts.append(Verdict(asked, f"{number(ratio)} times", ratio <= MOST_WORSE))
    shown = table(("", "p50, ms", "p99, ms", "attempts that failed meanwhile"), rows)
    return Section("One live listener among the dead", f"{ABOUT_DEAD}\n\n{shown}", tuple(verdicts))


def _worse(alone: Sequence[Grown], beside: Sequence[Grown]) -> float:
    """Return how many times as long the 99th percentile is: of the least over the rounds."""
    return min(one.p99 for one in beside) / min(one.p99 for one in alone)


def _figures(ones: Sequence[Grown]) -> tuple[str, ...]:
    return (
        _shown(ones, lambda one: one.p50, 1e3),
        _shown(ones, lambda one: one.p99, 1e3),
        _shown(ones, lambda one: one.per_change, 1e6),
        _shown(ones, lambda one: one.per_delivery, 1e6),
        number(statistics.median(one.memory for one in ones) / 2**20),
        number(statistics.median(one.serving for one in ones)),
        number(statistics.median(one.telling for one in ones)),
    )


def _shown(ones: Sequence[Grown], figure: Callable[[Grown], float], scale: float) -> str:
    return Spread.of([figure(one) for one in ones]).shown(scale)


if __name__ == "__main__":
    main(__doc__, run)
