"""Where SQLite work runs: never on the reactor's thread, never in its shared pool (DNS look-ups stall that one)."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

T = TypeVar("T")


class Executor(Protocol):
    """Runs one piece of work after the other. Tests replace the thread with their own turn."""

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        """Run ``work`` when all that was given before is done; the result is its return value or its exception."""

    def close(self) -> None:
        """Wait for what is running, and end. Nothing can be run afterwards."""


class Watched:
    """An executor, and somebody who hears of each piece of work how it ended: of its exception, or ``None``."""

    def __init__(self, executor: Executor, ended: Callable[[BaseException | None], None]) -> None:
        self._executor = executor
        self._ended = ended

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        """Run ``work``; the result is what it would be without anybody who hears of it."""

        def done(result: T) -> T:
            self._ended(None)
            return result

        def failed(failure: Failure) -> Failure:
            self._ended(failure.value)
            return failure

        return self._executor.run(work).addCallbacks(done, failed)

    def close(self) -> None:
        """Wait for what is running, and end."""
        self._executor.close()


class OneThread:
    """An executor on one thread of its own."""

    def __init__(self, reactor: IReactorFromThreads, name: str) -> None:
        self._reactor = reactor
        self._given: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # Who wants an orderly end calls `close`; a start that fails half way must not hang on this thread.
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        """Run ``work`` on the thread; the Deferred fires on the reactor's."""
        result: Deferred[T] = Deferred()

        def do() -> None:
            try:
                value = work()
            except BaseException:
                self._reactor.callFromThread(result.errback, Failure())
            else:
                self._reactor.callFromThread(result.callback, value)

        self._given.put(do)
        return result

    def close(self) -> None:
        """Wait for what is running, and end the thread."""
        self._given.put(None)
        self._thread.join()

    def _work(self) -> None:
        for do in iter(self._given.get, None):
            do()
