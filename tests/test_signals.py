import os
import signal
from collections.abc import Callable, Iterator

import pytest
from twisted.internet.error import ReactorNotRunning

from ttgateway.signals import end_with_the_terminal, press_at_signal


class Reactor:
    """A reactor that has not come to its next turn yet."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.stops = 0

    def callFromThread(self, call: Callable[..., None], *arguments: object) -> None:
        self.waiting.append(lambda: call(*arguments))

    def stop(self) -> None:
        self.stops += 1
        if self.stops > 1:
            raise ReactorNotRunning


@pytest.fixture(autouse=True)
def signal_put_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_signal_presses_in_the_reactors_turn() -> None:
    reactor, presses = Reactor(), list[str]()
    press_at_signal(reactor, lambda: presses.append("pressed"))
    os.kill(os.getpid(), signal.SIGUSR1)
    assert presses == []
    [call] = reactor.waiting
    call()
    assert presses == ["pressed"]


def test_the_end_of_the_terminal_stops_the_reactor_once_in_its_turn() -> None:
    reactor = Reactor()
    end_with_the_terminal(reactor)
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGHUP)
    assert reactor.stops == 0
    [call] = reactor.waiting
    call()
    assert reactor.stops == 1


def test_the_end_of_the_terminal_changes_nothing_where_the_end_has_begun() -> None:
    reactor = Reactor()
    end_with_the_terminal(reactor)
    reactor.stop()
    os.kill(os.getpid(), signal.SIGHUP)
    [call] = reactor.waiting
    call()


def test_where_nohup_has_it_ignored_the_end_of_the_terminal_ends_nothing() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    reactor = Reactor()
    end_with_the_terminal(reactor)
    os.kill(os.getpid(), signal.SIGHUP)
    assert reactor.waiting == []
