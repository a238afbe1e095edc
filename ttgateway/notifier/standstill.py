"""Queues that stand still although they have something to do: of these there should be none, ever."""

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.interfaces import IReactorTime

from ttgateway.notifier.places import Places
from ttgateway.notifier.queue import ListenerQueue
from ttgateway.notifier.states import State
from ttgateway.store.tables.journal import Journal

STANDS = 30.0
"""Seconds after which a queue stands still: an attempt, and the HEAD that may follow, have ten each, and an end."""


class Standstill:
    """Looks at all queues from time to time.

    A queue has something to do when an attempt is under way, when its backoff is over, when it waits for a place, or
    when it is idle and a change waits that its listener wants. One that does the same thing for longer than `STANDS`
    seconds stands still. One that reads from the file does not: that is for the store to answer.
    """

    def __init__(
        self, queues: Callable[[], Iterable[ListenerQueue]], journal: Journal, places: Places, timers: IReactorTime
    ) -> None:
        self._queues = queues
        self._journal = journal
        self._places = places
        self._timers = timers
        self._since: dict[ListenerQueue, tuple[Any, float]] = {}  # of those with something to do: what, and since when

    def found(self) -> bool:
        """Tell whether a queue stands still."""
        now, before = self._timers.seconds(), self._since
        self._since = {}
        for queue in self._queues():
            if (doing := self._doing(queue)) is not None:
                known, since = before.get(queue, (None, now))
                self._since[queue] = (doing, since if known == doing else now)
        return any(now - since > STANDS for _, since in self._since.values())

    def _doing(self, queue: ListenerQueue) -> tuple[Any, ...] | None:
        """Return what the queue should be doing right now, equal for as long as it is the same; ``None``: nothing."""
        state, progress = queue.state, queue.progress
        if state is State.IDLE:
            if progress.cursor == self._journal.last and not progress.replaying:
                return None
            wanted = progress.replaying or self._journal.last_of(queue.listener.events) > progress.cursor
            return (state, progress.cursor, progress.replay_after) if wanted else None
        if state is State.BACKING_OFF:
            return None if queue.next_attempt() else (state, progress.attempts)
        if state is State.WAITING:
            return (state, self._places.granted)
        if state in (State.SENDING, State.PROBING):
            return (state, queue.calls.began)
        return None
