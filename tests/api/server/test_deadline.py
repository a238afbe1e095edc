from functools import partial

from twisted.internet.task import Clock

from ttgateway.api.server.deadline import LONGEST_SLEEP, Deadline


def test_it_is_missed_exactly_when_due() -> None:
    clock = Clock()
    missed: list[float] = []
    deadline = Deadline(clock, lambda: missed.append(clock.seconds()))
    deadline.start(12.5)
    clock.pump([0.5] * 24)
    assert missed == []
    clock.pump([0.5] * 24)
    assert missed == [12.5]
    assert clock.getDelayedCalls() == []


def test_moving_it_starts_no_timer_and_is_exact_both_ways() -> None:
    clock = Clock()
    missed: list[float] = []
    deadline = Deadline(clock, lambda: missed.append(clock.seconds()))
    deadline.start(60)
    clock.pump([1] * 7)
    deadline.due = clock.seconds() + 5
    assert len(clock.getDelayedCalls()) == 1
    clock.pump([0.25] * 16)
    deadline.due = clock.seconds() + 10
    clock.pump([0.25] * 39)
    assert missed == []
    clock.advance(0.25)
    assert missed == [21]


def test_it_can_be_moved_on_while_it_is_missed() -> None:
    clock = Clock()
    missed: list[float] = []

    def move_on() -> None:
        missed.append(clock.seconds())
        if len(missed) < 3:
            deadline.due += 7

    deadline = Deadline(clock, move_on)
    deadline.start(7)
    clock.pump([1] * 60)
    assert missed == [7, 14, 21]
    assert clock.getDelayedCalls() == []


def test_stopped_it_leaves_no_timer_not_even_from_within() -> None:
    clock = Clock()

    def stop() -> None:
        deadline.stop()
        deadline.due += 5

    deadline = Deadline(clock, stop)
    deadline.start(3)
    clock.advance(3)
    assert clock.getDelayedCalls() == []
    deadline.start(100)
    deadline.stop()
    deadline.stop()
    assert clock.getDelayedCalls() == []


class Passing(Clock):
    """A clock on which time passes while it is read, as on a real one: by ``step`` each time."""

    step = 0.0

    def seconds(self) -> float:
        self.rightNow += self.step
        return super().seconds()


def test_a_deadline_that_falls_due_while_it_is_looked_at_is_missed_all_the_same() -> None:
    for nearly in (0.5, 1.5, 2.5, 3.5):
        clock = Passing()
        missed: list[bool] = []
        deadline = Deadline(clock, partial(missed.append, True))
        deadline.start(LONGEST_SLEEP)
        clock.advance(LONGEST_SLEEP - 0.25)
        clock.step = 0.001
        deadline.due = clock.rightNow + 0.25 + nearly * clock.step
        clock.pump([0.05] * 10)
        assert missed == [True], nearly
        assert clock.getDelayedCalls() == []
