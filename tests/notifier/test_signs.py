from typing import Any

import pytest
from twisted.internet.task import Clock

from ttgateway.notifier.signs import AT_ONCE, PAUSE, SignsOfLife
from ttgateway.notifier.states import Event
from ttgateway.store.tables.listeners import Listener


class Queue:
    """A queue that notes what happens to it."""

    listener: Listener

    def __init__(self, host: str) -> None:
        self.host = host
        self.heard = 0

    def happen(self, event: Event, what: Any = None) -> None:
        assert event is Event.HEARD
        self.heard += 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signs(clock: Clock) -> SignsOfLife:
    return SignsOfLife(clock)


def troubled(signs: SignsOfLife, count: int, host: str = "10.0.0.2") -> list[Queue]:
    queues = [Queue(host) for _ in range(count)]
    for queue in queues:
        signs.watch(queue)
    return queues


def test_who_is_in_trouble_hears_at_once_of_a_request_from_its_host_and_of_no_other(signs: SignsOfLife) -> None:
    (here,), (there,) = troubled(signs, 1), troubled(signs, 1, "10.0.0.3")
    signs.heard("10.0.0.2")
    assert (here.heard, there.heard) == (1, 0)


def test_a_hundred_on_one_host_are_not_all_tried_in_one_turn(signs: SignsOfLife, clock: Clock) -> None:
    queues = troubled(signs, 100)
    signs.heard("10.0.0.2")
    assert sum(queue.heard for queue in queues) == AT_ONCE
    clock.pump([PAUSE] * (100 // AT_ONCE))
    assert [queue.heard for queue in queues] == [1] * 100
    assert clock.getDelayedCalls() == []


def test_another_request_meanwhile_changes_nothing_and_one_from_another_host_waits_for_nobody(
    signs: SignsOfLife, clock: Clock
) -> None:
    queues, (there,) = troubled(signs, 3 * AT_ONCE), troubled(signs, 1, "10.0.0.3")
    for _ in range(10):
        signs.heard("10.0.0.2")
    signs.heard("10.0.0.3")
    assert (sum(queue.heard for queue in queues), there.heard) == (AT_ONCE, 1)
    clock.pump([PAUSE] * 5)
    assert [queue.heard for queue in queues] == [1] * (3 * AT_ONCE)
    signs.heard("10.0.0.2")
    assert sum(queue.heard for queue in queues) == 4 * AT_ONCE
    signs.stop()


def test_who_has_recovered_hears_nothing_and_the_last_of_a_host_leaves_nothing(signs: SignsOfLife) -> None:
    first, second = troubled(signs, 2)
    signs.forget(first)
    signs.forget(first)
    signs.heard("10.0.0.2")
    assert (first.heard, second.heard) == (0, 1)
    signs.forget(second)
    signs.heard("10.0.0.2")
    assert second.heard == 1


def test_one_whose_address_has_changed_is_forgotten_all_the_same(signs: SignsOfLife) -> None:
    (queue,) = troubled(signs, 1)
    queue.host = "10.0.0.9"
    signs.forget(queue)
    signs.heard("10.0.0.2")
    assert queue.heard == 0


def test_one_whose_address_changes_each_time_is_heard_of_at_the_last_one_only_and_leaves_nothing(
    signs: SignsOfLife,
) -> None:
    (queue,) = troubled(signs, 1)
    for number in range(100):
        queue.host = f"10.0.1.{number}"
        signs.watch(queue)
    for number in range(100):
        signs.heard(f"10.0.1.{number}")
    assert queue.heard == 1
    assert len(signs._troubled) == 1
    signs.forget(queue)
    assert (signs._troubled, signs._host_of) == ({}, {})


def test_after_a_stop_nobody_hears_of_anything_and_no_timer_is_left(signs: SignsOfLife, clock: Clock) -> None:
    queues = troubled(signs, 2 * AT_ONCE)
    signs.heard("10.0.0.2")
    signs.stop()
    assert clock.getDelayedCalls() == []
    clock.advance(PAUSE)
    assert sum(queue.heard for queue in queues) == AT_ONCE
