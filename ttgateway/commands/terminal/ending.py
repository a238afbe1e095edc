"""The end of a command that runs until somebody ends it."""

import contextlib
from collections.abc import Iterator

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime


class Ending:
    """Whether a command is to end: the operator pressed Ctrl-C, or it has done what it was asked for."""

    def __init__(self, timers: IReactorTime) -> None:
        self.asked = False
        self._timers = timers
        self._waits: list[Deferred[None]] = []

    def ask(self) -> None:
        """Ask the command to end; asking again changes nothing."""
        self.asked = True
        waits, self._waits = self._waits, []
        for wait in waits:
            wait.callback(None)

    async def pause(self, seconds: float | None = None) -> None:
        """Return after ``seconds`` (``None``: never by itself), or as soon as the command is to end."""
        if self.asked:
            return
        wait: Deferred[None] = Deferred()
        self._waits.append(wait)
        timer = None if seconds is None else self._timers.callLater(seconds, wait.callback, None)
        try:
            await wait
        finally:
            if timer is not None and timer.active():
                timer.cancel()
            if wait in self._waits:
                self._waits.remove(wait)

    @contextlib.contextmanager
    def after(self, seconds: float | None) -> Iterator[None]:
        """Ask for the end when ``seconds`` have passed (``None``: never), unless the block has ended by then."""
        timer = None if seconds is None else self._timers.callLater(seconds, self.ask)
        try:
            yield
        finally:
            if timer is not None and timer.active():
                timer.cancel()
