import os
import signal
from collections.abc import Callable, Iterator

import pytest

from ttgateway.signals import press_at_signal


class Reactor:
    """A reactor that has not come to its next turn yet."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def callFromThread(self, call: Callable[[], None]) -> None:
        self.waiting.append(call)


@pytest.fixture(autouse=True)
def signal_put_back() -> Iterator[None]:
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


def test_the_signal_presses_in_the_reactors_turn() -> None:
    reactor, presses = Reactor(), list[str]()
    press_at_signal(reactor, lambda: presses.append("pressed"))
    os.kill(os.getpid(), signal.SIGUSR1)
    assert presses == []
    [call] = reactor.waiting
    call()
    assert presses == ["pressed"]
