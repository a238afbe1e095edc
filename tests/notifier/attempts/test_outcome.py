import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttgateway.notifier.attempts.outcome import Outcome, Reply, Verdict, failed, judged, works


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        (range(200, 300), Verdict.DELIVERED),
        ([301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 413, 422, 451, 499, 500], Verdict.REFUSED),
        ([408, 425, 429, 501, 502, 503, 504, 507, 599], Verdict.DOWN),
        ([410], Verdict.GONE),
    ],
)
def test_the_status_alone_decides(statuses: list[int], verdict: Verdict) -> None:
    for status in statuses:
        assert judged(Reply(status)) == Outcome(verdict, str(status), status)


@given(st.integers(min_value=0, max_value=1100))
def test_no_status_outside_of_200_to_599_is_an_answer(status: int) -> None:
    outcome = judged(Reply(status))
    assert (outcome.verdict is Verdict.DELIVERED) == (200 <= status <= 299)
    if not 200 <= status <= 599:
        assert (outcome.verdict, outcome.cause) == (Verdict.DOWN, "protocol")


def test_what_the_listener_asks_for_is_passed_on() -> None:
    assert judged(Reply(503, b"7")).retry_after == b"7"


def test_a_listener_works_that_answers_a_head_with_anything_but_a_failure_of_its_own() -> None:
    assert all(works(judged(Reply(status))) for status in (200, 204, 301, 404, 405, 429, 501))
    assert not any(works(judged(Reply(status))) for status in (500, 502, 503, 504))
    assert not works(failed("timeout"))
