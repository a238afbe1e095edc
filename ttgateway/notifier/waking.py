"""Whom a change wakes: the queues of all listeners that want changes of its type.

The others pass over it with the next one that they want, or after a while, or when somebody asks how they stand: ten
thousand listeners that want pages only are not ten thousand things to do at each change.
"""

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ttgateway.notifier.owner import Owned
from ttgateway.notifier.states import Event
from ttgateway.store.tables.journal import Journal

REST = 2.0
"""Seconds after which changes that a listener does not want are passed over, at the latest."""


class Waking:
    """All queues, by the types of change that their listeners want."""

    def __init__(self, journal: Journal, timers: IReactorTime) -> None:
        self._journal = journal
        self._timers = timers
        self._wanting: dict[tuple[str, ...], dict[Owned, None]] = {}
        self._wants: dict[Owned, tuple[str, ...]] = {}
        self._woken = journal.last  # for changes up to this seq everybody was woken who wants them
        self._timer: IDelayedCall | None = None

    def add(self, queue: Owned) -> None:
        """Wake ``queue`` for what its listener wants, from now on; also where it wanted something else before."""
        self.remove(queue)
        self._wants[queue] = queue.listener.events
        self._wanting.setdefault(queue.listener.events, {})[queue] = None

    def remove(self, queue: Owned) -> None:
        """Wake ``queue`` no more."""
        wanted = self._wants.pop(queue, None)
        if wanted is not None:
            del self._wanting[wanted][queue]
            if not self._wanting[wanted]:
                del self._wanting[wanted]

    def changed(self) -> None:
        """There are more changes in the journal."""
        since, self._woken = self._woken, self._journal.last
        for events, queues in list(self._wanting.items()):
            if self._journal.last_of(events) > since:
                _wake(queues)
            elif self._timer is None:
                self._timer = self._timers.callLater(REST, self._rested)

    def settle(self) -> None:
        """Let everybody pass over at once what its listener does not want."""
        self._cancel()
        for events, queues in list(self._wanting.items()):
            if events:
                _wake(queues)

    def stop(self) -> None:
        """Wake nobody any more."""
        self._cancel()
        self._wanting.clear()
        self._wants.clear()

    def _rested(self) -> None:
        self._timer = None
        self.settle()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _wake(queues: dict[Owned, None]) -> None:
    for queue in list(queues):
        queue.happen(Event.WAKE)
