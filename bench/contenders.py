"""Who is measured: our daemon, and each program that could stand in its place, all fed and driven alike."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from bench import bodies, processes
from bench.daemon import Gateway, connected, moves
from bench.sink import Sink

STARTS_WITHIN = 30.0
ENDS_WITHIN = 20.0


class Contender(Protocol):
    """A running program that tells ``listeners`` listeners at a sink of each line that it is fed."""

    feed: socket.socket

    def __enter__(self) -> Self:
        """Start it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""

    def lines(self, first: int, count: int) -> bytes:
        """Return ``count`` lines, of which the first is number ``first`` of all that it is fed, from 0."""

    def seq(self, number: int) -> int:
        """Return the seq of the change that line ``number`` makes."""

    def pids(self) -> list[int]:
        """Return all of its processes."""

    def figures(self) -> dict[str, float]:
        """Return what it counts itself, by name."""


class Ours:
    """The daemon, fed through its bridge."""

    def __init__(self, sink: Sink, listeners: int) -> None:
        self._sink, self._listeners = sink, listeners
        self._gateway = Gateway()

    def __enter__(self) -> Self:
        """Start it, and register the listeners."""
        gateway = self._gateway
        gateway.start()
        client = gateway.client()
        for number in range(self._listeners):
            reply = client.register(self._sink.url(number))
            if reply.status != 200:
                raise RuntimeError(f"not registered: {reply}")
        client.close()
        self.feed = gateway.bridge()
        self._base = int(self.figures()["ttgateway_last_seq"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and remove its state."""
        self.feed.close()
        self._gateway.close()

    def lines(self, first: int, count: int) -> bytes:
        """Return lines for the bridge."""
        return moves(first, count)

    def seq(self, number: int) -> int:
        """Return the seq of line ``number``: the first line of a tracker starts its order on the table, one change."""
        return self._base + 1 + number

    def pids(self) -> list[int]:
        """Return the process; its threads are in it."""
        return [self._gateway.process.pid]

    def figures(self) -> dict[str, float]:
        """Return the metrics."""
        return self._gateway.scrape()


@dataclass(frozen=True)
class Script:
    """A program of `bench.peers`: ``module`` and what goes before the port of the sink and the number of listeners.

    ``pinned`` keeps it on the one processor that our daemon has too.
    """

    module: str
    arguments: tuple[str, ...] = ()
    python: str = sys.executable
    pinned: bool = True

    def __call__(self, sink: Sink, listeners: int) -> "Peer":
        """Return one that can be started."""
        words = [self.python, "-m", f"bench.peers.{self.module}", *self.arguments, str(sink.port), str(listeners)]
        cores = processes.cores()
        return Peer(words, (cores[0],) if self.pinned else cores)


class Peer:
    """A running script: it prints the port of its feed when it is ready, and ends when its input does."""

    def __init__(self, command: Sequence[str], cores: Sequence[int]) -> None:
        self._command = ["taskset", "-c", ",".join(map(str, cores)), *command]

    def __enter__(self) -> Self:
        """Start it, and wait until it can be fed."""
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)  # noqa: S603
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], STARTS_WITHIN)
        port = self._process.stdout.readline() if ready else b""
        if not port:
            self._process.kill()
            raise RuntimeError(f"did not start: {' '.join(self._command)}")
        self.feed = connected(int(port))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and whatever it has started."""
        pids = self.pids()
        self.feed.close()
        self._process.terminate()
        try:
            self._process.wait(ENDS_WITHIN)
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def lines(self, first: int, count: int) -> bytes:
        """Return bodies."""
        return bodies.lines(first, count)

    def seq(self, number: int) -> int:
        """Return the seq of line ``number``."""
        return bodies.FIRST + number

    def pids(self) -> list[int]:
        """Return the process and all that it has started."""
        return processes.tree(self._process.pid)

    def figures(self) -> dict[str, float]:
        """Return nothing: it counts nothing."""
        return {}
