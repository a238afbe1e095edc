"""The standard streams of a command, whatever it was given as such: something closed, full, or gone meanwhile."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import click

_INSTEAD = (os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)
"""How /dev/null is opened in place of each: a result that nobody gets must fail, and what else is said need not."""


class _Noting(io.FileIO):
    """A file that knows how writing it has failed: what is longer than a buffer is written past it, and lost."""

    trouble: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.trouble = error
            raise


def open_closed() -> None:
    """Open something in place of each stream that is closed: else it is a socket, or a file, that gets its number."""
    for number, how in enumerate(_INSTEAD):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, how)  # gets the lowest number that is free: this one
    # Buffered, whatever PYTHONUNBUFFERED says: what could not be written waits there, and tells what has failed.
    sys.stdout = _on(1, sys.stdout)
    if sys.stderr is None:
        sys.stderr = _on(2, None)


def _on(number: int, like: TextIO | None) -> TextIO:
    encoding, errors = getattr(like, "encoding", None), getattr(like, "errors", None)
    if errors in (None, "strict"):
        errors = "backslashreplace"  # a name that this terminal cannot show is no reason to show nothing
    buffered = io.BufferedWriter(_Noting(number, "w", closefd=False))
    return io.TextIOWrapper(buffered, encoding=encoding, errors=errors, line_buffering=os.isatty(number))


@contextlib.contextmanager
def printing() -> Iterator[None]:
    """End the process with one line and exit code 1 where the block fails to write standard output."""
    try:
        yield
    except OSError as error:
        if _takes(sys.stdout) and not _failed(sys.stdout, error):  # then it is something else that has failed
            raise
        with contextlib.suppress(OSError):
            click.echo(f"ttgateway: standard output cannot be written: {error.strerror}", err=True)
        sys.exit(1)
    finally:
        for stream in (sys.stdout, sys.stderr):
            if not _takes(stream):  # Python would complain once more at its exit, and end with another code
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _takes(stream: TextIO) -> bool:
    """Tell whether what was written to ``stream`` could be; what could not still waits in it."""
    try:
        stream.flush()
    except OSError:
        return False
    return True


def _failed(stream: TextIO, error: OSError) -> bool:
    """Tell whether ``error`` is how writing ``stream`` has failed."""
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return isinstance(raw, _Noting) and raw.trouble is error
