"""The honest ones: tills that show a secret, and a stranger that has none. Each is a thread with an even pace."""

import http.client
import itertools
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from tests.system.daemon import Client

PATIENCE = 3.0
"""Seconds that a connection may take before it counts as lost."""


@dataclass
class Waits:
    """How long calls took, in seconds, and how many tries failed; a call that was tried again took all of the time."""

    taken: list[float] = field(default_factory=list)
    broken: int = 0

    def percentile(self, percent: float) -> float:
        """Return the time within which ``percent`` of the calls were answered, in milliseconds."""
        ranked = sorted(self.taken)
        return 1e3 * ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))] if ranked else 0.0

    @property
    def longest(self) -> float:
        """The longest, in milliseconds."""
        return 1e3 * max(self.taken, default=0.0)

    def __str__(self) -> str:
        """Return the figures in a few words."""
        broken = f", {self.broken} broken" if self.broken else ""
        figures = f"p50 {self.percentile(50):.1f} p99 {self.percentile(99):.1f} max {self.longest:.1f} ms"
        return f"{figures} of {len(self.taken)}{broken}"


class Caller(ABC):
    """Calls at an even pace of ``rate`` a second, from when it is started until it is stopped."""

    def __init__(self, port: int, secret: str, source: str, rate: float, *, fresh: bool) -> None:
        self.waits = Waits()
        self._client = Client(port, secret, source, PATIENCE)
        self._every = 1 / rate
        self._fresh = fresh
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Call no more; a call under way is waited for."""
        self._over.set()
        self._thread.join(30.0)
        self._client.close()

    @abstractmethod
    def call(self, client: Client) -> None:
        """Make one call; raise ``OSError`` or ``HTTPException`` where it failed."""

    def _run(self) -> None:
        began = time.monotonic()
        for number in itertools.count():
            if self._over.wait(max(0.0, began + number * self._every - time.monotonic())):
                return
            self._call()

    def _call(self) -> None:
        """Make one call, again and again until it is answered."""
        began = time.monotonic()
        while True:
            if self._fresh:
                self._client.close()
            try:
                self.call(self._client)
            except (OSError, http.client.HTTPException):
                self.waits.broken += 1
                if self._over.wait(0.01):
                    self.waits.taken.append(time.monotonic() - began)
                    return
                continue
            self.waits.taken.append(time.monotonic() - began)
            return


class Till(Caller):
    """Posts orders, with a secret. ``confirmed`` tells when which change was confirmed, by its name and table."""

    _names = itertools.count(1)

    def __init__(self, port: int, secret: str, source: str = "127.0.0.1", rate: float = 30.0, *, fresh: bool) -> None:
        super().__init__(port, secret, source, rate, fresh=fresh)
        self.confirmed: dict[tuple[str, str, str], float] = {}
        self.refused: list[int] = []

    def call(self, client: Client) -> None:
        """Start an order with a table; end it."""
        name = str(900_000 + next(self._names) % 90_000)
        sent = time.monotonic()
        reply = client.post_order(name, "7")
        if reply.status != 200:
            self.refused.append(reply.status)
            return
        order = reply.fields["activeorder"]
        self.confirmed[order["uuid"], order["state"], order["locationName"]] = sent


class Stranger(Caller):
    """Asks which gateway this is, without a secret, on a new connection each time."""

    def __init__(self, port: int, source: str = "127.0.0.9", rate: float = 10.0) -> None:
        super().__init__(port, "", source, rate, fresh=True)

    def call(self, client: Client) -> None:
        """Ask."""
        if client.call("GET", "/api/v2").status != 200:
            raise ConnectionError("not served")
