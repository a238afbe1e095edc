from twisted.internet.task import Clock

from tests.support import FakeClock, entropy
from ttgateway.links import LINK, MOST_LINKS, OneTimeLinks


def links(timers: Clock) -> OneTimeLinks:
    return OneTimeLinks(FakeClock(timers), entropy())


def test_a_code_is_good_once() -> None:
    made = links(Clock())
    code = made.make()
    assert len(code) == 48
    assert made.take(code)
    assert not made.take(code)


def test_a_code_that_was_never_made_is_good_for_nothing() -> None:
    made = links(Clock())
    made.make()
    assert not made.take("0" * 48)
    assert not made.take("")


def test_a_code_is_good_for_two_minutes() -> None:
    timers = Clock()
    made = links(timers)
    first, second = made.make(), made.make()
    timers.advance(LINK - 1)
    assert made.take(first)
    timers.advance(1)
    assert not made.take(second)


def test_a_wall_clock_that_is_set_lengthens_nothing() -> None:
    timers = Clock()
    clock = FakeClock(timers)
    made = OneTimeLinks(clock, entropy())
    code = made.make()
    clock.wall_ahead -= 3600
    timers.advance(LINK)
    assert not made.take(code)


def test_where_too_many_wait_the_oldest_goes() -> None:
    made = links(Clock())
    first, second, *_ = [made.make() for _ in range(MOST_LINKS + 1)]
    assert not made.take(first)
    assert made.take(second)
