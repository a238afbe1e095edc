import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from ttgateway.api.server.turns import MOST_AT_ONCE, MOST_OWED, SHARE, Turns

COST = 0.001
"""What each request costs here, in seconds."""


class Desk:
    """Where strangers are answered, at `COST` each; who was, in order."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.turns = Turns(self.clock)
        self.answered: list[str] = []

    def ask(self, name: str, group: str) -> bool:
        """Ask, as a channel does: what is answered at once counts as time of the channel."""
        began = self.clock.seconds()
        now = self.turns.take(name, group, lambda: self._answer(name))
        self.turns.spend(self.clock.seconds() - began)
        return now

    def _answer(self, name: str) -> None:
        self.answered.append(name)
        self.clock.rightNow += COST

    def pass_time(self, seconds: float) -> None:
        self.clock.pump([0.0005] * int(seconds / 0.0005))


def test_a_few_are_answered_at_once() -> None:
    desk = Desk()
    assert [desk.ask(str(number), "10.0.0.1") for number in range(4)] == [True] * 4
    assert desk.answered == ["0", "1", "2", "3"]
    assert desk.clock.getDelayedCalls() == []


def test_those_who_take_too_much_time_wait_and_all_are_answered_in_the_end() -> None:
    desk = Desk()
    names = [str(number) for number in range(50)]
    answered = [desk.ask(name, "10.0.0.1") for name in names]
    assert answered.index(False) <= MOST_AT_ONCE / COST / (1 - SHARE) + 1
    assert len(desk.turns) == answered.count(False)
    desk.pass_time(1.0)
    assert desk.answered == names
    assert len(desk.turns) == 0
    assert desk.clock.getDelayedCalls() == []


def test_strangers_take_their_share_of_the_time_and_no_more() -> None:
    desk = Desk()
    for number in range(2_000):
        desk.ask(str(number), f"10.0.0.{number % 9}")
    began, before = desk.clock.seconds(), len(desk.answered)
    while desk.clock.seconds() < began + 1.0:
        desk.clock.advance(0.0005)
    assert (len(desk.answered) - before) * COST == pytest.approx(SHARE, rel=0.1)
    for number in range(2_000):
        desk.turns.forget(str(number))


def test_no_more_than_a_few_are_answered_in_a_row() -> None:
    desk = Desk()
    for number in range(100):
        desk.ask(str(number), "10.0.0.1")
    while len(desk.turns):
        before = len(desk.answered)
        desk.clock.advance(0.0001)
        assert len(desk.answered) - before <= MOST_AT_ONCE / COST + 1


def test_each_peer_is_answered_in_turn_however_many_requests_another_has() -> None:
    desk = Desk()
    for number in range(100):
        desk.ask(f"flood {number}", "10.0.0.1")
    desk.ask("honest", "10.0.0.2")
    before = len(desk.answered)
    desk.pass_time(0.1)
    assert "honest" in desk.answered[before : before + 2]
    desk.pass_time(1.0)


def test_who_has_gone_is_not_answered_and_leaves_no_timer() -> None:
    desk = Desk()
    desk.turns.spend(1.0)
    assert not desk.ask("a", "10.0.0.1")
    assert not desk.ask("b", "10.0.0.1")
    desk.turns.forget("a")
    desk.turns.forget("a")
    desk.turns.forget("never was there")
    desk.pass_time(0.2)
    assert desk.answered == ["b"]
    desk.turns.spend(1.0)
    assert not desk.ask("c", "10.0.0.1")
    desk.turns.forget("c")
    assert desk.clock.getDelayedCalls() == []


def test_whatever_others_did_the_next_waits_a_moment_and_no_longer() -> None:
    desk = Desk()
    for _ in range(100):
        desk.turns.spend(10.0)
    assert not desk.ask("honest", "10.0.0.2")
    desk.pass_time((MOST_OWED + MOST_AT_ONCE) / SHARE)
    assert desk.answered == ["honest"]


@given(st.lists(st.tuples(st.sampled_from(["ask", "forget", "wait", "spend"]), st.integers(0, 9)), max_size=60))
def test_nobody_is_answered_twice_or_forgotten(steps: list[tuple[str, int]]) -> None:
    desk = Desk()
    asked, gone = [], set()
    for number, (what, which) in enumerate(steps):
        if what == "ask":
            asked.append(str(number))
            desk.ask(str(number), f"10.0.0.{which}")
        elif what == "forget" and asked:
            name = asked[which % len(asked)]
            if name not in desk.answered:
                gone.add(name)
            desk.turns.forget(name)
        elif what == "spend":
            desk.turns.spend(which * COST)
        else:
            desk.clock.advance(which * COST)
    desk.pass_time(1.0)
    assert sorted(desk.answered) == sorted(set(asked) - gone)
    assert desk.clock.getDelayedCalls() == []
