"""SIGINT and SIGTERM: the first asks for an orderly end, a later one ends the process at once. SIGUSR1: the button.

SIGHUP asks a command for an orderly end.
"""

import contextlib
import signal
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ReactorNotRunning

SAME_PRESS = 1.0
"""Seconds within which a second signal counts as the first: GNU ``timeout`` sends one to us and one to our group."""

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


def end_in_order(reactor: Any) -> None:
    """Stop ``reactor`` at the first signal, so that its process ends with exit code 0.

    Twisted would end by the signal itself in the end, which looks like a failure.
    """

    def stop(number: int, frame: object) -> None:
        reactor.callFromThread(_stop, reactor)

    for number in _NUMBERS:
        signal.signal(number, stop)


def later_ends_at_once(reactor: Any) -> None:
    """The end has begun: from `SAME_PRESS` seconds on, another signal does not wait for it."""
    _heed(signal.SIG_IGN)
    reactor.callLater(SAME_PRESS, _heed, signal.SIG_DFL)


def end_with_the_terminal(reactor: Any) -> None:
    """Stop ``reactor`` at SIGHUP, unless that is ignored: ``nohup`` asked for it."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return

    def hung_up(number: int, frame: object) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the kernel sends it, and the shell once more
        reactor.callFromThread(_stop_unless_stopping, reactor)

    signal.signal(signal.SIGHUP, hung_up)


def press_at_signal(reactor: Any, press: Callable[[], None]) -> None:
    """Call ``press`` in the reactor's turn at each SIGUSR1. That takes the signal from twistd, which rotates a log."""

    def pressed(number: int, frame: object) -> None:
        reactor.callFromThread(press)

    signal.signal(signal.SIGUSR1, pressed)


def _stop(reactor: Any) -> None:
    later_ends_at_once(reactor)
    reactor.stop()


def _stop_unless_stopping(reactor: Any) -> None:
    with contextlib.suppress(ReactorNotRunning):
        reactor.stop()


def _heed(how: signal.Handlers) -> None:
    for number in _NUMBERS:
        signal.signal(number, how)
