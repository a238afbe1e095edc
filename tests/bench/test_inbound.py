"""What wrk says, and what is made of it."""

import pytest

from bench.inbound import KLEIN, OURS, Answered, Posted, parsed, section
from tests.bench import rst

OUTPUT = """Running 2s test @ http://127.0.0.1:28000/api/v2/activeorders
  1 threads and 16 connections
Requests/sec:   1234.50
answered 2469 3 730.000000 2120.000000 2000123
"""


def _posted(each: float, commits: float = 0.0, changes: float = 0.0, errors: int = 0) -> Posted:
    return Posted(Answered(1_000, errors, 0.002, 0.008, 0.5), 1_000 * each, commits, changes)


def test_what_wrk_says_is_read() -> None:
    assert tuple(parsed(OUTPUT)) == pytest.approx((2469, 3, 0.00073, 0.00212, 2.000123))


@pytest.mark.parametrize(("each", "figure", "holds"), [(0.00024, "1.50 x", True), (0.00026, "1.62 x", False)])
def test_ours_may_cost_half_as_much_again(each: float, figure: str, holds: bool) -> None:
    results = {
        (OURS, 1): [_posted(0.0005, 1_000, 1_000)],
        (OURS, 16): [_posted(each, 100, 1_000)],
        (KLEIN, 1): [_posted(0.0002)],
        (KLEIN, 16): [_posted(0.00016)],
    }
    made = section(results)
    cost, whole = made.verdicts
    assert (cost.figure, cost.holds, whole.holds) == (figure, holds, True)
    rows = rst.rows(made.rst)
    assert rows[1] == [OURS, "1", "2,000", "500", "2.00", "8.00", "1.00"]
    assert rows[2][-1] == "10.0"
    assert rows[4] == [KLEIN, "16", "2,000", "160", "2.00", "8.00", ""]


def test_an_order_that_fails_shows() -> None:
    ours, bare = [_posted(0.0002), _posted(0.0002, errors=2)], [_posted(0.0002)] * 2
    made = section({(OURS, 1): ours, (OURS, 16): ours, (KLEIN, 1): bare, (KLEIN, 16): bare})
    assert [(verdict.figure, verdict.holds) for verdict in made.verdicts] == [("1.00 x", True), ("4 failed", False)]
