"""How a long command tells of its progress: one line that changes on a terminal, a line now and then elsewhere."""

import contextlib
from collections.abc import Callable
from typing import TextIO

ON_TERMINAL = 0.1
"""Seconds between two lines."""

ELSEWHERE = 5.0

CLEAR_LINE = "\r\x1b[K"


class Progress:
    """Writes to ``stream``; ``seconds`` counts the time."""

    def __init__(self, stream: TextIO, seconds: Callable[[], float]) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._seconds = seconds
        # A script that reads this does not want to hear that it has just begun.
        self._shown = None if self._terminal else seconds()
        self._on_line = False

    def show(self, text: str) -> None:
        """Say how far things are, unless that was said just now."""
        every = ON_TERMINAL if self._terminal else ELSEWHERE
        now = self._seconds()
        if self._shown is not None and now - self._shown < every:
            return
        self._shown = now
        self._write(f"{CLEAR_LINE}{text}" if self._terminal else f"{text}\n")
        self._on_line = self._terminal

    def note(self, text: str) -> None:
        """Say something that stays."""
        self.end()
        self._write(f"{text}\n")

    def end(self) -> None:
        """Leave the line that changes."""
        if self._on_line:
            self._write(CLEAR_LINE)
            self._on_line = False

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the terminal has gone: that is no reason to fail
            self._stream.write(text)
            self._stream.flush()
