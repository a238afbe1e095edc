"""Days on which clocks are set, in zones that do it differently: what is shown, and what is meant by it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttgateway.orders.moment import PLAUSIBLE, is_plausible, shown, unix_time
from ttgateway.orders.statistics import start_of_day

ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana", "UTC")

FORWARD = [
    # The first time skipped, the first one after, and the instant at which that happens.
    ("America/New_York", "2026-03-08T02:00:00", "2026-03-08T03:00:00", "2026-03-08T07:00:00"),
    ("Europe/Berlin", "2026-03-29T02:00:00", "2026-03-29T03:00:00", "2026-03-29T01:00:00"),
    ("Australia/Lord_Howe", "2026-10-04T02:00:00", "2026-10-04T02:30:00", "2026-10-03T15:30:00"),
    ("America/Sao_Paulo", "2018-11-04T00:00:00", "2018-11-04T01:00:00", "2018-11-04T03:00:00"),
    ("America/Havana", "2026-03-08T00:00:00", "2026-03-08T01:00:00", "2026-03-08T05:00:00"),
    ("Pacific/Apia", "2011-12-30T00:00:00", "2011-12-31T00:00:00", "2011-12-30T10:00:00"),
]

BACK = [
    # The first time that comes twice, the first one that does not, and the instant at which the clocks are set.
    ("America/New_York", "2026-11-01T01:00:00", "2026-11-01T02:00:00", "2026-11-01T06:00:00"),
    ("Europe/Berlin", "2026-10-25T02:00:00", "2026-10-25T03:00:00", "2026-10-25T01:00:00"),
    ("Australia/Lord_Howe", "2026-04-05T01:30:00", "2026-04-05T02:00:00", "2026-04-04T15:00:00"),
    ("America/Sao_Paulo", "2018-02-17T23:00:00", "2018-02-18T00:00:00", "2018-02-18T02:00:00"),
    ("America/Havana", "2026-11-01T00:00:00", "2026-11-01T01:00:00", "2026-11-01T05:00:00"),
]


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def meant(text: str | datetime, zone: str) -> float:
    local = datetime.fromisoformat(text) if isinstance(text, str) else text
    return unix_time(local, ZoneInfo(zone))


@pytest.mark.parametrize(("zone", "skipped", "after", "at"), FORWARD)
def test_a_time_that_is_skipped_means_the_instant_at_which_it_is(zone: str, skipped: str, after: str, at: str) -> None:
    first, last = datetime.fromisoformat(skipped), datetime.fromisoformat(after)
    assert shown(utc(at) - 1, ZoneInfo(zone)) == (first - timedelta(seconds=1)).isoformat()
    assert shown(utc(at), ZoneInfo(zone)) == after
    for local in (first, first + (last - first) / 2, last - timedelta(seconds=1), last):
        assert meant(local, zone) == utc(at)
    assert meant(first - timedelta(seconds=1), zone) == utc(at) - 1
    assert meant(last + timedelta(seconds=1), zone) == utc(at) + 1


@pytest.mark.parametrize(("zone", "twice", "once", "at"), BACK)
def test_a_time_that_comes_twice_means_the_first(zone: str, twice: str, once: str, at: str) -> None:
    first, last = datetime.fromisoformat(twice), datetime.fromisoformat(once)
    length = (last - first).total_seconds()
    assert shown(utc(at), ZoneInfo(zone)) == shown(utc(at) - length, ZoneInfo(zone)) == twice
    assert meant(first, zone) == utc(at) - length
    assert meant(last - timedelta(seconds=1), zone) == utc(at) - 1
    assert meant(last, zone) == utc(at) + length
    assert meant(first.replace(fold=1), zone) == meant(first, zone)


@pytest.mark.parametrize(("zone", "local", "_", "at"), [*FORWARD, *BACK])
def test_quarters_of_an_hour_over_a_whole_day_are_told_apart_and_leave_nothing_out(
    zone: str, local: str, _: str, at: str
) -> None:
    """A client that reads the history period by period gets each order once."""
    begin = datetime.fromisoformat(local).replace(hour=0, minute=0) - timedelta(days=1)
    edges = [meant(begin + timedelta(minutes=15 * number), zone) for number in range(3 * 96 + 1)]
    assert edges == sorted(edges)
    assert edges[0] < utc(at) - 3600 < utc(at) + 3600 < edges[-1]


@given(st.integers(0, 4_000_000_000), st.sampled_from(ZONES))
def test_what_is_shown_means_the_same_instant_or_the_one_that_was_shown_alike_before(wall: int, zone: str) -> None:
    text = shown(wall, ZoneInfo(zone))
    again = meant(text, zone)
    assert again <= wall
    assert shown(again, ZoneInfo(zone)) == text


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)),  # noqa: DTZ001  # what clocks show
    st.integers(0, 200_000),
    st.sampled_from(ZONES),
)
def test_a_later_time_is_never_an_earlier_instant(local: datetime, seconds: int, zone: str) -> None:
    local = local.replace(microsecond=0)
    assert meant(local, zone) <= meant(local + timedelta(seconds=seconds), zone)


@pytest.mark.parametrize(("zone", "local", "_", "at"), [*FORWARD, *BACK])
def test_a_day_begins_when_the_clocks_show_its_midnight(zone: str, local: str, _: str, at: str) -> None:
    place = ZoneInfo(zone)
    for hours in range(-48, 49):
        wall = utc(at) + 3600 * hours
        start, end = start_of_day(wall, place), start_of_day(wall, place, days=1)
        midnight = datetime.fromtimestamp(wall, place).replace(hour=0, minute=0, second=0, tzinfo=None)
        assert (start, end) == (unix_time(midnight, place), unix_time(midnight + timedelta(days=1), place))
        assert start <= wall < end


def test_a_machine_that_wakes_in_1970_is_not_believed() -> None:
    assert [is_plausible(wall) for wall in (0.0, PLAUSIBLE - 1, PLAUSIBLE, 4e9)] == [False, False, True, True]
