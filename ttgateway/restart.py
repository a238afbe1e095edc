"""Ending in order, and beginning anew in the same process: the store was found damaged, and a start recovers it."""

import atexit
import os
import signal
import sys
from typing import Any

AGAIN_AFTER = 5.0
"""Seconds that a gateway runs at the least before it begins anew: a disk that damages everything is no busy loop."""


def begin_anew(reactor: Any) -> None:
    """Stop ``reactor``, and run the same command line in place of this process when all has ended.

    That is after twistd has removed its PID file. SIGINT and SIGTERM until then have their way: the end is the end.
    """
    atexit.register(_again)

    def end(number: int, frame: object) -> None:
        atexit.unregister(_again)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    reactor.stop()


def _again() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606  # what is run is what was run
