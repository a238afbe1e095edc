"""The appliance: two clocks, a disk, a power cord, and one process of ours at a time."""

import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import apsw
from twisted.internet.defer import Deferred, ensureDeferred, execute, succeed
from twisted.web.resource import Resource

from tests.disks.recording import Recording
from tests.simulation.clock import Timeline, Timers
from tests.simulation.network import Internet
from ttgateway.api.server.site import ApiSite
from ttgateway.assembly import Assembly, World
from ttgateway.machine import IPAddress
from ttgateway.notifier.attempts.attempt import Network
from ttgateway.notifier.attempts.sweep import Sweep
from ttgateway.notifier.callbacks.policy import CallPolicy
from ttgateway.notifier.callbacks.resolver import SystemResolver
from ttgateway.orders.moment import Moment
from ttgateway.refusals import DiskFull
from ttgateway.settings import Settings
from ttgateway.store import opening

T = TypeVar("T")

HERE = ip_address("10.0.0.1")
ROUTER = ip_address("10.0.0.254")
PORT = 8000


@dataclass
class Disk:
    """How the disk is at present: seconds that a piece of work takes at most, and whether new orders find room."""

    slowest: float = 0.004
    stalls: float = 0.0
    full: bool = False


class Clocks:
    """The clocks of one boot, as a `ttgateway.clock.Clock`; they run on while the power is off, if they can."""

    def __init__(self, timeline: Timeline, wall: float, uptime: float, boot: str) -> None:
        self._timeline = timeline
        self.boot = boot
        self.wall_ahead = wall - timeline.now
        self.up_ahead = uptime - timeline.now

    def now(self) -> Moment:
        now = self._timeline.now
        return Moment(wall=now + self.wall_ahead, uptime=now + self.up_ahead)

    def wall(self) -> float:
        return self.now().wall


class SlowExecutor:
    """Runs one piece of work after the other, each after a while; what has been done is told later still."""

    def __init__(self, timeline: Timeline, random: Random, disk: Disk, process: "Process") -> None:
        self._timeline = timeline
        self._random = random
        self._disk = disk
        self._process = process
        self._waiting: deque[tuple[Callable[[], Any], Deferred[Any]]] = deque()
        self._working = False
        self._told = 0.0

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        result: Deferred[T] = Deferred()
        self._waiting.append((work, result))
        if not self._working:
            self._begin()
        return result

    def close(self) -> None:
        """Nothing is left: what was given before was waited for."""

    def _begin(self) -> None:
        self._working = True
        self._timeline.after(self._while(), self._work)

    def _while(self) -> float:
        disk, random = self._disk, self._random
        return random.random() * (3.0 if random.random() < disk.stalls else disk.slowest)

    def _work(self) -> None:
        if not self._process.alive:
            return
        work, result = self._waiting.popleft()
        done: Deferred[Any] = execute(work)
        self._told = max(self._told, self._timeline.now + self._while() / 4)
        self._timeline.plan(self._told, lambda: self._tell(done, result), None)
        self._working = False
        if self._waiting:
            self._begin()

    def _tell(self, done: Deferred[Any], result: Deferred[Any]) -> None:
        if self._process.alive:
            done.chainDeferred(result)
        else:
            done.addErrback(lambda _: None)


class Room:
    """A `ttgateway.store.disk.Disk` that has as much room as the simulation says."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def free(self) -> int:
        return 0 if self._disk.full else 1 << 30

    def check_room(self) -> None:
        if self._disk.full:
            raise DiskFull("The disk is full.")

    def lighten(self) -> None:
        """There is no ballast here: whether writes work is decided elsewhere."""

    def load(self) -> None:
        """There is no ballast here."""


class Process:
    """One process of ours, from its start to its end, whichever that is."""

    def __init__(self, machine: "Machine", random: Random) -> None:
        self.alive = True
        self.stopping = False
        self.timers = Timers(machine.timeline)
        timers: Any = self.timers
        internet = machine.internet
        network = Network(
            sweep=Sweep(timers),
            resolver=SystemResolver(lambda name: internet.look_up(name, self), timers),
            policy=CallPolicy(
                allow=[],
                source_only=False,
                loopback=False,
                own_ports={PORT},
                is_own=_is_own,
                default_gateways=lambda: (ROUTER,),
            ),
            dial=lambda address, port, host: internet.dial(address, port, self),
        )
        world = World(
            clock=machine.clocks,
            timers=timers,
            executor=lambda name: SlowExecutor(machine.timeline, random, machine.disk, self),
            network=network,
            entropy=random.randbytes,
            jitter=random.random,
            disk=lambda directory: Room(machine.disk),
        )
        self.site = ApiSite(Resource(), timers, {"gateway"}.__contains__, frozenset())
        self.assembly = Assembly(machine.directory, machine.settings, world)
        self.site.resource = self.assembly.resource

    @property
    def serves(self) -> bool:
        """Whether it takes new connections."""
        return self.alive and not self.stopping

    def stop(self) -> Deferred[None]:
        """End in order, as twistd has it."""
        self.stopping = True
        nothing: Callable[[], Awaitable[object]] = lambda: succeed(None)  # noqa: E731  # typed
        return ensureDeferred(self.assembly.stop(nothing))

    def die(self) -> None:
        """End at once: nothing that was planned happens."""
        self.alive = False
        self.timers.running = False


class Machine:
    """The appliance. ``process`` is what runs on it; ``None`` while nothing does."""

    def __init__(
        self, timeline: Timeline, recording: Recording, internet: Internet, settings: Settings, random: Random
    ) -> None:
        self.timeline = timeline
        self.recording = recording
        self.directory: Path = recording.directory
        self.internet = internet
        self.settings = settings
        self.disk = Disk()
        self.process: Process | None = None
        self._random = random
        self._boots = 0
        self.boot(1_474_571_332.0)

    def boot(self, wall: float) -> None:
        """Begin a new boot, at which the wall clock shows ``wall``."""
        self._boots += 1
        self.clocks = Clocks(self.timeline, wall, 5.0, f"boot-{self._boots}")

    def start(self) -> Process:
        """Start a process; raises what `Assembly` does."""
        self.process = process = Process(self, self._random)
        return process

    def end(self) -> None:
        """Forget the process, which has ended."""
        if self.process is not None:
            self.process.die()
            self.process = None

    def kill(self) -> None:
        """Kill the process: the files stay as it has written them, synced or not."""
        process = self.process
        self.end()
        self.recording.life += 1  # its handles write nowhere any more
        if process is not None:
            _leave(process)

    def cut_power(self) -> None:
        """Cut the power: of what was not synced something, or nothing, is left."""
        self.kill()
        self.recording.power_cut(self._random)


def _leave(process: Process) -> None:
    store: Any = process.assembly._store
    for connection in store._connections:
        with contextlib.suppress(apsw.Error):
            opening.leave(connection)


def _is_own(address: IPAddress) -> bool:
    return address == HERE
