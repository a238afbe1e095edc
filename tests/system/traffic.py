"""Orders that come and go while a test looks at something else."""

import http.client
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from tests.system.daemon import Client, Daemon, Reply
from tests.system.listeners import Listener

AT_ONCE = 5
"""How many orders are active at a time."""


@dataclass
class Acknowledged:
    """A change that the gateway has confirmed."""

    change: tuple[str, str, str]
    sent: float
    confirmed: float


class Traffic:
    """Posts orders, gives them a table, clears them; what the gateway does not answer is posted again.

    A context manager: orders come while it is open.
    """

    def __init__(self, daemon: Daemon, pace: float = 0.04, first: int = 1000) -> None:
        self.acknowledged: list[Acknowledged] = []
        self.replies: list[Reply] = []
        self.errors = 0
        self._client = Client(daemon.port, daemon.secret, timeout=10.0)
        self._pace = pace
        self._first = first
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Traffic":
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._ends.set()
        self._thread.join(30)
        self._client.close()

    def _run(self) -> None:
        number = self._first
        while not self._ends.is_set():
            names = range(number, number + AT_ONCE)
            number += AT_ONCE
            for name in names:
                self._step("POST", "", {"name": str(name), "orderType": "ON_PREMISE"})
            for name in names:
                table = {"name": str(name), "orderType": "ON_PREMISE", "locationName": str(name % 90 + 1)}
                self._step("POST", "", table)
            for name in names:
                self._step("DELETE", f"/{name}", None)

    def _step(self, method: str, path: str, body: Any) -> None:
        """Make one change, for as long as it takes, unless the traffic has ended."""
        while not self._ends.is_set():
            sent = time.monotonic()
            try:
                reply = self._client.call(method, f"/api/v2/activeorders{path}", body)
            except (OSError, http.client.HTTPException):
                self.errors += 1
                self._ends.wait(0.01)
                continue
            self._note(reply, sent)
            self._ends.wait(self._pace)
            return

    def _note(self, reply: Reply, sent: float) -> None:
        self.replies.append(reply)
        if reply.status == 200:
            order = reply.fields["activeorder"]
            change = (order["uuid"], order["state"], order["locationName"])
            self.acknowledged.append(Acknowledged(change, sent, time.monotonic()))

    def refused(self) -> list[Reply]:
        """Return the replies that were no success."""
        return [reply for reply in self.replies if reply.status != 200]


def latencies(traffic: Traffic, listener: Listener) -> list[float]:
    """Return the seconds from posting each change to its arrival; infinity where it has not arrived."""
    arrived: dict[tuple[str, str, str], float] = {}
    for told in list(listener.told):
        arrived.setdefault(told.change, told.at)
    return [arrived.get(each.change, float("inf")) - each.sent for each in traffic.acknowledged]


def percentile(values: list[float], percent: float) -> float:
    """Return the value below which ``percent`` of ``values`` lie."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))]


def check_prompt(traffic: Traffic, listener: Listener, most: float = 0.25) -> float:
    """Fail unless the listener got all of the traffic, 99 % of it within ``most`` seconds; return that figure."""
    seen = latencies(traffic, listener)
    worst = percentile(seen, 99)
    assert worst < most, f"p99 {worst * 1000:.0f} ms of {len(seen)}, the worst {sorted(seen)[-5:]}"
    return worst
