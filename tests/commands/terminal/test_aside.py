import threading

import pytest
from twisted.internet.defer import CancelledError, Deferred

from tests.support import result_of
from ttgateway.commands.terminal.aside import aside


class Reactor:
    """Notes what is to be called on the reactor's thread."""

    def __init__(self) -> None:
        self.called = threading.Event()

    def callFromThread(self, call: object, *given: object) -> None:
        self.call, self.given = call, given
        self.called.set()

    def settle(self) -> None:
        assert self.called.wait(10)
        self.call(*self.given)  # type: ignore[operator]


def test_what_blocks_runs_on_a_thread_that_nobody_waits_for() -> None:
    reactor = Reactor()
    result: Deferred[tuple[bool, bool]] = aside(
        reactor,
        lambda: (threading.current_thread() is threading.main_thread(), threading.current_thread().daemon),
    )
    reactor.settle()
    assert result_of(result) == (False, True)


def test_what_it_raises_is_raised() -> None:
    reactor = Reactor()
    result: Deferred[float] = aside(reactor, lambda: 1 / 0)
    reactor.settle()
    with pytest.raises(ZeroDivisionError):
        result_of(result)


def test_what_comes_after_somebody_gave_up_is_let_go() -> None:
    reactor, go = Reactor(), threading.Event()
    result: Deferred[bool] = aside(reactor, lambda: go.wait(10))
    result.cancel()
    go.set()
    reactor.settle()
    with pytest.raises(CancelledError):
        result_of(result)
