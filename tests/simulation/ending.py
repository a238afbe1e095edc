"""How a run ends: all is well again, all is told, the gateway stops, and nothing is left."""

import gc
import os
from contextlib import suppress
from typing import TYPE_CHECKING

import apsw

from tests.simulation import misfortunes
from tests.simulation.people import NOT_NOW

if TYPE_CHECKING:
    from tests.simulation.world import Shop

SETTLED_WITHIN = 300.0
"""Seconds in which all must be delivered once all is well: the longest waits that a listener, a name and a device that
asks for more time may bring about, one after the other."""

STOPPED_WITHIN = 12.0


def end(shop: "Shop") -> None:
    """Let all be well again, wait until all is told, and stop."""
    timeline, machine = shop.timeline, shop.machine
    shop.say("all is well again")
    shop.recording.mend()
    misfortunes.disarm(shop)
    machine.disk.full = False
    machine.disk.stalls = 0.0
    shop.internet.dns = "well"
    for device in shop.devices:
        device.mood, device.power = "good", "on"
    timeline.run(timeline.now + STOPPED_WITHIN + 3.0)  # a stop that has begun comes to its end
    shop.start()
    if shop.profile.disks:
        _hinder(shop)
    for url in shop.ghosts:
        _remove(shop, url)
    ends = timeline.now + SETTLED_WITHIN
    while timeline.now < ends:
        timeline.run(timeline.now + 10.0)
        shop.auditor.act()
        timeline.run(timeline.now + 5.0)
        if shop.auditor.waiting == 0:
            break
    else:
        shop.model.wrong(f"{shop.auditor.waiting} changes still wait after {SETTLED_WITHIN:.0f} s")
    timeline.run(timeline.now + 120.0)  # what waits for no account: replays, snapshots
    shop.model.look()
    _leave(shop)


def _remove(shop: "Shop", url: str) -> None:
    """Remove the listener of a device that has moved; again, where the disk has failed just now."""

    def heard(status: int, _: object, __: bytes) -> None:
        if status in NOT_NOW:
            shop.timeline.after(1.0, lambda: _remove(shop, url))

    shop.auditor.ask("DELETE", "/api/v2/register", {"http_client": url}, heard)


def _hinder(shop: "Shop") -> None:
    """Let the disk fail once more, when a last order is durable and told, and the acknowledgements are not yet."""
    timeline, recording = shop.timeline, shop.recording
    timeline.run(timeline.now + 30.0)
    shop.random.choice(shop.tills).act()
    timeline.run(timeline.now + 0.01 + shop.random.random() * 0.04)
    recording.fail("xSync", apsw.IOError("disk I/O error"))
    timeline.run(timeline.now + 0.5)
    recording.mend()


def _leave(shop: "Shop") -> None:
    shop.over = True
    for client in shop.clients():
        client.leave()
    shop.timeline.run(shop.timeline.now + 1.0)
    _stop(shop)
    shop.start()
    shop.timeline.run(shop.timeline.now + 10.0)  # nothing is told again: the stop has written all
    _stop(shop)
    shop.model.final()


def _stop(shop: "Shop") -> None:
    process = shop.machine.process
    if process is None:
        shop.wrong("the gateway does not run")
        return
    shop.stop(lambda: None)
    shop.timeline.run(shop.timeline.now + STOPPED_WITHIN + 1.0)
    if process.alive:
        return  # told already
    if calls := shop.timeline.waiting(process.timers):
        shop.wrong(f"timers are left: {calls}")
    if len(process.site.connections):
        shop.wrong("connections of clients are left")
    if _left_open(shop):
        gc.collect()  # what a crash has interrupted may still hold files
    if left := _left_open(shop):
        shop.wrong(f"files are left open: {left}")
    shop.model.opened()  # what was told until the last moment is there
    if not shop.model.clean:
        shop.wrong("the store does not say that it was closed cleanly")
    shop.model.closed()


def _left_open(shop: "Shop") -> list[str]:
    """Return which files of the store are open, but for deleted ones: those are of a process that was killed."""
    ours = [link for link in _open_files() if link.startswith(str(shop.machine.directory))]
    return [link for link in ours if not link.endswith(" (deleted)")]


def _open_files() -> list[str]:
    found = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  # names are enough
        with suppress(OSError):  # the one by which they are listed
            found.append(os.readlink(f"/proc/self/fd/{name}"))  # noqa: PTH115
    return found
