"""Where SQLite work runs: never on the reactor's thread, never in its shared pool (DNS look-ups stall that one)."""

from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

T = TypeVar("T")


class Executor(Protocol):
    """Runs one piece of work after the other. Tests replace the thread with their own turn."""

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        """Run ``work`` when all that was given before is done; the result is its return value or its exception."""

    def close(self) -> None:
        """Wait for what is running, and end. Nothing can be run afterwards."""


class OneThread:
    """An executor on one thread of its own."""

    def __init__(self, reactor: IReactorFromThreads, name: str) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(minthreads=1, maxthreads=1, name=name)
        # Who wants an orderly end calls `close`; a start that fails half way must not hang on this thread.
        self._pool.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]
        self._pool.start()

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        """Run ``work`` on the thread; the Deferred fires on the reactor's."""
        return deferToThreadPool(self._reactor, self._pool, work)

    def close(self) -> None:
        """Wait for what is running, and end the thread."""
        self._pool.stop()
