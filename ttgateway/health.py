"""How the gateway's parts are, one word each, and what that means: whether it works, and whether it takes orders."""

from collections.abc import Callable
from typing import Literal

import msgspec

from ttgateway.clock import Clock
from ttgateway.orders.moment import is_plausible
from ttgateway.refusals import DiskFull
from ttgateway.store.disk import BALLAST, LEAST_FREE
from ttgateway.store.store import Store

STEP = 2.0
"""Seconds by which the wall clock and the monotonic one may drift apart before it counts as a step."""

BEHIND = 60.0
"""Seconds by which the wall clock may be behind what was written already before that counts as wrong."""

SCARCE = 2 * BALLAST
"""Bytes free below which even changes to active orders may not be kept."""


class Parts(msgspec.Struct, frozen=True):
    """One word a part; ``ok`` is well.

    ``store``: *damaged*, it has lost something, and the operator should know; *mending*, the last commit failed, or the
    file could not be read just now, and that is tried again each second. ``notifier``: *stopped*, listeners are told
    nothing. ``disk``: *low*, no new orders are taken; *full*, not even changes to active ones may be kept. ``clock``:
    *unset*, the machine does not know the date; *behind*, it shows a time before that of a change that was written
    before the start; *stepped*, it was set since the start.
    """

    store: Literal["ok", "damaged", "mending"]
    notifier: Literal["ok", "stopped"]
    disk: Literal["ok", "low", "full"]
    clock: Literal["ok", "stepped", "behind", "unset"]


class Health:
    """The health of one gateway. ``delivers`` tells whether its listeners are told anything."""

    def __init__(self, store: Store, clock: Clock, delivers: Callable[[], bool]) -> None:
        self._store = store
        self._clock = clock
        self._delivers = delivers
        self._ahead = self._wall_ahead()
        self._least_ahead = store.journal.newest_at - clock.now().uptime

    def parts(self) -> Parts:
        """Return how the parts are at present; one system call, no query."""
        return Parts(
            store=self._store_word(),
            notifier="ok" if self._delivers() else "stopped",
            disk=self._disk_word(),
            clock=self._clock_word(),
        )

    def faults(self) -> list[str]:
        """Return what keeps the gateway from working as it should: part and word; nothing, if it works."""
        parts = self.parts()
        found = {"store": parts.store, "notifier": parts.notifier}
        return [f"{part} {word}" for part, word in found.items() if word != "ok"]

    def hindrances(self) -> list[str]:
        """Return what keeps the gateway from taking new orders; nothing, if it takes them."""
        parts = self.parts()
        found = ["store mending"] if parts.store == "mending" else []
        if parts.disk != "ok":
            found.append(f"disk {parts.disk}")
        if self._store.commits.stopping:
            found.append("stopping")
        return found

    def free(self) -> int | None:
        """Return how many bytes are free on the disk of the state directory; ``None`` where there is none."""
        return self._store.disk.free()

    def clock_drift(self) -> float:
        """Return by how many seconds the wall clock has run ahead of the monotonic one since the start."""
        return self._wall_ahead() - self._ahead

    def clock_behind(self) -> float:
        """Return by how many seconds the wall clock is behind at least, by the newest change before the start."""
        return max(0.0, self._least_ahead - self._wall_ahead())

    def clock_is_plausible(self) -> bool:
        """Tell whether the wall clock shows a time that may be."""
        return is_plausible(self._clock.now().wall)

    def _wall_ahead(self) -> float:
        now = self._clock.now()
        return now.wall - now.uptime

    def _store_word(self) -> Literal["ok", "damaged", "mending"]:
        failing = self._store.commits.failing
        if failing is not None and not isinstance(failing, DiskFull):  # that one is the disk's fault
            return "mending"
        if self._store.findings.unreadable:
            return "mending"
        return "damaged" if self._store.damage else "ok"

    def _disk_word(self) -> Literal["ok", "low", "full"]:
        free = self._store.disk.free()
        if isinstance(self._store.commits.failing, DiskFull) or (free is not None and free < SCARCE):
            return "full"
        return "low" if free is not None and free < LEAST_FREE else "ok"

    def _clock_word(self) -> Literal["ok", "stepped", "behind", "unset"]:
        if not self.clock_is_plausible():
            return "unset"
        if self.clock_behind() > BEHIND:
            return "behind"
        return "stepped" if abs(self.clock_drift()) > STEP else "ok"
