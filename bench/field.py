"""The field: who is measured beside whom, under which names, and what each of them needs to be there."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.contenders import Contender, Ours, Script
from bench.measuring import Measured, measure, measure_wrk
from bench.sink import Sink

OURS = "ttgateway"
FLOOR = "floor"
DIRECT = "floor-direct"
WRK = "wrk"
AIOHTTP = "aiohttp"
TREQ = "treq"
REQUESTS = "requests"
CELERY = "celery"

PEERS_PYTHON = Path(__file__).parent.parent / ".venv-bench/bin/python"
"""Has what is in ``bench/requirements.txt``; ``make bench`` makes it."""


@dataclass(frozen=True)
class Entry:
    """A contender: what it is, how it is measured, and which programs that takes."""

    about: str
    measure: Callable[[Sink, int, float], Measured]
    needs: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Return what it needs and is not there."""
        return [program for program in self.needs if shutil.which(program) is None]


def _fed(make: Callable[[Sink, int], Contender], sink: Sink, listeners: int, seconds: float) -> Measured:
    return measure(lambda: make(sink, listeners), sink, listeners, seconds)


def _script(about: str, module: str, *words: str, needs: tuple[str, ...] = (), pinned: bool = True) -> Entry:
    """Return an entry for a script of a user's; ours needs nothing but what we have."""
    python = sys.executable if module == "floor" else str(PEERS_PYTHON)
    return Entry(about, partial(_fed, Script(module, words, python, pinned)), (python, *needs))


FIELD = {
    OURS: Entry("this gateway, durable, everything on", partial(_fed, Ours)),
    FLOOR: _script("Twisted and httptools, ``transport.write``", "floor", "write"),
    DIRECT: _script("the same, writing to the socket itself", "floor", "direct"),
    WRK: Entry("C; the same body over and over again", measure_wrk, ("wrk",)),
    AIOHTTP: _script("a script: a queue in memory and a task a listener", "with_aiohttp"),
    TREQ: _script("a script: a queue in memory and a loop a listener", "with_treq"),
    REQUESTS: _script("a script: a queue in memory and a thread a listener", "with_requests", pinned=False),
    CELERY: _script("Redis, two workers, ``acks_late``", "with_celery", needs=("redis-server",), pinned=False),
}
