"""What a delivery costs, beside a floor and what one would write: the sections of the page, from what was measured."""

from collections.abc import Callable

from bench import plot
from bench.field import AIOHTTP, DIRECT, FIELD, FLOOR, OURS, TREQ
from bench.figures import Spread, number
from bench.measuring import ALONE_RATE, Measured, Store
from bench.options import Options
from bench.report import Section, Verdict, table
from bench.rounds import Rounds

FLOORS, AIOHTTPS, TREQS = 2.0, 5.0, 10.0
"""At most so many times the floor's, at least so many times less than theirs."""

BESIDE_A_SYNC = 0.002
"""So many seconds more than a sync of the disk may a change take to a listener, at the median."""

PLOT = "performance.svg"


def sections(options: Options, rounds: Rounds) -> list[Section]:
    """Return the sections, with their verdicts."""
    counts = [count for count in options.listeners if (OURS, count) in rounds.measured]
    found = [_overview(options, rounds, tuple(_verdicts(rounds, counts)))]
    found += [_beside(rounds, count) for count in options.listeners]
    if counts:
        found.append(_commits(rounds, counts))
    return found


def drawn(options: Options, rounds: Rounds) -> str:
    """Return the plot."""
    groups = {}
    for name in rounds.names():
        spreads = [rounds.spread(name, count, lambda one: 1e6 * one.each) for count in options.listeners]
        groups[name] = [spread.median if spread else None for spread in spreads]
    series = [f"{count} listener{'s' * (count > 1)}" for count in options.listeners]
    return plot.bars("processor time of a delivery, in microseconds", groups, series)


def _overview(options: Options, rounds: Rounds, verdicts: tuple[Verdict, ...]) -> Section:
    everybody = [(f"``{name}``", FIELD[name].about) for name in rounds.names()]
    told = [
        f"{options.rounds} rounds, windows of {number(options.seconds)} s: the median, and in brackets the least and",
        f"the greatest. A body had {_sizes(rounds)} bytes. A sync of 300 bytes more to the disk took",
        f"{Spread.of(rounds.syncs).shown(1e3)} ms.",
    ]
    absent = [f"* ``{name}`` {why}" for name, why in rounds.absent.items()]
    image = f".. image:: {PLOT}\n   :alt: processor time of a delivery, for each contender\n"
    rst = "\n".join([*told, "", table(("name", "what it is"), everybody), *absent, "", image])
    return Section("What a delivery costs", rst, verdicts)


def _sizes(rounds: Rounds) -> str:
    sizes = sorted({one.size for ones in rounds.measured.values() for one in ones if one.size is not None})
    return f"{sizes[0]}" if sizes[0] == sizes[-1] else f"{sizes[0]} to {sizes[-1]}"


def _beside(rounds: Rounds, listeners: int) -> Section:
    header = ("", "CPU, us", "user + system", "times the floor's", "a second", "p50, ms", "p99, ms", "alone, ms", "MiB")
    rows = [_row(rounds, name, listeners) for name in FIELD if (name, listeners) in rounds.measured]
    return Section(f"With {listeners} listener{'s' * (listeners > 1)}", table((*header, "lost / twice / late"), rows))


def _row(rounds: Rounds, name: str, listeners: int) -> tuple[str, ...]:
    def shown(figure: Callable[[Measured], float | None], scale: float = 1.0) -> str:
        spread = rounds.spread(name, listeners, figure)
        return spread.shown(scale) if spread else "-"

    def median(figure: Callable[[Measured], float]) -> str:
        spread = rounds.spread(name, listeners, figure)
        return number(spread.median) if spread else "-"

    ratio = rounds.ratio(name, FLOOR, listeners)
    user = median(lambda one: 1e6 * one.cpu.user / one.deliveries)
    system = median(lambda one: 1e6 * one.cpu.system / one.deliveries)
    return (
        f"``{name}``",
        shown(lambda one: 1e6 * one.each),
        f"{user} + {system}",
        number(ratio) if ratio else "-",
        median(lambda one: one.rate),
        shown(lambda one: one.half_p50, 1e3),
        shown(lambda one: one.half_p99, 1e3),
        shown(lambda one: one.alone_p50, 1e3),
        shown(lambda one: one.memory, 2**-20),
        _not_kept(rounds.measured[name, listeners]),
    )


