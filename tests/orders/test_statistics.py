from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttgateway.orders.statistics import Served, Statistics, start_of_day, statistics_of

HOUR = 3600.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def day(wall: str, zone: str) -> tuple[str, float]:
    """Return when the day of ``wall`` begins in ``zone``, and how many hours it has."""
    moment, place = at(wall), ZoneInfo(zone)
    start, end = start_of_day(moment, place), start_of_day(moment, place, days=1)
    return datetime.fromtimestamp(start, UTC).isoformat(), (end - start) / HOUR


def test_the_documented_sample_gives_the_documented_figures() -> None:
    assert statistics_of(Served(2, 3611.0 + 8.0, 1), 109) == Statistics(1809.5, 2.0, 109.0, 50.0)


def test_an_empty_day_is_all_zeros_and_every_figure_is_a_float() -> None:
    empty = statistics_of(Served(0, 0.0, 0), 300)
    assert empty == Statistics(0.0, 0.0, 300.0, 0.0)
    figures = (empty.average_seconds, empty.orders_today, empty.target_time, empty.percent_goal)
    assert [type(figure) for figure in figures] == [float] * 4


@pytest.mark.parametrize(
    ("wall", "zone", "start", "hours"),
    [
        ("2016-09-22T19:08:52+00:00", "UTC", "2016-09-22T00:00:00+00:00", 24),
        ("2016-09-22T02:00:00+00:00", "America/New_York", "2016-09-21T04:00:00+00:00", 24),
        ("2016-09-22T22:00:00+00:00", "Europe/Paris", "2016-09-22T22:00:00+00:00", 24),
        ("2016-03-27T12:00:00+00:00", "Europe/Paris", "2016-03-26T23:00:00+00:00", 23),
        ("2016-10-30T12:00:00+00:00", "Europe/Paris", "2016-10-29T22:00:00+00:00", 25),
        # In Brazil the clocks skipped midnight, in Cuba they pass it twice, and Samoa left out a whole day.
        ("2016-10-16T12:00:00+00:00", "America/Sao_Paulo", "2016-10-16T03:00:00+00:00", 23),
        ("2016-11-06T04:30:00+00:00", "America/Havana", "2016-11-06T04:00:00+00:00", 25),
        ("2016-11-06T05:30:00+00:00", "America/Havana", "2016-11-06T04:00:00+00:00", 25),
        ("2011-12-29T20:00:00+00:00", "Pacific/Apia", "2011-12-29T10:00:00+00:00", 24),
        ("2011-12-30T20:00:00+00:00", "Pacific/Apia", "2011-12-30T10:00:00+00:00", 24),
        ("1970-01-01T00:00:10+00:00", "America/New_York", "1969-12-31T05:00:00+00:00", 24),
    ],
)
def test_a_day_begins_at_local_midnight_and_is_as_long_as_the_clocks_make_it(
    wall: str, zone: str, start: str, hours: float
) -> None:
    assert day(wall, zone) == (start, hours)


@given(st.floats(0, 4e9), st.sampled_from(["UTC", "Europe/Paris", "America/Sao_Paulo", "Australia/Lord_Howe"]))
def test_every_moment_lies_in_its_day(wall: float, zone: str) -> None:
    place = ZoneInfo(zone)
    assert start_of_day(wall, place) <= wall < start_of_day(wall, place, days=1)
