"""The gateway put together, and taken apart again: all of the wiring that needs no reactor, socket or thread.

`ttgateway.tap` hands over those of the machine, and `tests.simulation` those of a machine that it makes up. So what the
simulator proves is of the same wiring, and of the same order of stopping, as what twistd runs.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from twisted.application.internet import TimerService
from twisted.internet.defer import ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.resource import IResource

from ttgateway.advance import advance_of
from ttgateway.api.app import api_resource
from ttgateway.api.routes import Routes
from ttgateway.clock import Clock
from ttgateway.feeds.audience import Audience
from ttgateway.gateway import Gateway
from ttgateway.metrics import Metrics
from ttgateway.notifier.attempts.attempt import Network
from ttgateway.notifier.callbacks.policy import CallPolicy
from ttgateway.notifier.callbacks.reach import Reach
from ttgateway.notifier.notifier import Notifier
from ttgateway.settings import Opening, Settings
from ttgateway.staff.command import open_command
from ttgateway.staff.page import add_staff_page
from ttgateway.store import upkeep
from ttgateway.store.disk import Disk
from ttgateway.store.executor import Executor
from ttgateway.store.store import open_store


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway needs of the world (``docs/architecture.rst``, the ports that tests replace).

    ``executor`` makes an executor with a given name, ``entropy`` returns as many random bytes as it is asked for,
    ``jitter`` a random number in [0, 1); ``disk`` is how the room on the disk of a state directory is known.
    """

    clock: Clock
    timers: IReactorTime
    executor: Callable[[str], Executor]
    network: Network
    entropy: Callable[[int], bytes]
    jitter: Callable[[], float]
    disk: Callable[[Path], Disk]


class Assembly:
    """A gateway on the store in ``directory``; making it raises `ttgateway.store.opening.StoreUnusable`.

    ``resource`` serves the API, ``advance`` tells whether its work goes on. Nobody is told anything before `start`.
    """

    _log = Logger()

    def __init__(self, directory: Path, settings: Settings, world: World) -> None:
        clock, timers = world.clock, world.timers
        self._store = store = open_store(
            directory,
            clock=clock,
            timers=timers,
            executor=world.executor,
            limits=settings.journal,
            zone=settings.zone,
            disk=world.disk,
        )
        if store.damage:
            self._log.critical("The store was damaged: {damage}", damage=store.damage)
        self._reach = Reach(world.network)
        self.gateway = gateway = Gateway(store, clock, settings, self._reach, world.entropy)
        self._notifier = Notifier(gateway, store, world.network, clock, timers, world.jitter)
        self.advance = advance_of(store, self._notifier, world.network.sweep)
        gateway.openings.on_change(partial(self._allowed, world.network.policy))
        self._audience = audience = Audience(gateway, timers)
        metrics = Metrics(gateway, store, self._notifier.figures, audience.__len__)

        def staff(routes: Routes) -> None:
            add_staff_page(routes, gateway, partial(open_command, directory))

        self.resource: IResource = api_resource(gateway, timers, metrics, audience, staff)
        self._rounds: Any = TimerService(upkeep.EVERY, lambda: ensureDeferred(store.upkeep.round()))
        self._rounds.clock = timers

    def _allowed(self, policy: CallPolicy, entries: Sequence[Opening]) -> None:
        """Let ``entries`` be called from now on."""
        policy.allow_also(entries)
        self._notifier.permitted()

    def on_damage(self, recover: Callable[[], None]) -> None:
        """Call ``recover``, once, when the store turns out to be damaged: a fresh start is to recover it."""
        self._store.findings.on_damage(recover)

    def start(self) -> None:
        """Begin to deliver, and to keep the store within its bounds."""
        self._rounds.startService()
        self._notifier.start()

    async def stop(self, others_end: Callable[[], Awaitable[object]]) -> None:
        """Let in what is in flight, write what moved, close the store: in this order, or something is lost.

        To be called once no new connection is taken. ``others_end`` ends whatever else gives the gateway commands; it
        is called when no delivery is under way any more, and waited for.
        """
        self._store.upkeep.break_off()
        self._audience.stop()
        self._reach.stop()
        await self._notifier.stop()
        await others_end()
        await self._rounds.stopService()
        await self._store.stop()