def _not_kept(ones: list[Measured]) -> str:
    judged = [one.kept for one in ones if one.kept is not None]
    if not judged:
        return "-"
    sums = (sum(kept.missing for kept in judged), sum(kept.repeated for kept in judged))
    return f"{sums[0]:,} / {sums[1]:,} / {sum(kept.misordered for kept in judged):,} of {_all(ones):,}"


def _all(ones: list[Measured]) -> int:
    return sum(one.kept.deliveries for one in ones if one.kept is not None)


def _commits(rounds: Rounds, counts: list[int]) -> Section:
    phases: dict[str, Callable[[Measured], Store | None]] = {
        "as fast as it can": lambda one: one.busy_store,
        "half as fast": lambda one: one.half_store,
    }
    rows = []
    for listeners in counts:
        for title, phase in phases.items():
            stores = [store for one in rounds.measured[OURS, listeners] if (store := phase(one)) is not None]
            changes = Spread.of([store.changes / max(1, store.commits) for store in stores])
            writes = Spread.of([store.writes / max(1, store.commits) for store in stores])
            commits = number(Spread.of([store.commits for store in stores]).median)
            rows.append((listeners, title, commits, changes.shown(), writes.shown()))
    header = ("listeners", "driven", "commits", "changes in a commit", "writes in a commit")
    return Section("How changes share commits", table(header, rows))


def _verdicts(rounds: Rounds, counts: list[int]) -> list[Verdict]:
    found = []
    for count in counts:
        if count >= 10:
            found += _of_costs(rounds, count)
        found += _of_latency(rounds, count)
    kept = rounds.kept(OURS)
    if kept is not None:
        figure = f"{kept.missing} missing, {kept.repeated} twice, {kept.misordered} late, of {kept.deliveries:,}"
        found.append(Verdict("each listener got each change, once and in order", figure, bool(kept)))
    return found


def _of_costs(rounds: Rounds, count: int) -> list[Verdict]:
    found = []
    floor, direct = rounds.ratio(OURS, FLOOR, count), rounds.ratio(OURS, DIRECT, count)
    if floor:
        beside = f"{floor:.2f} times" + (f" ({direct:.2f} times ``{DIRECT}``)" if direct else "")
        asked = f"{count} listeners: CPU at most {FLOORS:g} times the floor's"
        found.append(Verdict(asked, beside, floor <= FLOORS))
    for name, least in ((AIOHTTP, AIOHTTPS), (TREQ, TREQS)):
        if ratio := rounds.ratio(name, OURS, count):
            asked = f"{count} listeners: CPU at least {least:g} times less than {name}'s"
            found.append(Verdict(asked, f"{ratio:.1f} times less", ratio >= least))
    return found


def _of_latency(rounds: Rounds, count: int) -> list[Verdict]:
    most = Spread.of(rounds.syncs).median + BESIDE_A_SYNC
    figures: dict[str, Callable[[Measured], float | None]] = {
        "at half load": lambda one: one.half_p50,
        f"at {ALONE_RATE:g} changes a second": lambda one: one.alone_p50,
    }
    found = []
    for when, figure in figures.items():
        if spread := rounds.spread(OURS, count, figure):
            asked = f"{count} listener{'s' * (count > 1)}, {when}: p50 within a sync and 2 ms"
            shown = f"{1e3 * spread.median:.2f} ms of {1e3 * most:.2f} ms"
            found.append(Verdict(asked, shown, spread.median <= most))
    return found
