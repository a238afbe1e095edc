"""The sections of the page, from what was measured."""

import pytest

from bench import deliveries
from bench.field import AIOHTTP, FLOOR, OURS, TREQ, WRK
from bench.kept import Kept
from bench.measuring import Measured, Store
from bench.options import Options
from bench.processes import Cpu
from bench.rounds import Rounds
from tests.bench import rst

COUNTS = (1, 10)
ALL = Kept(100)


def one(cost: float, p50: float = 0.001, kept: Kept = ALL) -> Measured:
    """``cost`` in microseconds, ``p50`` in seconds."""
    store = Store(10, 120, 100)
    return Measured(
        deliveries=1_000_000,
        rate=1e6 / cost,
        cpu=Cpu(cost / 2, cost / 2),
        kept=kept,
        half_p50=p50,
        half_p99=2 * p50,
        alone_p50=p50,
        memory=2**25,
        size=290,
        busy_store=store,
        half_store=store,
    )


def measured(**costs: float) -> Rounds:
    """Two rounds, of which the second is half as fast for everybody."""
    rounds = Rounds(syncs=[0.001, 0.001])
    for name, cost in costs.items():
        for count in COUNTS:
            rounds.measured[name, count] = [one(cost), one(2 * cost)]
    return rounds


def verdicts(rounds: Rounds) -> dict[str, bool]:
    sections = deliveries.sections(Options(listeners=COUNTS), rounds)
    return {verdict.asked: verdict.holds for section in sections for verdict in section.verdicts}


@pytest.mark.parametrize(("ours", "holds"), [(20.0, (True, True, True)), (21.0, (False, False, False))])
def test_ratios_are_judged(ours: float, holds: tuple[bool, bool, bool]) -> None:
    found = verdicts(measured(**{OURS: ours, FLOOR: 10.0, AIOHTTP: 100.0, TREQ: 200.0}))
    costs = [held for asked, held in found.items() if "CPU" in asked]
    assert tuple(costs) == holds
    assert not any("CPU" in asked and asked.startswith("1 listener,") for asked in found)


def test_latency_is_judged_by_the_sync_of_the_disk() -> None:
    rounds = measured(**{OURS: 20.0})
    assert all(verdicts(rounds).values())
    rounds.measured[OURS, 10] = [one(20.0, p50=0.0031)]
    assert [asked for asked, held in verdicts(rounds).items() if not held] == [
        "10 listeners, at half load: p50 within a sync and 2 ms",
        "10 listeners, at 50 changes a second: p50 within a sync and 2 ms",
    ]


def test_what_was_not_kept_is_told() -> None:
    rounds = measured(**{OURS: 20.0})
    rounds.measured[OURS, 1].append(one(20.0, kept=Kept(100, missing=1)))
    assert verdicts(rounds)["each listener got each change, once and in order"] is False
    assert rounds.kept(OURS) == Kept(500, missing=1)


def test_ratios_are_those_of_the_same_round() -> None:
    rounds = Rounds()
    rounds.measured[OURS, 10] = [one(10.0), one(40.0), one(30.0)]
    rounds.measured[FLOOR, 10] = [one(10.0), one(20.0), one(10.0)]
    assert rounds.ratio(OURS, FLOOR, 10) == 2.0
    assert rounds.ratio(OURS, TREQ, 10) is None


def test_the_sections_are_rst_and_name_everybody() -> None:
    rounds = measured(**{OURS: 20.0, FLOOR: 10.0})
    rounds.measured[WRK, 10] = [Measured(1_000_000, 250_000.0, Cpu(1.0, 3.0), size=290)]
    rounds.absent[TREQ] = "was not measured, as treq is missing"
    sections = deliveries.sections(Options(listeners=COUNTS), rounds)
    text = "\n\n".join(f"{section.title}\n{'=' * len(section.title)}\n\n{section.rst}" for section in sections)
    shown = rst.shown(text)
    assert all(
        words in shown for words in (OURS, FLOOR, WRK, "treq is missing", "0 / 0 / 0 of 200", "30.0 (20.0-40.0)")
    )
    assert "1 listener" in deliveries.drawn(Options(listeners=COUNTS), rounds)
