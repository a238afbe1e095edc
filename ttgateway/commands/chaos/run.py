"""A run: the acts are sent to the listener one by one, each when the one before was answered, as a gateway does."""

import uuid
from collections.abc import Iterator
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from ttgateway.clock import Clock
from ttgateway.commands.chaos.report import Report
from ttgateway.commands.chaos.script import Act, Manner
from ttgateway.commands.simulation.tempo import Tempo
from ttgateway.commands.terminal.ending import Ending
from ttgateway.commands.terminal.progress import Progress
from ttgateway.notifier.attempts.outcome import Outcome, Verdict
from ttgateway.notifier.attempts.request import post_request, post_start
from ttgateway.notifier.callbacks.callback import CallbackURL

RETRIES = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds before each further try at a listener that is down: what a gateway waits at first, without its chance."""


class Sends(Protocol):
    """The part of `Line` that a run needs."""

    async def send(self, request: bytes, manner: Manner) -> Outcome | None:
        """Send a request, and return what came of it; ``None`` where its answer is not waited for."""


class Run:
    """Sends acts to ``url`` on ``line``, signed with ``secret`` (``""``: not), and notes what came of them."""

    def __init__(
        self,
        url: CallbackURL,
        secret: str,
        line: Sends,
        report: Report,
        ending: Ending,
        timers: IReactorTime,
        clock: Clock,
    ) -> None:
        self._start = post_start(url)
        self._secret = secret
        self._line = line
        self._report = report
        self._ending = ending
        self._timers = timers
        self._clock = clock
        self._epochs: list[str] = []

    async def play(self, acts: Iterator[Act], speed: float | None, progress: Progress) -> None:
        """Send ``acts`` until there are no more, the end is asked for, or the listener is gone.

        ``speed`` seconds of the story take one second; ``None``: as fast as the listener answers.
        """
        tempo = None if speed is None else Tempo(self._timers, speed)
        for act in acts:
            due = 0.0 if tempo is None else tempo.wait(act.at)
            await self._ending.pause(max(act.wait, due))
            if self._ending.asked or not await self._deliver(act):
                return
            progress.show(f"{self._report.sent} requests sent")

    def epoch(self, journal: int) -> str:
        """Return the name of a journal: never one of another run, as a listener may have kept the ids of that."""
        while len(self._epochs) <= journal:
            self._epochs.append(uuid.uuid4().hex[:12])
        return self._epochs[journal]

    async def _deliver(self, act: Act) -> bool:
        """Send ``act`` until it is taken, or refused; tell whether the listener is still there."""
        for failures, wait in enumerate((*RETRIES, None)):
            began = self._timers.seconds()
            outcome = await self._line.send(self._request(act, failures), act.manner)
            self._report.answered(act, outcome, self._timers.seconds() - began)
            if outcome is None or outcome.verdict is Verdict.DELIVERED:
                return True
            if outcome.verdict is Verdict.GONE:
                self._report.given_up(act, "it answered 410, and would get nothing more")
                return False
            if outcome.verdict is Verdict.REFUSED:
                self._report.given_up(act, f"it answered {outcome.cause}; after five of these a gateway sets it aside")
                return True
            if wait is None:
                self._report.given_up(act, f"six tries came to nothing, the last one: {outcome.cause}")
                return False
            await self._ending.pause(wait)
            if self._ending.asked:
                return False
        return True

    def _request(self, act: Act, failures: int) -> bytes:
        delivery = act.delivery
        return post_request(
            self._start,
            f"{self.epoch(act.journal)}.{delivery.seq}{delivery.mark}",
            int(self._clock.wall()),
            act.previous,
            act.attempt + failures,
            delivery.flags,
            self._secret,
            delivery.body,
        )
