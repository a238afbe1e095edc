"""The daemon as it is measured: the real one, with every setting as it comes and a bridge to feed it through."""

import http.client
import os
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from bench import processes
from tests.system.daemon import Daemon, free_port

TRACKERS = 100
"""So many trackers are moved between two tables, one after the other: each line of `moves` is one change."""

SENDS_WITHIN = 30.0

_CYCLE = [
    b'{"tracker":"%d","event":"located","location":"%d"}\n' % (tracker, table)
    for table in (1, 2)
    for tracker in range(1, TRACKERS + 1)
]


def moves(first: int, count: int) -> bytes:
    """Return ``count`` lines for the bridge, of which the first is number ``first`` of all, from 0."""
    begin = first % len(_CYCLE)
    return b"".join((_CYCLE * ((begin + count) // len(_CYCLE) + 1))[begin : begin + count])


class Gateway(Daemon):
    """A daemon on the processor for what is measured, with its state on a real disk; `close` ends and removes both.

    ``settings`` are TOML without a ``[bridge]``; ``before`` are words that go before its command.
    """

    def __init__(self, settings: str = "", before: Sequence[str] = ()) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="ttgateway-bench-", ignore_cleanup_errors=True)
        self._bridge = free_port()
        self._before = ["taskset", "-c", str(processes.cores()[0]), *before]
        bridge = f'[bridge]\nlisten = "tcp:127.0.0.1:{self._bridge}"\n'
        super().__init__(Path(self._temporary.name), settings + bridge)

    def command(self) -> list[str]:
        """Return the command line."""
        return [*self._before, *super().command()]

    def bridge(self) -> socket.socket:
        """Return a connection to its radio bridge."""
        return connected(self._bridge)

    def scrape(self) -> dict[str, float]:
        """Return each sample of the metrics, by its name and its labels' values."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {self.secret}"})
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        return {
            " ".join((sample.name, *sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def close(self) -> None:
        """End the process at once, and remove its state."""
        self.end()
        self._temporary.cleanup()


def connected(port: int) -> socket.socket:
    """Return a connection that sends a line at once: without this, one waits until the line before is acknowledged."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=SENDS_WITHIN)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def filesystem(folder: Path) -> str:
    """Return the type of the file system on which ``folder`` lies."""
    real = folder.resolve()
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    above = [(point, kind) for point, kind in mounts if real.is_relative_to(point)]
    return max(above, key=lambda mount: len(mount[0]))[1] if above else os.uname().sysname
