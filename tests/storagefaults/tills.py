"""Tills that post each order once and note what they were answered; and what must be true of it in the end."""

import http.client
import subprocess
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise

from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener

BROKEN_OFF = (AssertionError, OSError, http.client.HTTPException, subprocess.TimeoutExpired)
"""What is raised where the gateway does not start, end or answer, on whatever socket."""

ALLOWED = {200, 503, 507}
"""What a till may be answered: the order is taken, or refused for now."""


@dataclass
class Answers:
    """What the tills were answered, by the names of orders; ``odd`` is what they never should have been."""

    taken: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    odd: list[str] = field(default_factory=list)
    last_taken: float = 0.0


class Tills:
    """Threads that start an order and clear it, over and over, while this is open; one more reads the history."""

    def __init__(self, daemon: Daemon, first: str, count: int = 3) -> None:
        self._daemon = daemon
        self._first = first
        self._ends = threading.Event()
        self.answers = Answers()
        self._threads = [threading.Thread(target=self._post, args=(number,), daemon=True) for number in range(count)]
        self._threads.append(threading.Thread(target=self._browse, daemon=True))

    def __enter__(self) -> "Tills":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(30)

    def _post(self, till: int) -> None:
        client = Client(self._daemon.port, self._daemon.secret, timeout=10.0)
        number = 0
        while not self._ends.wait(0.002):
            number += 1
            name = f"{self._first}{till}{number:05}"
            try:
                self._one(client, name)
            except (OSError, http.client.HTTPException):
                self._ends.wait(0.02)
        client.close()

    def _one(self, client: Client, name: str) -> None:
        """Start an order; where that was taken, end it."""
        answers = self.answers
        answers.unanswered.add(name)
        reply = client.post_order(name)
        answers.unanswered.discard(name)
        if reply.status == 200:
            order = reply.fields["activeorder"]
            answers.taken[name] = (order["uuid"], order["state"], order["locationName"])
            answers.last_taken = time.monotonic()
            reply = client.clear_order(name)
        else:
            answers.refused.add(name)
            self._ends.wait(0.01)
        self._note(reply.status, f"order {name}: {reply.fields}")

    def _browse(self) -> None:
        client = Client(self._daemon.port, self._daemon.secret, timeout=10.0)
        while not self._ends.wait(0.05):
            try:
                for path in ("/api/v2/orders?limit=50", "/healthz"):
                    self._note(client.call("GET", path).status, path)
            except (OSError, http.client.HTTPException):
                self._ends.wait(0.02)
        client.close()

    def _note(self, status: int, what: str) -> None:
        if status not in ALLOWED:
            self.answers.odd.append(f"{status} for {what}")

    def back_within(self, seconds: float) -> float:
        """Return how long from now it takes until an order is taken again; fail if it is longer than ``seconds``."""
        now = time.monotonic()
        eventually(lambda: self.answers.last_taken > now, seconds)
        return self.answers.last_taken - now


def broken(answers: Answers, listener: Listener, daemon: Daemon, told_before: int = 0) -> list[str]:
    """Return what is not as was answered, once the gateway is back to work and all is told.

    ``told_before`` is the last seq that was told before these answers.
    """
    eventually(lambda: all(shown["pending"] == 0 for shown in daemon.control("GET", "/listeners")), 20.0)
    told = {each.change for each in list(listener.told)}
    names = {each.fields["name"] for each in list(listener.told)}
    failures = [
        f"order {name} was taken and is not told" for name, change in answers.taken.items() if change not in told
    ]
    failures += [f"order {name} was refused and is told" for name in answers.refused if name in names]
    failures += answers.odd
    # Told again is what was told in the last 50 ms before a kill, perhaps in an earlier case; and by the snapshot that
    # a recovery makes due, which orders stand active since then.
    in_order = [each.seq for each in list(listener.told) if each.headers.get("ttgateway-flags") != "snapshot"]
    seqs = [seq for seq in dict.fromkeys(in_order) if seq > told_before]
    if seqs != sorted(seqs):
        at = next(number for number, (one, other) in enumerate(pairwise(seqs)) if one > other)
        failures.append(
            f"told out of order: {seqs[max(0, at - 2) : at + 4]}; damage: {daemon.control('GET', '/damage')}"
        )
    return failures[:5]


def tracebacks(daemon: Daemon) -> list[str]:
    """Return the lines of the log that no fault of the disk may bring about."""
    return [line for line in daemon.log().splitlines() if "Traceback" in line or "Unhandled" in line][:3]
