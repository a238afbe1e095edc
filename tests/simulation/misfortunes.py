"""What befalls the shop of one run: each planned at a time that the seed decides."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import apsw

from tests.simulation.listeners import BAD_MOODS, GOOD, LATE

if TYPE_CHECKING:
    from tests.simulation.world import Shop

FIRST = 21.0
"""Seconds after which the first thing happens: the shop is open by then."""


def plan(shop: "Shop") -> None:
    """Plan everything that happens in a run."""
    profile, timeline, random = shop.profile, shop.timeline, shop.random

    def often(times: int, event: Callable[[], None]) -> None:
        for _ in range(times):
            timeline.after(random.uniform(FIRST, profile.seconds) - timeline.now, event)

    for errands in shop.errands:
        timeline.after(random.choice((0.5, 1.0, random.uniform(1.0, profile.seconds / 2))), errands.register)
    often(profile.bursts, lambda: _burst(shop))
    often(profile.kills, lambda: _lost(shop, "kill"))
    often(profile.cuts, lambda: _lost(shop, "power cut"))
    often(profile.torn, lambda: _torn(shop))
    often(profile.stops, lambda: _busy(shop, lambda: shop.stop(lambda: _again(shop, random.uniform(0.1, 5.0)))))
    often(profile.moods, lambda: _mood(shop))
    often(profile.outages, lambda: _outage(shop))
    often(profile.moves, lambda: _move(shop))
    often(profile.names, lambda: _names(shop))
    often(profile.disks, lambda: _disk(shop))
    often(profile.clocks, lambda: _clock(shop))
    often(profile.errands, lambda: _errand(shop))
    for screen in shop.screens:
        often(profile.screens, lambda screen=screen: _busy(shop, screen.act))  # type: ignore[misc]
    often(12, shop.follower.act)
    often(4, shop.auditor.act)
    _look(shop)


def _look(shop: "Shop") -> None:
    """Read the file now and then, before anything is trimmed away."""
    if shop.model.look() >= 0:
        shop.timeline.after(20.0, lambda: _look(shop))


def _burst(shop: "Shop") -> None:
    """Some commands, close to one another."""
    random = shop.random
    till = random.choice(shop.tills)
    close = random.choice((0.0, 0.005, 0.5, 5.0))
    for _ in range(random.randint(1, 8)):
        shop.timeline.after(random.random() * close, till.act)


def _again(shop: "Shop", delay: float) -> None:
    shop.timeline.after(delay, lambda: _start(shop))


def _start(shop: "Shop") -> None:
    """Start the gateway; now and then the power fails while it opens the store."""
    if shop.over or shop.machine.process is not None:
        return
    if shop.profile.torn and shop.random.random() < 0.4:
        _arm(shop, shop.random.randint(1, 40))
    shop.start()


def _lost(shop: "Shop", how: str) -> None:
    """A crash."""
    _busy(shop, lambda: _lose(shop, how))


def _busy(shop: "Shop", event: Callable[[], None]) -> None:
    """Let something happen, mostly shortly after somebody has asked for something."""
    random = shop.random
    if random.random() < 0.7:
        random.choice(shop.tills).act()
    shop.timeline.after(random.random() * random.choice((0.005, 0.02)), event)


def _lose(shop: "Shop", how: str) -> None:
    if shop.machine.process is None:
        return
    _strike(shop, how)


def _strike(shop: "Shop", how: str, index: bytes = b"") -> None:
    """End the process; ``index`` is the log's, as it was when that died in the middle of something."""
    shop.lose(shop.machine.kill if how == "kill" else shop.machine.cut_power, how)
    if index and how == "kill":
        shop.index_file.write_bytes(index)  # it is memory that SQLite has gone on to write to
    _recover(shop, how)


def _recover(shop: "Shop", how: str) -> None:
    """Come back: after a kill soon, in the same boot; after a power cut in another one."""
    random = shop.random
    if how == "kill":
        _again(shop, random.uniform(0.05, 5.0))
        return
    off = random.choice((10.0, 60.0, random.uniform(10.0, shop.profile.seconds / 2)))
    right = shop.machine.clocks.now().wall

    def power() -> None:
        if shop.over or shop.machine.process is not None:
            return
        steps = (0.0, 0.0, 0.0, -random.uniform(1.0, 7_200.0), random.uniform(1.0, 7_200.0))
        wall = 30.0 if random.random() < 0.2 else right + off + random.choice(steps)
        shop.machine.boot(wall)
        shop.say(f"the power is back, and the clock shows {wall:.0f}")
        _start(shop)

    shop.timeline.after(off, power)


def _torn(shop: "Shop") -> None:
    """The power fails in the middle of a transaction: after so many operations on the disk."""
    if shop.machine.process is not None:
        _arm(shop, shop.random.randint(1, 12))
        shop.random.choice(shop.tills).act()


def _arm(shop: "Shop", operations: int) -> None:
    recording: Any = shop.recording
    life, apply = recording.life, type(recording).apply
    how = shop.random.choice(("kill", "power cut"))
    left = operations

    def counted(operation: object) -> None:
        nonlocal left
        apply(recording, operation)
        left -= 1
        if left == 0 or recording.life != life:
            del recording.apply
            if recording.life == life:
                recording.life += 1  # nothing is written from here on
                process = shop.machine.process
                if process is not None:
                    process.die()
                index = shop.index()
                shop.timeline.after(0.0, lambda: _strike(shop, how, index))
                raise apsw.IOError("the power is off")  # whatever was under way goes no further

    if "apply" not in vars(recording):
        recording.apply = counted


