"""One run: a shop with its tills, screens and devices, what befalls it, and how it ends."""

import gc
import shutil
import traceback
import uuid
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import implementer

from tests.disks.recording import RecordingVFS
from tests.simulation import ending, misfortunes
from tests.simulation.clock import Timeline
from tests.simulation.fates import drawn
from tests.simulation.listeners import Delivery, Device, Wishes
from tests.simulation.machine import Machine, Process
from tests.simulation.model import Model
from tests.simulation.network import Internet
from tests.simulation.people import Auditor, Client, Errands, Till
from tests.simulation.readers import Follower, Screen
from tests.simulation.report import Report
from tests.support import log_anew
from ttgateway.settings import Journal, Settings

_OF_THE_DISK = (
    "A commit failed",
    "The journal cannot be read",
    "The log of the store cannot",
    "The store cannot be read",
    "The store could not be",
    "{count} more lines like the next",
)


@implementer(ILogObserver)
class Shop:
    """The world of one seed."""

    def __init__(self, seed: int, directory: Path, vfs: RecordingVFS) -> None:
        self.random = Random(f"ttgateway/{seed}")  # noqa: S311  # the one source of chance
        self.profile = drawn(self.random)
        self.report = Report(seed, self.profile)
        self.timeline = Timeline()
        vfs.seed(seed)
        self.recording = vfs.watch(directory)
        profile = self.profile
        self.internet = Internet(self.timeline, self.random, self.wrong)
        journal = Journal(keep_changes=profile.keeps) if profile.keeps else Journal()
        inside = Random(f"process/{seed}")  # noqa: S311  # what the gateway itself draws
        self.machine = Machine(self.timeline, self.recording, self.internet, Settings(journal=journal), inside)
        self.machine.disk.stalls = profile.stalls
        self.model = Model(self.timeline, self.machine)
        self.faulty = False
        self.failing_since = 0.0
        self.disk_faults = 0
        self.ghosts: list[str] = []
        self.over = False
        self._addresses = iter(range(10, 250))
        self.devices = [self._device(number) for number in range(profile.devices)]
        people = (self.timeline, self.random, self.model, self.found, self.say)
        self.tills = [Till(*people, f"10.0.1.{number + 1}") for number in range(profile.tills)]
        for number, till in enumerate(self.tills):
            till.names = tuple(str(number * 10 + one) for one in range(1, 5))
            till.sweeps = profile.sweeps
            till.version = self.random.choice(("/api/v2", "/api/v2", "/api/v1"))
        self.auditor = Auditor(*people, "10.0.1.20")
        self.follower = Follower(*people, "10.0.1.21")
        self.screens = [Screen(*people, f"10.0.1.{30 + number}") for number in range(min(2, profile.screens))]
        self.errands = [Errands(*people, device.address, device) for device in self.devices]

    def say(self, what: str) -> None:
        """Add a line to the story."""
        self.report.story.append(f"{self.timeline.now:12.4f}  {what}")

    @property
    def disk_is_well(self) -> bool:
        """Whether the disk works, and at once."""
        return not (self.faulty or self.machine.disk.stalls)

    def clients(self) -> tuple[Client, ...]:
        """Return everybody who works with the gateway."""
        return (*self.tills, self.auditor, self.follower, *self.screens, *self.errands)

    def wrong(self, what: str) -> None:
        """A rule was broken."""
        self.model.wrong(what)

    def found(self) -> Process | None:
        """Return the process if it takes connections."""
        process = self.machine.process
        return process if process is not None and process.serves and not self.over else None

    def address(self) -> str:
        """Return an address that nobody had before."""
        return f"10.0.0.{next(self._addresses)}"

    def _device(self, number: int) -> Device:
        random = self.random
        wishes = Wishes(api=random.choice((1, 2, 2)))
        if wishes.api == 2:
            wishes.snapshot = random.random() < 0.4
            wishes.latest = random.random() < 0.3
            wishes.events = random.choice(((), (), (), ("ORDER_CREATED",), ("ORDER_MODIFIED", "ORDER_PAGED")))
        name = f"display{number}.lan" if random.random() < 0.4 else ""
        device = Device(
            f"d{number}", self.address(), name, wishes, self.internet, random, self._told, self.model_acknowledged
        )
        device.plug_in(device.address)
        return device

    def model_acknowledged(self, device: Device, delivery: Delivery) -> None:
        self.say(f"{device.label} has answered {delivery.id}, {'surely' if delivery.sure else 'perhaps'}")
        self.model.acknowledged(device, delivery)

    def _told(self, device: Device, delivery: Delivery) -> None:
        self.report.counts["deliveries"] += 1
        self.say(f"{device.label} is told {delivery.id} [{delivery.flags}] after {delivery.previous}: {device.mood}")
        self.model.delivered(device, delivery)

    @property
    def index_file(self) -> Path:
        """The index of the store's log."""
        return self.machine.directory / "ttgateway.db-shm"

    def index(self) -> bytes:
        """Return what is in it; nothing where there is none."""
        return self.index_file.read_bytes() if self.index_file.exists() else b""

    # The gateway's lives.

    def start(self) -> None:
        """Start the gateway, unless it runs."""
        if self.machine.process is not None:
            return
        self.recording.mend()
        self.faulty = self.machine.disk.full = False
        life = self.recording.life
        try:
            process = self.machine.start()
        except Exception:
            if self.recording.life == life:
                raise
        if self.recording.life != life:  # the power failed meanwhile
            gc.collect()  # what was open then is closed
            return
        self.model.opened()
        process.assembly.start()
        self.report.counts["starts"] += 1
        self.say("the gateway has started")

    def lose(self, how: Callable[[], None], name: str) -> None:
        """Let the process end without a word."""
        process = self.machine.process
        self.report.counts[name] += 1
        self.say(f"the gateway ends: {name}")
        if process is not None and process.alive:  # not in the middle of a transaction
            self.model.look()
        self.model.closed()
        self.model.crashed(disk_is_well=self.disk_is_well)
        if self.faulty and name == "power cut":
            self.model.ledger.doubt(self.failing_since)
        how()
        if process is not None:
            self.internet.gone(process)

    def stop(self, then: Callable[[], None]) -> None:
        """Stop the gateway in order."""
        process = self.machine.process
        if process is None or process.stopping:
            return
        self.say("the gateway is told to stop")
        over: list[bool] = []
        self.model.look()

        def stopped(result: object) -> None:
            over.append(True)
            if process.alive:
                self._stopped(process, result)
                then()

        def late() -> None:
            if process.alive and not over:
                self.model.wrong("the gateway did not stop in time")

        self.model.closed()  # or it would not be the last to close the file
        process.stop().addBoth(stopped)
        self.timeline.after(ending.STOPPED_WITHIN, late)

    def _stopped(self, process: Process, result: object) -> None:
        self.report.counts["stops"] += 1
        self.say("the gateway has stopped")
        store: Any = process.assembly._store
        if result is not None:
            self.model.wrong(f"the stop went wrong: {result}")
        if not store.clean:
            if not self.faulty:
                self.model.wrong("the store was not closed cleanly")
            self.model.crashed(disk_is_well=False)
            self.machine.kill()  # or its files would stay open
        self.machine.end()
        if any(wire.process is process and (self.over or wire.start) for wire in self.internet.wires):
            self.model.wrong("connections to listeners are left")
        self.internet.gone(process)

    # The run.

    def run(self) -> Report:
        """Run from the first start to the last stop."""
        log_anew()
        globalLogPublisher.addObserver(self)
        made, uuid.uuid4 = uuid.uuid4, lambda: uuid.UUID(int=self.random.getrandbits(128), version=4)
        try:
            self._open()
            misfortunes.plan(self)
            self.timeline.run(self.profile.seconds)
            ending.end(self)
        except Exception:
            self.model.wrong(f"the run ended early: {traceback.format_exc()[-1500:]}")
        finally:
            uuid.uuid4 = made
            globalLogPublisher.removeObserver(self)
            self.model.closed()
            if self.machine.process is not None:
                self.machine.kill()
        self.report.broken = self.model.broken
        self.report.hours = self.timeline.now / 3600
        self.report.counts["events"] = self.timeline.events
        self.report.counts["changes"] = self.model.last
        return self.report

    def __call__(self, event: LogEvent) -> None:
        """Look at what is logged, as an observer."""
        text = str(event.get("log_format"))
        worse = event.get("log_level") in (LogLevel.error, LogLevel.critical)
        if "log_failure" in event:
            self.model.wrong(f"logged: {event['log_failure'].getTraceback()}")
        elif worse and not (self.profile.disks and text.startswith(_OF_THE_DISK)):
            self.model.wrong(f"logged: {text.format(**event)}")

    def _open(self) -> None:
        self.start()
        process = self.machine.process
        assert process is not None
        made: list[Any] = []
        ensureDeferred(process.assembly.gateway.secrets.create("shop")).addCallback(made.append)
        self.timeline.run(20.0)
        for client in self.clients():
            client.secret = made[0].secret


def run(seed: int, directory: Path, vfs: RecordingVFS) -> Report:
    """Run one seed in a fresh ``directory``, which is gone afterwards."""
    directory.mkdir()
    shop = Shop(seed, directory, vfs)
    try:
        return shop.run()
    finally:
        vfs.forget(shop.recording)
        shutil.rmtree(directory)
