"""The notifier: one delivery queue a listener."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from ttgateway.clock import Clock
from ttgateway.figures import DeliveryFigures
from ttgateway.gateway import Gateway
from ttgateway.notifier import backoff
from ttgateway.notifier.attempts.attempt import Network
from ttgateway.notifier.attempts.outcome import FORBIDDEN
from ttgateway.notifier.owner import Owned, Owner
from ttgateway.notifier.places import Places
from ttgateway.notifier.queue import ListenerQueue
from ttgateway.notifier.signs import SignsOfLife
from ttgateway.notifier.standstill import Standstill
from ttgateway.notifier.states import Event
from ttgateway.notifier.waking import Waking
from ttgateway.sparing import sparing_logger
from ttgateway.store.store import Store
from ttgateway.store.tables.listeners import Listener, Progress
from ttgateway.watcher import NOT_TOLD, AttemptRecord, Status

GRACE = 5.0
"""Seconds that an attempt in flight has to end when the gateway stops."""

START_SPREAD = 0.5
"""Seconds over which the queues of healthy listeners start after a power-up."""

DOWN_AFTER = 6
"""Failures in a row after which a listener counts as down: the quick tries are used up (`backoff`)."""


class Notifier:
    """Tells every registered listener of every order change."""

    _log = sparing_logger("ttgateway.notifier")

    def __init__(
        self,
        gateway: Gateway,
        store: Store,
        network: Network,
        clock: Clock,
        timers: IReactorTime,
        jitter: Callable[[], float],
    ) -> None:
        self._registry = gateway.registry
        self._journal = store.journal
        self._clock = clock
        self._timers = timers
        self._network = network
        self._jitter = jitter
        self._queues: dict[str, ListenerQueue] = {}
        self._waking = Waking(store.journal, timers)
        self._signs = SignsOfLife(timers)
        self._running = False
        self._over = False  # stopped, or about to be
        self.figures = DeliveryFigures()
        self._all_stopped: Deferred[None] | None = None
        places = Places()
        self.standstill = Standstill(self._queues.values, store.journal, places, timers)
        self._owner = Owner(
            journal=store.journal,
            cursors=store.cursors,
            clock=clock,
            timers=timers,
            network=network,
            places=places,
            figures=self.figures,
            jitter=jitter,
            epoch=store.epoch,
            in_trouble=self._signs.watch,
            recovered=self._recovered,
            gone=self._gone,
            stopped=self._stopped,
        )

    @property
    def running(self) -> bool:
        """Whether attempts at deliveries are begun."""
        return self._running

    def start(self) -> None:
        """Begin to deliver: to all at once, but spread by chance, so that a power-up is no stampede."""
        self._registry.watch(self)
        self._journal.watch(self._waking.changed)
        self._running = True
        for queue in list(self._queues.values()):
            if queue.progress.failures:
                self._signs.watch(queue)
                queue.begin(backoff.at_start(queue.progress.delay, self._jitter()))
            else:
                queue.begin(self._jitter() * START_SPREAD)

    def stop(self) -> Deferred[None]:
        """Start no new attempt; fires when those in flight have ended, or after `GRACE` seconds."""
        self._running = False
        self._over = True
        self._waking.stop()
        self._signs.stop()
        self._owner.places.close()  # or the first that stops would let the next in line begin
        for queue in list(self._queues.values()):
            queue.happen(Event.STOP)
        done: Deferred[None] = Deferred()
        if self._queues:
            self._all_stopped = done
            end = self._timers.callLater(GRACE, self._end)
            done.addCallback(lambda _: end.cancel() if end.active() else None)
        else:
            done.callback(None)
        return done.addCallback(lambda _: self._network.sweep.stop())

    def registered(self, listener: Listener, progress: Progress) -> None:
        """A listener registered: it has a queue from now on; or again: its backoff ends."""
        queue = self._queues.get(listener.id)
        if queue is not None:
            queue.renew(listener)
            self._waking.add(queue)
            return
        if self._over:
            return  # it was written last; the next start tells it
        queue = self._queues[listener.id] = ListenerQueue(listener, progress, self._owner)
        self._waking.add(queue)
        if self._running:
            queue.happen(Event.WAKE)

    def removed(self, listener: Listener) -> None:
        """A listener is told nothing more."""
        queue = self._queues.get(listener.id)
        if queue is not None:
            queue.happen(Event.DROP)

    def replay(self, listener: Listener) -> None:
        """A listener is told again what its progress says, before anything else."""
        queue = self._queues.get(listener.id)
        if queue is not None:
            queue.replay()

    def resync(self, listener: Listener) -> None:
        """A listener is told how things stand, in place of what waits."""
        queue = self._queues.get(listener.id)
        if queue is not None:
            queue.resync()

    def answered(self, listener: Listener) -> None:
        """A listener answered a HEAD: if it is in trouble, it is tried at once."""
        queue = self._queues.get(listener.id)
        if queue is not None:
            queue.trouble.answered()
            queue.happen(Event.HEARD)

    def heard(self, host: str) -> None:
        """A request came from ``host``: listeners there that are in trouble are tried at once."""
        self._signs.heard(host)

    def permitted(self) -> None:
        """The policy lets more be called than before: whoever it kept us from is tried at once."""
        for queue in list(self._queues.values()):
            if queue.progress.failures and queue.progress.last_cause == FORBIDDEN:
                queue.trouble.answered()  # no flood: an operator did this
                queue.happen(Event.HEARD)

    def settle(self) -> None:
        """Pass over at once what listeners do not want: so that the accounts are those of the present."""
        self._waking.settle()

    def status(self, listener: Listener) -> Status:
        """Return how it stands with a listener."""
        queue = self._queues.get(listener.id)
        if queue is None:  # it was removed just now, or is stopped
            return NOT_TOLD
        progress, now = queue.progress, self._clock.now().wall
        oldest = self._journal.oldest_known(progress.cursor)
        waited = 0.0 if oldest is None else self._journal.waited(oldest, now)
        if self._journal.recent(progress.cursor) is None and progress.failing_since is not None:
            waited = max(waited, now - progress.failing_since)  # what waits first is older than what is in memory
        state = "down" if progress.failures > DOWN_AFTER else "retrying" if queue.trouble.exists else "healthy"
        pending = self._journal.last - progress.cursor
        return Status(
            state=state,
            pending=pending,
            oldest_pending=waited if pending else 0.0,
            next_attempt=queue.next_attempt(),
        )

    def attempts(self, listener: Listener) -> list[AttemptRecord]:
        """Return the last attempts at a listener, newest first."""
        queue = self._queues.get(listener.id)
        return [] if queue is None else queue.calls.logbook.newest()

    def _recovered(self, queue: Owned) -> None:
        self._log.info("{url} is back", url=queue.listener.named)
        self._signs.forget(queue)

    def _gone(self, queue: Owned) -> None:
        """The listener answered 410: it wants nothing more."""
        self._log.info("{url} answered 410 Gone: it is removed", url=queue.listener.named)
        ensureDeferred(self._registry.remove(queue.listener)).addErrback(self._not_removed)

    def _not_removed(self, failure: Failure) -> None:
        self._log.error("A listener could not be removed: {error!r}", error=failure.value)

    def _stopped(self, queue: Owned) -> None:
        self._queues.pop(queue.listener.id, None)
        self._waking.remove(queue)
        self._signs.forget(queue)
        if self._all_stopped is not None and not self._queues:
            self._all_stopped.callback(None)

    def _end(self) -> None:
        for queue in list(self._queues.values()):
            queue.happen(Event.STOP)
