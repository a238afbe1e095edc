"""The delivery queue of one listener: an explicit state machine, drawn in ``docs/listener-queue.svg``.

Strictly in order, one POST in flight, until the listener answers 2xx. The queue holds no changes: it is the
listener's cursor into the journal, a state, and what that state waits for. `states.TRANSITIONS` says which of the
methods below each state calls at each event.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from ttgateway.notifier.attempt import DELIVERY, Attempt, Destination
from ttgateway.notifier.callback import CallbackURL
from ttgateway.notifier.outcome import Outcome, Verdict, works
from ttgateway.notifier.owner import Owner
from ttgateway.notifier.progress import delivered, parked, passed_over
from ttgateway.notifier.request import head_request, post_request, post_start
from ttgateway.notifier.states import TRANSITIONS, Event, State
from ttgateway.notifier.trouble import Trouble
from ttgateway.notifier.upcoming import Delivery, Upcoming
from ttgateway.store.entry import DamagedEntryError
from ttgateway.store.listeners import Listener, Parked, Progress

UNREADABLE = 1.0
"""Seconds before the journal is read again after it could not be."""


class ListenerQueue:
    """The queue of one listener. `happen` feeds it its events."""

    __slots__ = (
        "_attempt",
        "_delivery",
        "_destination",
        "_owner",
        "_placed",
        "_start",
        "_timer",
        "_upcoming",
        "listener",
        "progress",
        "state",
        "trouble",
    )
    _log = Logger()

    def __init__(self, listener: Listener, progress: Progress, owner: Owner) -> None:
        self.listener = listener
        self.progress = progress
        self.state = State.IDLE
        self._owner = owner
        self._destination = Destination(CallbackURL.parse(listener.url), owner.network)
        self._start = post_start(self._destination.url)
        self._upcoming = Upcoming(listener, progress, owner.journal, owner.clock)
        self._delivery: Delivery | None = None
        self._attempt: Attempt | None = None
        self._timer: IDelayedCall | None = None
        self.trouble = Trouble(progress, owner)
        self._placed = False  # holds one of the places for listeners in trouble

    @property
    def host(self) -> str:
        """Where the listener was last reached, or is to be: an address, or a name that was never found."""
        address = self._destination.address
        return str(address) if address is not None else self._destination.url.host

    def happen(self, event: Event, what: Any = None) -> None:
        """Let ``event`` happen.

        ``what`` is the `Outcome` of ``ENDED``, the `Failure` of a ``READ`` that failed, and for ``HEARD`` whether the
        listener has registered again.
        """
        _ACTIONS[self.state][event](self, what)

    def begin(self, delay: float) -> None:
        """Start to deliver, ``delay`` seconds from now, if anything waits."""
        if self._upcoming.next() is not None or self._upcoming.must_read():
            self._back_off(delay)

    def renew(self, listener: Listener) -> None:
        """The listener registered again, perhaps with other wishes: what is being sent is sent as it was."""
        self.listener = listener
        self._upcoming.renew(listener)
        if self._delivery is not None:
            self._delivery = self._delivery.alone()
        self.trouble.registered()
        self.happen(Event.WAKE)
        self.happen(Event.HEARD, True)

    def next_attempt(self) -> float | None:
        """Return in how many seconds the next attempt is due; ``None`` if none is planned."""
        return None if self._timer is None else max(0.0, self._timer.getTime() - self._owner.timers.seconds())

    # What the transitions do.

    def _ignore(self, _: object) -> None:
        """Nothing to do: the state looks for itself when it ends."""

    def _impossible(self, what: object) -> None:
        raise RuntimeError(f"an event that cannot happen to a queue that is {self.state.value}: {what!r}")

    def _look(self, _: object = None) -> None:
        """See what comes next, and go about it."""
        cursor = self.progress.cursor
        delivery = self._upcoming.next()
        if self.progress.cursor != cursor:  # passed over what the listener does not want
            self._owner.cursors.moved(self.listener.id, self.progress)
        if delivery is not None:
            self._ask_place()
        elif self._upcoming.must_read():
            self.state = State.READING
            self._upcoming.read().addBoth(lambda result: self.happen(Event.READ, result))
        else:
            self.state = State.IDLE

    def _read(self, result: object) -> None:
        """A page was read, or could not be; a damaged one is made good by a snapshot."""
        if not isinstance(result, Failure):
            self._look()
        elif result.check(DamagedEntryError):
            self._log.error("{error}; {url} gets a snapshot", error=result.value, url=self.listener.url)
            self.progress.snapshot_due = True
            self._look()
        else:
            self._log.error("The journal cannot be read: {error!r}", error=result.value)
            self._back_off(UNREADABLE)

    def _ask_place(self) -> None:
        if self.trouble.needs_place:
            self.state = State.WAITING
            self._owner.places.ask(self, lambda: self.happen(Event.PLACED))
        else:
            self._send()

    def _have_place(self, _: object) -> None:
        self._placed = True
        self._send()

    def _skip_line(self, _: object) -> None:
        self._owner.places.leave(self)
        self._send()

    def _send(self) -> None:
        """Make an attempt at the delivery that comes next."""
        delivery = self._delivery = self._upcoming.next()
        if delivery is None:  # the wait changed what comes next
            self._give_place_back()
            self._look()
            return
        progress, owner = self.progress, self._owner
        progress.attempts += 1
        request = post_request(
            self._start,
            webhook_id=f"{owner.epoch}.{delivery.seq}{delivery.mark}",
            timestamp=int(owner.clock.now().wall),
            previous=progress.previous,
            attempt=progress.attempts,
            flags=delivery.flags,
            secret=self.listener.secret,
            body=delivery.body,
        )
        self.state = State.SENDING
        self.trouble.trying()
        self._begin_attempt(request, head=False)

    def _begin_attempt(self, request: bytes, *, head: bool) -> None:
        self._attempt = Attempt(self._destination, request, self._attempt_ended, DELIVERY, head)
        self._attempt.start()

    def _attempt_ended(self, outcome: Outcome) -> None:
        self._attempt = None
        self.happen(Event.ENDED, outcome)

    def _settle(self, outcome: Outcome) -> None:
        """Do what the outcome of an attempt asks for."""
        if outcome.verdict is Verdict.DELIVERED:
            self._delivered()
            self._look()
        elif outcome.verdict is Verdict.REFUSED:
            self._refused(outcome)
        else:
            self._failed(outcome)
            if outcome.verdict is Verdict.GONE:
                self._owner.gone(self)

    def _delivered(self) -> None:
        assert self._delivery is not None  # noqa: S101  # an attempt was under way
        if self.progress.failures:
            self._owner.recovered(self)
            self._give_place_back()
        delivered(self.progress, self._delivery, self._owner.clock.now().wall)
        self._next()

    def _next(self) -> None:
        """What was made ready is dealt with."""
        self._upcoming.done()
        self._delivery = None
        self.trouble.over()
        self._owner.cursors.moved(self.listener.id, self.progress)

    def _failed(self, outcome: Outcome) -> None:
        """The listener is down: wait, and try the same again."""
        self._back_off(self.trouble.failed(outcome))
        self._owner.cursors.moved(self.listener.id, self.progress)
        self._owner.in_trouble(self)

    def _refused(self, outcome: Outcome) -> None:
        """The listener works, and does not take this change: a few more tries, then it is parked."""
        delay = self.trouble.refused(outcome)
        self._owner.cursors.moved(self.listener.id, self.progress)
        if delay is not None:
            self._back_off(delay)
        elif outcome.status == 500:
            self.state = State.PROBING
            self._begin_attempt(head_request(self._destination.url), head=True)
        else:
            self._park()

    def _probed(self, outcome: Outcome) -> None:
        """After five times 500: a listener that answers a HEAD works, and only chokes on this change."""
        if works(outcome):
            self._park()
        else:
            self.trouble.over()
            self._failed(outcome)

    def _park(self) -> None:
        """Keep the change for the operator, and go on with the next: it tells the whole state anyway."""
        delivery = self._delivery
        assert delivery is not None  # noqa: S101  # an attempt was under way
        self._give_place_back()
        if delivery.is_change:
            now, cause = self._owner.clock.now().wall, self.progress.last_cause
            self._log.warn(
                "{url} refuses change {seq} ({cause}): parked", url=self.listener.url, seq=delivery.seq, cause=cause
            )
            parked(self.progress, delivery)
            self._owner.cursors.parked(Parked(self.listener.id, delivery.seq, now, cause, delivery.body), self.progress)
        else:
            passed_over(self.progress, delivery)
        self._next()
        self._look()

    def _back_off(self, delay: float) -> None:
        self._give_place_back()
        self.state = State.BACKING_OFF
        self._timer = self._owner.timers.callLater(delay, self._backed_off)

    def _backed_off(self) -> None:
        self._timer = None
        self.happen(Event.DUE)

    def _hurry(self, registered: bool | None) -> None:
        """A sign of life ends the backoff at once."""
        if self.trouble.ends_early(bool(registered)):
            self._cancel_timer()
            self._look()

    def _note_heard(self, _: object) -> None:
        self.trouble.heard()

    def _finish(self, _: object) -> None:
        """Told to stop: what is in flight may still end."""
        self.state = State.STOPPING

    def _settle_last(self, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.DELIVERED:
            self._delivered()
        self._stop()

    def _stop(self, _: object = None) -> None:
        """End at once, whatever is under way."""
        self.state = State.STOPPED
        self._cancel_timer()
        self._owner.places.leave(self)
        self._give_place_back()
        if self._attempt is not None:
            self._attempt.cancel()
            self._attempt = None
        self._destination.close()
        self._owner.stopped(self)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_place_back(self) -> None:
        if self._placed:
            self._placed = False
            self._owner.places.release()


_ACTIONS: dict[State, dict[Event, Callable[[ListenerQueue, Any], None]]] = {
    state: {event: getattr(ListenerQueue, f"_{name}") for event, name in row.items()}
    for state, row in TRANSITIONS.items()
}
