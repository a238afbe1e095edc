"""The delivery queue of one listener: an explicit state machine, drawn in ``docs/listener-queue.svg``.

Strictly in order, one POST in flight, until the listener answers 2xx. The queue holds no changes: it is the
listener's cursor into the journal, a state, and what that state waits for. `states.TRANSITIONS` says which of the
methods below each state calls at each event.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from ttgateway.notifier.accounts import Accounts
from ttgateway.notifier.attempts.calls import Calls
from ttgateway.notifier.attempts.outcome import Outcome, Verdict, works
from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.notifier.delivery import SNAPSHOT, Delivery
from ttgateway.notifier.owner import Owner
from ttgateway.notifier.states import TRANSITIONS, Event, State
from ttgateway.notifier.trouble import Trouble
from ttgateway.notifier.upcoming import Upcoming
from ttgateway.sparing import sparing_logger
from ttgateway.store.tables.entry import DamagedEntryError
from ttgateway.store.tables.listeners import Listener, Progress

UNREADABLE = 1.0
"""Seconds before the journal is read again after it could not be."""


class ListenerQueue:
    """The queue of one listener. `happen` feeds it its events."""

    __slots__ = (
        "_accounts",
        "_delivery",
        "_owner",
        "_placed",
        "_timer",
        "_upcoming",
        "calls",
        "listener",
        "progress",
        "state",
        "trouble",
    )
    _log = sparing_logger("ttgateway.notifier")

    def __init__(self, listener: Listener, progress: Progress, owner: Owner) -> None:
        self.listener = listener
        self.progress = progress
        self.state = State.IDLE
        self._owner = owner
        self.calls = Calls(CallbackURL.parse(listener.url), owner, partial(self.happen, Event.ENDED))
        self._upcoming = Upcoming(listener, progress, owner.journal, owner.clock)
        self._delivery: Delivery | None = None
        self._timer: IDelayedCall | None = None
        self.trouble = Trouble(progress, owner)
        self._accounts = Accounts(progress, owner)
        self._placed = False  # holds one of the places for listeners in trouble

    @property
    def host(self) -> str:
        """Where the listener was last reached, or is to be: an address, or a name that was never found."""
        return self.calls.host

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

    def replay(self) -> None:
        """The progress says what is to be told again: that is next."""
        self._upcoming.replay(telling=self._is_telling())
        self.happen(Event.WAKE)

    def resync(self) -> None:
        """Somebody asked for a snapshot."""
        self._upcoming.resync(telling=self._is_telling())
        self.happen(Event.WAKE)

    def check(self, _: float) -> None:
        """From time to time, while a snapshot has to wait: look whether it has waited long enough."""
        if not self._upcoming.is_held():
            self._owner.network.sweep.ignore(self)
            self.happen(Event.WAKE)

    def next_attempt(self) -> float | None:
        """Return in how many seconds the next attempt is due; ``None`` if none is planned."""
        return None if self._timer is None else max(0.0, self._timer.getTime() - self._owner.timers.seconds())

    def _is_telling(self) -> bool:
        """Tell whether a part of a snapshot is in flight."""
        return self.calls.under_way and self._delivery is not None and self._delivery.flags == SNAPSHOT

    # What the transitions do.

    def _ignore(self, _: object) -> None:
        """Nothing to do: the state looks for itself when it ends."""

    def _impossible(self, what: object) -> None:
        raise RuntimeError(f"an event that cannot happen to a queue that is {self.state.value}: {what!r}")

    def _look(self, _: object = None) -> None:
        """See what comes next, and go about it."""
        delivery = self._upcoming.next()
        if self._upcoming.moved:  # it passed over what the listener is not told
            self._upcoming.moved = False
            self._accounts.moved(self.listener)
        if delivery is not None and not self.trouble.needs_place:
            self._send(delivery)
        elif delivery is not None:
            self.state = State.WAITING
            self._owner.places.ask(self, lambda: self.happen(Event.PLACED))
        elif self._upcoming.must_read():
            self.state = State.READING
            self._upcoming.read().addBoth(lambda result: self.happen(Event.READ, result))
        else:
            self.state = State.IDLE
            if self.progress.snapshot_due:  # it has to wait
                self._owner.network.sweep.watch(self)

    def _read(self, result: object) -> None:
        """A page was read, or could not be; a damaged one is made good by a snapshot."""
        if not isinstance(result, Failure):
            self._look()
        elif result.check(DamagedEntryError):
            self._log.error("{error}; {url} gets a snapshot", error=result.value, url=self.listener.named)
            self._upcoming.lose(damaged=True)
            self._look()
        else:
            self._log.error("The journal cannot be read: {error!r}", error=result.value)
            self._back_off(UNREADABLE)

    def _have_place(self, _: object) -> None:
        self._placed = True
        self._go_on()

    def _skip_line(self, _: object) -> None:
        self._owner.places.leave(self)
        self._go_on()

    def _go_on(self) -> None:
        """The wait for a place is over; it may have changed what comes next."""
        delivery = self._upcoming.next()
        if delivery is not None:
            self._send(delivery)
        else:
            self._give_place_back()
            self._look()

    def _send(self, delivery: Delivery) -> None:
        """Make an attempt at the delivery that comes next."""
        tried = self._delivery
        if tried is not None and not tried.is_same(delivery):  # something else has come first
            self.progress.attempts = 0
            self.trouble.over()
        self._delivery = delivery
        self.progress.attempts += 1
        self.state = State.SENDING
        self.trouble.trying()
        self.calls.post(self.listener, delivery, self.progress)

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
        delivery = self._delivery
        assert delivery is not None  # noqa: S101  # an attempt was under way
        if self.progress.failures:
            self._owner.recovered(self)
            self._give_place_back()
        self._accounts.delivered(self.listener, delivery)
        self._next(delivery)

    def _next(self, delivery: Delivery) -> None:
        """What was made ready is dealt with."""
        self._upcoming.done(delivery)
        self._delivery = None
        self.trouble.over()

    def _failed(self, outcome: Outcome) -> None:
        """The listener is down: wait, and try the same again."""
        self._upcoming.failed()
        self._back_off(self.trouble.failed(outcome))
        self._accounts.moved(self.listener)
        self._owner.in_trouble(self)

    def _refused(self, outcome: Outcome) -> None:
        """The listener works, and does not take this change: a few more tries, then it is parked."""
        delay = self.trouble.refused(outcome)
        self._accounts.moved(self.listener)
        if delay is not None:
            self._back_off(delay)
        elif outcome.status == 500:
            self.state = State.PROBING
            self.calls.head()
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
        """Give the change up, and go on with the next: it tells the whole state anyway."""
        delivery = self._delivery
        assert delivery is not None  # noqa: S101  # an attempt was under way
        self._give_place_back()
        self._accounts.given_up(self.listener, delivery)
        self._next(delivery)
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
        self._owner.network.sweep.ignore(self)
        self._owner.places.leave(self)
        self._give_place_back()
        self.calls.close()
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
