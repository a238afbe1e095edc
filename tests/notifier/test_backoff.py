from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ttgateway.notifier.backoff import MOST, at_start, down, refused, retry_after

NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT
JITTERS = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(("failures", "wait"), [(1, 0.2), (2, 0.5), (3, 1), (4, 2), (5, 5), (6, 10)])
def test_a_listener_that_went_down_is_tried_again_soon(failures: int, wait: float) -> None:
    assert down(failures, 0.0) == pytest.approx(wait * 0.8)
    assert down(failures, 0.5) == pytest.approx(wait)
    assert down(failures, 1.0) == pytest.approx(wait * 1.2)


@given(st.integers(7, 10**30), JITTERS)
def test_a_listener_long_down_is_tried_every_15_to_30_seconds(failures: int, jitter: float) -> None:
    assert down(failures, jitter) == pytest.approx(15 + 15 * jitter)


@given(st.integers(1, 100), JITTERS)
def test_no_wait_for_a_listener_is_longer_than_30_seconds(failures: int, jitter: float) -> None:
    assert 0 < down(failures, jitter) <= 30


@pytest.mark.parametrize(("refusals", "wait"), [(1, 1), (2, 4), (3, 8), (4, 12)])
def test_a_refused_change_is_tried_again(refusals: int, wait: float) -> None:
    assert refused(refusals, 0.0) == pytest.approx(wait * 0.8)
    assert refused(refusals, 0.5) == pytest.approx(wait)


@given(JITTERS)
def test_a_refused_change_gets_five_tries_within_30_seconds(jitter: float) -> None:
    waits = [wait for refusals in range(1, 5) if (wait := refused(refusals, jitter)) is not None]
    assert len(waits) == 4
    assert sum(waits) <= 30


@given(st.integers(5, 100), JITTERS)
def test_a_change_refused_five_times_is_parked(refusals: int, jitter: float) -> None:
    assert refused(refusals, jitter) is None


def test_after_a_restart_a_queue_waits_5_seconds_at_most_and_jittered() -> None:
    assert at_start(0.0, 0.9) == 0
    assert at_start(2.0, 0.5) == pytest.approx(2)
    assert at_start(30.0, 0.0) == pytest.approx(4)
    assert at_start(30.0, 0.5) == pytest.approx(5)
    assert at_start(30.0, 1.0) == pytest.approx(6)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, 0),
        (b"", 0),
        (b" ", 0),
        (b"0", 0),
        (b"7", 7),
        (b" 7\t", 7),
        (b"007", 7),
        (b"61", MOST),
        (b"9" * 64, MOST),
        (b"9" * 5000, 0),
        (b"-1", 0),
        (b"+7", 0),
        (b"7.5", 0),
        (b"1e9", 0),
        (b"nan", 0),
        (b"inf", 0),
        (b"soon", 0),
        (b"\xff\x00", 0),
        ("\N{ARABIC-INDIC DIGIT SEVEN}".encode(), 0),
        (b"Sun, 06 Nov 1994 08:49:47 GMT", 10),
        (b"Sunday, 06-Nov-94 08:49:47 GMT", 10),
        (b"Sun Nov  6 08:49:47 1994", 10),
        (b"Sun, 06 Nov 1994 08:49:27 GMT", 0),
        (b"Sun, 06 Nov 2094 08:49:37 GMT", MOST),
        (b"Sun, 99 Nov 1994 08:49:37 GMT", 0),
        (b"Sun, 06 Nov 99999 08:49:37 GMT", 0),
        (b"Sun, 06 Nov 1994 08:49:37 +9999", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_up_to_a_minute(header: bytes | None, wait: float) -> None:
    assert retry_after(header, NOW) == wait


def test_a_date_counts_for_nothing_where_the_present_one_is_not_known() -> None:
    assert retry_after(b"Sun, 06 Nov 1994 08:49:47 GMT", None) == 0
    assert retry_after(b"7", None) == 7


@given(st.integers(0, 2_000_000_000), st.integers(-100, 100))
def test_a_date_is_relative_to_the_present(now: int, ahead: int) -> None:
    date = format_datetime(datetime.fromtimestamp(max(0, now + ahead), UTC), usegmt=True)
    assert retry_after(date.encode(), float(now)) == min(max(max(0, now + ahead) - now, 0), MOST)


DATE_PIECES = st.sampled_from(
    [
        b"Sun",
        b",",
        b" ",
        b"Nov",
        b"06",
        b"1994",
        b"0",
        b"99",
        b"-",
        b"+",
        b":",
        b"08:49:37",
        b"GMT",
        b"(",
        b")",
        b'"',
        b"\\",
    ]
)


@given(st.one_of(st.binary(), st.lists(DATE_PIECES).map(b"".join), st.text().map(lambda text: text.encode("utf-8"))))
@example(b"Sun, 06 Nov 0000 08:49:37 GMT")
@example(b"Mon, 01 Jan 0001 00:00:00 +2359")
def test_no_header_makes_a_wait_out_of_bounds(header: bytes) -> None:
    assert 0 <= retry_after(header, NOW) <= MOST
