"""Doing beside the reactor what blocks, for as long as it likes: who waits for it may give up."""

from collections.abc import Callable
from threading import Thread
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


def aside(reactor: Any, work: Callable[[], T]) -> Deferred[T]:
    """Run ``work`` on a thread of its own; fires with what it returns, or fails with what it raises.

    The process does not wait for the thread at its end.
    """
    result: Deferred[T] = Deferred()  # without a canceller: once it is cancelled, it ignores what comes later

    def run() -> None:
        try:
            found = work()
        except BaseException:
            reactor.callFromThread(result.errback, Failure())
        else:
            reactor.callFromThread(result.callback, found)

    Thread(target=run, daemon=True).start()
    return result
