"""The standard streams of a command, whatever it was given as such: something closed, full, or gone meanwhile."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

import click

_INSTEAD = (os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)
"""How /dev/null is opened in place of each: a result that nobody gets must fail, and what else is said need not."""


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
    return os.fdopen(number, "w", encoding=encoding, errors=errors, closefd=False)


@contextlib.contextmanager
def printing() -> Iterator[None]:
    """End the process with one line and exit code 1 where the block fails to write standard output."""
    try:
        yield
    except OSError as error:
        if _takes(sys.stdout):  # then it is something else that has failed
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
