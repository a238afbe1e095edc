"""Who is registered beside the live ones, and what is counted."""

from typing import cast

import pytest

from bench.growing import Situation, catching_up, failed
from bench.sink import Arrival, Sink


class _NoSink:
    def url(self, listener: int) -> str:
        return f"http://127.0.0.1:9/{listener}"


def test_everybody_is_registered() -> None:
    situation = Situation("all", live=2, idle=1, refuse=2, hang=1, changes=500, behind=300)
    registered = situation.registered(cast(Sink, _NoSink()), 7)
    assert len({one.url for one in registered}) == len(registered) == 7
    assert [one.behind for one in registered] == [1, 1, 300, 0, 1, 1, 1]
    assert [one.url for one in registered if one.events] == ["http://127.0.0.1:9/1000000"]
    assert registered[2].url == "http://127.0.0.1:9/2"
    assert registered[-1].url == "http://127.0.0.1:7/0"


def test_attempts_in_vain_are_all_but_the_delivered() -> None:
    figures = {
        "ttgateway_attempts_total 204 delivered": 900.0,
        "ttgateway_attempts_total refused down": 30.0,
        "ttgateway_attempts_total timeout down": 2.0,
        "ttgateway_commits_total": 70.0,
    }
    assert failed(figures) == 32


@pytest.mark.parametrize(("times", "rate"), [((), 0.0), ((5,), 0.0), ((0, 500_000_000, 1_000_000_000), 2.0)])
def test_a_rate_is_between_the_first_and_the_last(times: tuple[int, ...], rate: float) -> None:
    assert catching_up([Arrival(3, 290, 7, at) for at in times]) == pytest.approx(rate)