def disarm(shop: "Shop") -> None:
    """Let the power not fail any more."""
    vars(shop.recording).pop("apply", None)


def _mood(shop: "Shop") -> None:
    """A device behaves badly, or slowly, for a while."""
    random = shop.random
    device = random.choice(shop.devices)
    device.mood = random.choice((LATE, random.choice(BAD_MOODS), random.choice(BAD_MOODS)))
    shop.say(f"{device.label} is {device.mood}")

    def well() -> None:
        device.mood = GOOD

    shop.timeline.after(random.choice((0.5, 5.0, 40.0, random.uniform(1.0, 900.0))), well)


def _outage(shop: "Shop") -> None:
    """A device is off, or its program has ended; it comes back, and perhaps registers again."""
    random = shop.random
    number = random.randrange(len(shop.devices))
    device, errands = shop.devices[number], shop.errands[number]
    device.power = random.choice(("off", "shut"))
    shop.say(f"{device.label} is {device.power}")

    def back() -> None:
        device.power = "on"
        if random.random() < 0.5:
            errands.register()

    shop.timeline.after(random.choice((1.0, 30.0, 400.0, random.uniform(1.0, shop.profile.seconds))), back)


def _move(shop: "Shop") -> None:
    """A device gets another address; one without a name must register under that."""
    random = shop.random
    number = random.randrange(len(shop.devices))
    device, errands = shop.devices[number], shop.errands[number]
    old = device.url
    device.plug_in(shop.address())
    shop.say(f"{device.label} is now at {device.address}")
    if not device.name:
        subscription = shop.model.subscriptions.get(old)
        if subscription is not None:
            subscription.end()
            shop.ghosts.append(old)
        shop.timeline.after(random.uniform(0.1, 5.0), errands.register)


def _names(shop: "Shop") -> None:
    """The DNS fails, or hangs, for a while."""
    random, internet = shop.random, shop.internet
    internet.dns = random.choice(("failing", "hanging"))
    shop.say(f"the DNS is {internet.dns}")

    def well() -> None:
        internet.dns = "well"

    shop.timeline.after(random.choice((1.0, 30.0, 900.0)), well)


def _disk(shop: "Shop") -> None:
    """The disk is full, or fails, for a while."""
    random, recording, disk = shop.random, shop.recording, shop.machine.disk
    if shop.machine.process is None:
        return
    if not shop.faulty:
        shop.faulty, shop.failing_since = True, shop.timeline.now - 20.0
    how = random.choice(("room", "full", "write", "sync", "read"))
    shop.say(f"the disk fails: {how}")
    if how == "room":
        disk.full = True
    elif how == "full":
        disk.full = True
        recording.fail("xWrite", apsw.FullError("database or disk is full"), after=random.randint(0, 5))
    elif how == "read":
        recording.fail("xRead", apsw.IOError("disk I/O error"), times=random.randint(1, 5))
    else:
        method = "xWrite" if how == "write" else "xSync"
        times = random.choice((1, 2, None))
        recording.fail(method, apsw.IOError("disk I/O error"), times=times, partly=random.random() < 0.5)

    shop.disk_faults += 1
    fault = shop.disk_faults

    def well() -> None:
        recording.mend()
        disk.full = False
        shop.timeline.after(5.0, forgotten)

    def forgotten() -> None:
        if shop.disk_faults == fault:
            shop.faulty = False  # what it has hindered is made good by now

    shop.timeline.after(random.choice((0.1, 3.0, 100.0)), well)
    _busy(shop, lambda: None)
    if random.random() < 0.3:
        shop.timeline.after(random.choice((0.05, 2.0)) * random.random(), lambda: _lose(shop, "kill"))


def _clock(shop: "Shop") -> None:
    """The wall clock is set, or the machine was suspended."""
    random, clocks = shop.random, shop.machine.clocks
    step = random.choice((-1.0, 1.0)) * random.choice((1.0, 60.0, 3_600.0, 90_000.0)) * random.random()
    if random.random() < 0.3:
        clocks.up_ahead += abs(step)
        clocks.wall_ahead += abs(step)
        shop.say(f"the machine was suspended for {abs(step):.0f} s")
    else:
        clocks.wall_ahead += step
        shop.say(f"the clock is set by {step:.0f} s")


def _errand(shop: "Shop") -> None:
    """A device, or its operator, asks for something."""
    random = shop.random
    errands = random.choice(shop.errands)
    what = random.choice(("register", "wishes", "resync", "replay", "ping", "unregister"))
    if what == "unregister":
        errands.unregister()
        shop.timeline.after(random.uniform(0.01, 60.0), errands.register)
    elif what in ("register", "wishes"):
        if what == "wishes" and errands.device.wishes.api == 2:
            old = errands.device.wishes
            errands.device.wishes = type(old)(2, random.random() < 0.5, random.random() < 0.5, old.events)
        errands.register()
    else:
        errands.mend(what)
