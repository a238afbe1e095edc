"""What is told of growth, and when it is good enough."""

import pytest

from bench.growing import Grown, Situation
from bench.growth import ALONE, HANGING, REFUSING, beside_the_dead, growth
from bench.kept import Kept
from tests.bench import rst

WHOLE = Kept(10)


def _grown(p99: float = 0.002, kept: Kept = WHOLE, failed: int = 0, behind: float = 0.0) -> Grown:
    return Grown(
        serving=0.5,
        telling=0.6,
        p50=0.001,
        p99=p99,
        per_change=250e-6,
        per_delivery=25e-6,
        memory=64 * 2**20,
        kept=kept,
        failed=failed,
        behind=behind,
    )


def test_each_situation_has_a_row() -> None:
    situations = (Situation("alone"), Situation("far behind", behind=1_000))
    made = growth(situations, {"alone": [_grown(), _grown(0.004)], "far behind": [_grown(behind=500.0)]}, 0.0021)
    assert rst.rows(made.rst)[1:] == [
        ["alone", "1.00", "3.00 (2.00-4.00)", "250", "25.0", "64.0", "0.50", "0.60"],
        ["far behind", "1.00", "2.00", "250", "25.0", "64.0", "0.50", "0.60"],
    ]
    words = " ".join(rst.shown(made.rst).split())
    assert "takes 2.1 ms" in words
    assert "1,000 changes behind catches up by 500 changes a second: it takes 2.0 s" in words


@pytest.mark.parametrize("kept", [Kept(10), Kept(10, missing=1), Kept(10, repeated=1), Kept(10, misordered=1)])
def test_what_is_lost_shows(kept: Kept) -> None:
    made = growth((Situation("alone"),), {"alone": [_grown(), _grown(kept=kept)]}, 0.002)
    assert [verdict.holds for verdict in made.verdicts] == [bool(kept)]


def test_the_dead_may_make_it_half_as_long_again() -> None:
    dead = {
        ALONE.name: [_grown(0.002), _grown(0.004), _grown(0.007)],
        REFUSING.name: [_grown(0.003, failed=200), _grown(0.009, failed=100), _grown(0.003, failed=200)],
        HANGING.name: [_grown(0.0031)] * 3,
    }
    made = beside_the_dead(dead)
    assert [(verdict.figure, verdict.holds) for verdict in made.verdicts] == [
        ("1.50 times", True),
        ("1.55 times", False),
    ]
    assert rst.rows(made.rst)[2] == [REFUSING.name, "1.00", "3.00 (3.00-9.00)", "200"]
