"""The daemon on a store that was made for it, as a contender that is timed as it starts."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from bench import processes
from bench.contenders import STARTS_WITHIN
from bench.daemon import Gateway, moves
from bench.sink import Sink
from tests.system.daemon import eventually


class Prepared:
    """The daemon on a copy of the store in ``template``, which holds ``changes`` changes.

    Once it is started ``serving`` and ``telling`` are the seconds from its start until it answered a request, and until
    the first delivery arrived: some listener at the sink must wait for a change.
    """

    def __init__(self, sink: Sink, template: Path, changes: int, settings: str = "") -> None:
        self._sink, self._template, self._changes = sink, template, changes
        self.gateway = Gateway(settings=settings)
        self.serving = self.telling = 0.0

    def __enter__(self) -> Self:
        """Start it; each change that waits for a listener is being told by then."""
        shutil.copytree(self._template, self.gateway.state)
        self.begin()
        self.feed = self.gateway.bridge()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it at once."""
        self.feed.close()
        self.gateway.close()

    def begin(self) -> None:
        """Start the process, and time it."""
        gateway, sink = self.gateway, self._sink
        sink.reset()
        gateway.begin()
        eventually(gateway.serves, STARTS_WITHIN)
        self.serving = time.monotonic() - gateway.started_at
        eventually(sink.count, STARTS_WITHIN)
        self.telling = sink.arrivals()[0].at / 1e9 - gateway.started_at

    def lines(self, first: int, count: int) -> bytes:
        """Return lines for the bridge, which go on where the store ends."""
        return moves(self._changes + first, count)

    def seq(self, number: int) -> int:
        """Return the seq of line ``number``."""
        return self._changes + 1 + number

    def pids(self) -> list[int]:
        """Return the process; its threads are in it."""
        return [self.gateway.process.pid]

    def figures(self) -> dict[str, float]:
        """Return the metrics."""
        return self.gateway.scrape()


@contextmanager
def keeping_aside() -> Iterator[int]:
    """Keep this process off the processor of what is measured meanwhile; give the one that it is on."""
    aside, before = processes.cores()[1], os.sched_getaffinity(0)
    os.sched_setaffinity(0, {aside})
    try:
        yield aside
    finally:
        os.sched_setaffinity(0, before)
