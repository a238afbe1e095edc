"""What the queues of one notifier share."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from twisted.internet.interfaces import IReactorTime

from ttgateway.clock import Clock
from ttgateway.figures import DeliveryFigures
from ttgateway.notifier.attempts.attempt import Network
from ttgateway.notifier.places import Places
from ttgateway.notifier.states import Event
from ttgateway.store.tables.journal import Journal
from ttgateway.store.tables.listeners import Cursors, Listener


class Owned(Protocol):
    """A queue, as its owner knows it."""

    listener: Listener

    @property
    def host(self) -> str:
        """Where a sign of life of its listener would come from."""

    def happen(self, event: Event, what: Any = None) -> None:
        """Let ``event`` happen to it."""


class Owner(msgspec.Struct, frozen=True):
    """What all queues share, and whom each tells of itself. ``jitter`` returns numbers in [0, 1)."""

    journal: Journal
    cursors: Cursors
    clock: Clock
    timers: IReactorTime
    network: Network
    places: Places
    figures: DeliveryFigures
    jitter: Callable[[], float]
    epoch: str
    in_trouble: Callable[[Owned], None]
    recovered: Callable[[Owned], None]
    gone: Callable[[Owned], None]
    stopped: Callable[[Owned], None]
