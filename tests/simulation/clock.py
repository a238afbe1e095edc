"""Simulated time: it passes from one event to the next, and costs nothing in between."""

import heapq
from collections.abc import Callable
from typing import Any

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

_Entry = tuple[float, int, "Callable[[], None] | DelayedCall", "Timers | None"]


class Timeline:
    """All that is going to happen, in order; what happens at the same time does so in the order of its planning."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events = 0
        self._heap: list[_Entry] = []
        self._planned = 0

    def after(self, delay: float, event: Callable[[], None]) -> None:
        """Let ``event`` happen ``delay`` seconds from now."""
        self.plan(self.now + delay, event, None)

    def plan(self, at: float, event: "Callable[[], None] | DelayedCall", timers: "Timers | None") -> None:
        """Let something happen at a time; only if ``timers``, those of its process, still run then."""
        self._planned += 1
        heapq.heappush(self._heap, (at, self._planned, event, timers))

    def run(self, until: float) -> None:
        """Let time pass."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            at, _, event, timers = heapq.heappop(heap)
            if timers is not None and not timers.running:
                continue
            if not isinstance(event, DelayedCall):
                self.now = at
                self.events += 1
                event()
            elif not (event.called or event.cancelled) and event.time <= at:
                if event.delayed_time:
                    event.activate_delay()
                    self.plan(event.time, event, timers)
                    continue
                self.now = at
                self.events += 1
                event.called = 1
                event.func(*event.args, **event.kw)
        self.now = until

    def waiting(self, timers: "Timers") -> list[DelayedCall]:
        """Return the delayed calls of one process that are still to come."""
        calls = (event for _, _, event, owner in self._heap if owner is timers and isinstance(event, DelayedCall))
        return [call for call in calls if not (call.called or call.cancelled)]


@implementer(IReactorTime)
class Timers:
    """The timers of one process; they end with it."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.running = True

    def seconds(self) -> float:
        return self._timeline.now

    def callLater(self, delay: float, callable: Callable[..., object], *args: Any, **kw: Any) -> DelayedCall:  # noqa: A002
        call = DelayedCall(
            self._timeline.now + delay, callable, args, kw, self._cancelled, self._earlier, lambda: self._timeline.now
        )
        if self.running:
            self._timeline.plan(call.time, call, self)
        return call

    def getDelayedCalls(self) -> list[DelayedCall]:  # noqa: N802
        return self._timeline.waiting(self)

    def _cancelled(self, call: DelayedCall) -> None:
        pass

    def _earlier(self, call: DelayedCall) -> None:
        self._timeline.plan(call.time, call, self)
