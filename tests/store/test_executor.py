"""Work on a thread, and its results where the reactor is."""

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from tests.support import result_of
from ttgateway.store.executor import OneThread, Watched


class Calls:
    """The part of a reactor that a thread may call; what it asked for is done in `go_on`."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def callFromThread(self, call: Callable[..., None], *args: Any) -> None:
        self._asked.put(lambda: call(*args))

    def go_on(self) -> None:
        """Do the next thing that the thread asks for; wait for it."""
        self._asked.get(timeout=10)()


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def executor(calls: Calls) -> Iterator[OneThread]:
    executor = OneThread(calls, "worker")  # type: ignore[arg-type]
    yield executor
    executor.close()


def test_work_is_done_in_order_on_one_thread_that_is_not_the_reactors(executor: OneThread, calls: Calls) -> None:
    done: list[tuple[int, str]] = []
    results = [
        executor.run(lambda number=number: done.append((number, threading.current_thread().name)))  # type: ignore[misc]
        for number in range(5)
    ]
    assert not any(result.called for result in results)
    for _ in results:
        calls.go_on()
    assert all(result.called for result in results)
    assert done == [(number, "worker") for number in range(5)]


def test_what_work_returns_or_raises_is_its_result(executor: OneThread, calls: Calls) -> None:
    good, bad = executor.run(lambda: 7), executor.run(lambda: 1 // 0)
    calls.go_on()
    calls.go_on()
    assert result_of(good) == 7
    with pytest.raises(ZeroDivisionError):
        result_of(bad)


def test_the_end_waits_for_what_was_given(calls: Calls) -> None:
    executor = OneThread(calls, "worker")  # type: ignore[arg-type]
    done: list[int] = []
    for number in range(100):
        executor.run(lambda number=number: done.append(number))  # type: ignore[misc]
    executor.close()
    assert done == list(range(100))


def test_who_watches_hears_how_each_piece_of_work_ended(executor: OneThread, calls: Calls) -> None:
    heard: list[BaseException | None] = []
    watched = Watched(executor, heard.append)
    good, bad = watched.run(lambda: 7), watched.run(lambda: 1 // 0)
    calls.go_on()
    calls.go_on()
    assert result_of(good) == 7
    with pytest.raises(ZeroDivisionError):
        result_of(bad)
    assert heard[0] is None
    assert isinstance(heard[1], ZeroDivisionError)
