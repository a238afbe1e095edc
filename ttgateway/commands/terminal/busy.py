"""What a terminal shows while a command takes longer than a moment; nothing elsewhere, and nothing of a quick one."""

import contextlib
import sys
import time
from collections.abc import Iterator
from threading import Event, Thread
from typing import TextIO

from ttgateway.commands.terminal.progress import CLEAR_LINE
from ttgateway.commands.terminal.tables import age

AFTER = 1.0
"""Seconds for which nothing is shown."""

EVERY = 0.1


class Busy:
    """A line that says what is being done, and for how long; ``text`` may change meanwhile."""

    def __init__(self, text: str, stream: TextIO) -> None:
        self.text = text
        self._stream = stream
        self._shown = False

    def show(self, seconds: float) -> None:
        """Say that it has been going on for ``seconds``."""
        if seconds >= AFTER:
            self._shown = True
            self._write(f"{CLEAR_LINE}{self.text}: {age(seconds)}")

    def end(self) -> None:
        """Leave no trace of the line."""
        if self._shown:
            self._shown = False
            self._write(CLEAR_LINE)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the terminal has gone: that is no reason to fail
            self._stream.write(text)
            self._stream.flush()


@contextlib.contextmanager
def busy(text: str) -> Iterator[Busy]:
    """Show on standard error that ``text`` is being done, from the first second on, if that is a terminal.

    A thread does it: the work may block, or be the reactor's.
    """
    line, over = Busy(text, sys.stderr), Event()
    if not sys.stderr.isatty():
        yield line
        return
    began = time.monotonic()

    def tell() -> None:
        while not over.wait(EVERY):
            line.show(time.monotonic() - began)

    teller = Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield line
    finally:
        over.set()
        teller.join()
        line.end()
