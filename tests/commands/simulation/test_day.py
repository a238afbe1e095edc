import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttgateway.commands.simulation.day import CLOSES, DAY, NIGHT, OPENS, between, busyness, clock, opening, to_go_share

SECONDS = st.floats(0.0, 10 * DAY)


def at(hour: float) -> float:
    return hour * 3600.0


def test_noon_and_evening_are_busy_and_the_afternoon_is_not() -> None:
    assert busyness(at(12.25)) == busyness(at(19.5)) == 1.0
    assert 0.0 < busyness(at(15.5)) < 0.2
    assert busyness(at(9)) == busyness(at(23)) == 0.0


@given(SECONDS)
def test_the_curve_is_one_of_shares_and_the_same_each_day(second: float) -> None:
    assert 0.0 <= busyness(second) <= 1.0
    assert 0.2 <= to_go_share(second) <= 0.5
    assert busyness(float(int(second))) == busyness(int(second) + DAY)


@given(SECONDS)
def test_orders_are_taken_in_the_opening_hours_only(second: float) -> None:
    found = opening(second)
    assert found >= second
    assert OPENS <= found % DAY < CLOSES
    assert opening(found) == found
    if OPENS <= second % DAY < CLOSES:
        assert found == second


@pytest.mark.parametrize(
    ("before", "after", "nights", "seconds"),
    [
        (at(12), at(13), False, 3600.0),
        (at(22), DAY + at(11), False, NIGHT),
        (at(22), DAY + at(11), True, 13 * 3600.0),
        (DAY - 10.0, DAY + 10.0, False, 20.0),
    ],
)
def test_a_night_is_passed_over_unless_it_is_wanted(before: float, after: float, nights: bool, seconds: float) -> None:
    assert between(before, after, nights=nights) == seconds


def test_the_clock_shows_hours_and_minutes() -> None:
    assert [clock(second) for second in (0.0, at(12) + 59.9, 3 * DAY + at(19.1))] == ["00:00", "12:00", "19:06"]
