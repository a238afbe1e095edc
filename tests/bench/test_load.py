"""What a phase tells of the changes in it."""

import pytest

from bench.load import Phase
from bench.processes import Cpu
from bench.sink import Arrival


def phase(*arrivals: Arrival, changes: int = 2) -> Phase:
    return Phase(7, changes, 1, 1_000_000_000, arrivals, Cpu(0.0, 0.0), {})


def test_latency_is_counted_from_when_a_change_was_due() -> None:
    late = phase(Arrival(0, 290, 7, 1_500_000_000), Arrival(0, 290, 8, 1_510_000_000))
    assert late.latencies(100.0) == pytest.approx([0.5, 0.5])
    assert late.latencies(10.0) == pytest.approx([0.41, 0.5])


def test_the_rate_is_that_until_the_last_arrival() -> None:
    assert phase(Arrival(0, 290, 7, 1_100_000_000), Arrival(0, 290, 8, 1_200_000_000)).rate == pytest.approx(10.0)


def test_nothing_arrived() -> None:
    nothing = phase()
    assert (nothing.rate, nothing.seconds, nothing.latencies(1.0)) == (0.0, 0.0, [])
    assert nothing.kept().missing == 2
