"""The states of a delivery queue, and what each does with each event: drawn in ``docs/listener-queue.svg``."""

from enum import Enum


class State(Enum):
    """What a queue is doing."""

    __hash__ = object.__hash__  # that of `Enum` is not C, and each event is looked up by it

    IDLE = "idle"
    """Nothing waits."""
    READING = "reading"
    """What comes next is being read from the file."""
    WAITING = "waiting"
    """The listener is in trouble, and waits for one of the places for such."""
    SENDING = "sending"
    """An attempt is under way."""
    PROBING = "probing"
    """A HEAD is under way: does the listener work, and only chokes on this change?"""
    BACKING_OFF = "backing off"
    """The last attempt failed; the next one has its time."""
    STOPPING = "stopping"
    """Told to stop, with an attempt under way that may still end."""
    STOPPED = "stopped"
    """Over, for good."""


class Event(Enum):
    """What can happen to a queue."""

    __hash__ = object.__hash__

    WAKE = "wake"
    """Something may have come to wait."""
    READ = "read"
    """The page was read, or could not be."""
    PLACED = "placed"
    """It has a place."""
    ENDED = "ended"
    """The attempt has an outcome."""
    DUE = "due"
    """The backoff is over."""
    HEARD = "heard"
    """The listener has shown a sign of life."""
    STOP = "stop"
    """The gateway stops."""
    DROP = "drop"
    """The listener is no longer registered."""


_EVENTS = tuple(Event)

# One row a state, one column an event, in the order of `Event`; the words are methods of `ListenerQueue`.
# fmt: off
_ROWS = {
    #                   WAKE    READ        PLACED      ENDED       DUE         HEARD       STOP    DROP
    State.IDLE: "       look    impossible  impossible  impossible  impossible  ignore      stop    stop",
    State.READING: "    ignore  read        impossible  impossible  impossible  ignore      stop    stop",
    State.WAITING: "    ignore  impossible  have_place  impossible  impossible  skip_line   stop    stop",
    State.SENDING: "    ignore  impossible  impossible  settle      impossible  note_heard  finish  stop",
    State.PROBING: "    ignore  impossible  impossible  probed      impossible  note_heard  stop    stop",
    State.BACKING_OFF: "ignore  impossible  impossible  impossible  look        hurry       stop    stop",
    State.STOPPING: "   ignore  impossible  impossible  settle_last impossible  ignore      stop    stop",
    State.STOPPED: "    ignore  ignore      ignore      ignore      ignore      ignore      ignore  ignore",
}
# fmt: on

TRANSITIONS: dict[State, dict[Event, str]] = {
    state: dict(zip(_EVENTS, row.split(), strict=True)) for state, row in _ROWS.items()
}
"""What each state does with each event, by the name of the `ListenerQueue` method (without its underscore)."""
