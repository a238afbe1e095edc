"""What the queues of one notifier share."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.interfaces import IReactorTime

from ttgateway.clock import Clock
from ttgateway.notifier.attempt import Network
from ttgateway.notifier.places import Places
from ttgateway.store.journal import Journal
from ttgateway.store.listeners import Cursors

if TYPE_CHECKING:
    from ttgateway.notifier.queue import ListenerQueue


class Owner(msgspec.Struct, frozen=True):
    """What all queues share, and whom each tells of itself. ``jitter`` returns numbers in [0, 1)."""

    journal: Journal
    cursors: Cursors
    clock: Clock
    timers: IReactorTime
    network: Network
    places: Places
    jitter: Callable[[], float]
    epoch: str
    in_trouble: Callable[["ListenerQueue"], None]
    recovered: Callable[["ListenerQueue"], None]
    gone: Callable[["ListenerQueue"], None]
    stopped: Callable[["ListenerQueue"], None]
