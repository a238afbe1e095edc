from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.notifier.network import pass_time
from ttgateway.notifier.attempts.sweep import EVERY, Sweep


class Watched:
    def __init__(self) -> None:
        self.checked: list[float] = []

    def check(self, now: float) -> None:
        self.checked.append(now)


def test_what_is_watched_is_checked_until_it_is_ignored() -> None:
    timers = Clock()
    sweep, first, second = Sweep(timers), Watched(), Watched()
    sweep.watch(first)
    sweep.watch(second)
    timers.advance(EVERY)
    sweep.ignore(second)
    timers.advance(EVERY)
    assert (len(first.checked), len(second.checked)) == (2, 1)
    sweep.ignore(first)
    timers.advance(EVERY)
    assert timers.getDelayedCalls() == []


def test_one_timer_serves_any_number() -> None:
    timers = Clock()
    sweep = Sweep(timers)
    for _ in range(1_000):
        sweep.watch(Watched())
    assert len(timers.getDelayedCalls()) == 1
    sweep.stop()
    assert timers.getDelayedCalls() == []


def test_what_is_ignored_during_a_sweep_is_not_checked_in_it() -> None:
    timers = Clock()
    sweep, later = Sweep(timers), Watched()

    class Ender(Watched):
        def check(self, now: float) -> None:
            sweep.ignore(later)
            sweep.ignore(self)

    sweep.watch(Ender())
    sweep.watch(later)
    pass_time(timers, 1)
    assert later.checked == []
    assert timers.getDelayedCalls() == []


def test_one_that_fails_at_each_check_ends_no_other_deadline(logged: Logged) -> None:
    class Failing(Watched):
        def check(self, now: float) -> None:
            raise RuntimeError("a bad check")

    timers = Clock()
    sweep, later = Sweep(timers), Watched()
    sweep.watch(Failing())
    sweep.watch(later)
    timers.pump([EVERY] * 3)
    assert len(later.checked) == 3
    assert len(logged.flush()) == 3
    sweep.stop()


def test_what_begins_during_the_last_check_is_watched() -> None:
    timers = Clock()
    sweep, later = Sweep(timers), Watched()

    class Starter(Watched):
        def check(self, now: float) -> None:
            sweep.ignore(self)
            sweep.watch(later)

    sweep.watch(Starter())
    timers.advance(EVERY)
    timers.advance(EVERY)
    assert len(later.checked) == 1
    sweep.stop()
