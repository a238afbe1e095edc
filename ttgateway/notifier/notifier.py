"""The notifier: one delivery queue a listener."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ttgateway.clock import Clock
from ttgateway.figures import DeliveryFigures
from ttgateway.gateway import Gateway
from ttgateway.notifier import backoff
from ttgateway.notifier.attempt import Network
from ttgateway.notifier.owner import Owned, Owner
from ttgateway.notifier.places import Places
from ttgateway.notifier.queue import ListenerQueue
from ttgateway.notifier.states import Event
from ttgateway.store.listeners import Listener, Progress
from ttgateway.store.store import Store
from ttgateway.watcher import NOT_TOLD, AttemptRecord, Status

GRACE = 5.0
"""Seconds that an attempt in flight has to end when the gateway stops."""

START_SPREAD = 0.5
"""Seconds over which the queues of healthy listeners start after a power-up."""

DOWN_AFTER = 6
"""Failures in a row after which a listener counts as down: the quick tries are used up (`backoff`)."""


class Notifier:
    """Tells every registered listener of every order change."""

    _log = Logger()

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
        self._troubled: dict[str, set[Owned]] = {}
        self._running = False
        self.figures = DeliveryFigures()
        self._all_stopped: Deferred[None] | None = None
        self._owner = Owner(
            journal=store.journal,
            cursors=store.cursors,
            clock=clock,
            timers=timers,
            network=network,
            places=Places(),
            figures=self.figures,
            jitter=jitter,
            epoch=store.epoch,
            in_trouble=self._in_trouble,
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
        self._journal.watch(self._wake)
        self._running = True
        for queue in list(self._queues.values()):
            if queue.progress.failures:
                self._in_trouble(queue)
                queue.begin(backoff.at_start(queue.progress.delay, self._jitter()))
            else:
                queue.begin(self._jitter() * START_SPREAD)

    def stop(self) -> Deferred[None]:
        """Start no new attempt; fires when those in flight have ended, or after `GRACE` seconds."""
        self._running = False
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
            return
        queue = self._queues[listener.id] = ListenerQueue(listener, progress, self._owner)
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
        for queue in tuple(self._troubled.get(host, ())):
            queue.happen(Event.HEARD)

    def status(self, listener: Listener) -> Status:
        """Return how it stands with a listener."""
        queue = self._queues.get(listener.id)
        if queue is None:  # it was removed just now, or is stopped
            return NOT_TOLD
        progress, now = queue.progress, self._clock.now().wall
        oldest = self._journal.recent(progress.cursor)
        since = oldest.at if oldest is not None else progress.failing_since
        state = "down" if progress.failures > DOWN_AFTER else "retrying" if queue.trouble.exists else "healthy"
        pending = self._journal.last - progress.cursor
        return Status(
            state=state,
            pending=pending,
            oldest_pending=max(0.0, now - since) if pending and since is not None else 0.0,
            next_attempt=queue.next_attempt(),
        )

    def attempts(self, listener: Listener) -> list[AttemptRecord]:
        """Return the last attempts at a listener, newest first."""
        queue = self._queues.get(listener.id)
        return [] if queue is None else queue.calls.logbook.newest()

    def _wake(self) -> None:
        for queue in self._queues.values():
            queue.happen(Event.WAKE)

    def _in_trouble(self, queue: Owned) -> None:
        """Remember where a sign of life of this listener would come from."""
        self._troubled.setdefault(queue.host, set()).add(queue)

    def _recovered(self, queue: Owned) -> None:
        self._log.info("{url} is back", url=queue.listener.url)
        self._forget_trouble(queue)

    def _forget_trouble(self, queue: Owned) -> None:
        for host in [host for host, queues in self._troubled.items() if queue in queues]:
            self._troubled[host].discard(queue)
            if not self._troubled[host]:
                del self._troubled[host]

    def _gone(self, queue: Owned) -> None:
        """The listener answered 410: it wants nothing more."""
        self._log.info("{url} answered 410 Gone: it is removed", url=queue.listener.url)
        ensureDeferred(self._registry.remove(queue.listener)).addErrback(self._not_removed)

    def _not_removed(self, failure: Failure) -> None:
        self._log.error("A listener could not be removed: {error!r}", error=failure.value)

    def _stopped(self, queue: Owned) -> None:
        self._queues.pop(queue.listener.id, None)
        self._forget_trouble(queue)
        if self._all_stopped is not None and not self._queues:
            self._all_stopped.callback(None)

    def _end(self) -> None:
        for queue in list(self._queues.values()):
            queue.happen(Event.STOP)
