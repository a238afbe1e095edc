import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterator

import pytest

from ttgateway import restart


class Reactor:
    """Notes that it was stopped."""

    stopped = 0

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def at_exit(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], None]]]:
    """What is to be done when the process ends."""
    registered: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "register", registered.append)
    monkeypatch.setattr(atexit, "unregister", registered.remove)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield registered
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_same_command_line_follows_when_all_has_ended(
    at_exit: list[Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(os, "execv", lambda path, line: ran.append((path, line)))
    reactor = Reactor()
    restart.begin_anew(reactor)
    assert (reactor.stopped, ran) == (1, [])
    for do in at_exit:
        do()
    assert ran == [(sys.executable, sys.orig_argv)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_asks_for_the_end_meanwhile_gets_it(at_exit: list[Callable[[], None]], number: signal.Signals) -> None:
    restart.begin_anew(Reactor())
    signal.raise_signal(number)
    assert at_exit == []
