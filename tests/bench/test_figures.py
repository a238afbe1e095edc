"""Percentiles and spread."""

import pytest

from bench.figures import Spread, number, percentile


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [
        ([5.0], 50, 5.0),
        ([5.0], 99, 5.0),
        ([1.0, 2.0], 50, 1.0),
        ([1.0, 2.0, 3.0], 50, 2.0),
        ([float(value) for value in range(1, 101)], 99, 99.0),
        ([float(value) for value in range(1, 1001)], 99.9, 999.0),
        ([float(value) for value in range(1, 101)], 100, 100.0),
        ([1.0, 2.0], 0, 1.0),
    ],
)
def test_percentiles_are_values_that_there_were(values: list[float], percent: float, found: float) -> None:
    assert percentile(values, percent) == found


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_spread() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    assert Spread.of([0.0015, 0.001, 0.002]).shown(1e3) == "1.50 (1.00-2.00)"
    assert Spread.of([4.0]).shown() == "4.00"


@pytest.mark.parametrize(
    ("value", "shown"), [(0.123, "0.12"), (9.99, "9.99"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346")]
)
def test_numbers_have_three_digits(value: float, shown: str) -> None:
    assert number(value) == shown
