"""The rules. They see what goes over the wires, and what another program reads in the file at that moment."""

from collections.abc import Callable
from typing import Any

import apsw

from tests.simulation.clock import Timeline
from tests.simulation.listeners import Delivery, Device
from tests.simulation.machine import Machine
from tests.simulation.orders import Change, Ledger
from tests.simulation.told import Subscription, fields

MOST_FORGOTTEN = 0.05
"""Seconds of acknowledgements that a crash may forget (design section 3), besides what the disk takes."""

_QUERY = "SELECT seq, body FROM changes WHERE seq > ? ORDER BY seq"


class Model:
    """What must be true of one gateway, over all its lives."""

    def __init__(self, timeline: Timeline, machine: Machine) -> None:
        self._timeline = timeline
        self._machine = machine
        self.ledger = Ledger()
        self.journal: dict[int, Change] = {}
        self.epoch = ""
        self.clean = False
        self.last = 0
        self.subscriptions: dict[str, Subscription] = {}
        self.broken: list[str] = []
        self.deliveries = 0
        self._bodies: dict[tuple[str, int], bytes] = {}
        self._ages: dict[str, int] = {}
        self._unproved: list[Callable[[], None]] = []
        self._file: apsw.Connection | None = None

    def wrong(self, what: str) -> None:
        """A rule was broken."""
        self.broken.append(f"{self._timeline.now:.3f}: {what}")

    # What lies in the file.

    def opened(self) -> None:
        """A process has opened the store: all that was ever read or told must still be there."""
        self.closed()
        self._file = apsw.Connection(str(self._machine.directory / "ttgateway.db"))
        row = self._file.execute("SELECT epoch, damage, trimmed, clean FROM gateway").get
        epoch, damage, trimmed, self.clean = row
        if damage or (self.epoch and epoch != self.epoch):
            self.wrong(f"the store was found damaged: {damage}")
        self.epoch = epoch
        rows = {seq: fields(body) for seq, body in self._rows(trimmed)}
        for seq, change in self.journal.items():
            if seq > trimmed and rows.get(seq) != change:
                self.wrong(f"change {seq} was {change}, and is {rows.get(seq)} after a restart")
        self.look()
        unproved, self._unproved = self._unproved, []
        for check in unproved:
            check()

    def closed(self) -> None:
        """The store is closed, or about to be."""
        if self._file is not None:
            self._file.close(True)
            self._file = None

    def look(self) -> int:
        """Read what is durable by now; return the last seq."""
        if self._file is None:
            return self.last
        for seq, body in self._rows(self.last):
            change = fields(body)
            if seq != self.last + 1:
                self.wrong(f"after change {self.last} comes {seq}")
            if change["seq"] != seq:
                self.wrong(f"change {seq} says that it is {change['seq']}")
            age = change["elapsedTime"]
            if age < self._ages.get(change["uuid"], 0):
                self.wrong(f"the age of {change['uuid']} ran back from {self._ages[change['uuid']]} to {age} s")
            self._ages[change["uuid"]] = age
            self.journal[seq] = change
            self.last = seq
        return self.last

    def _rows(self, after: int) -> list[tuple[int, bytes]]:
        """Read the changes after a seq; whatever the disk does to the gateway, it does not to us."""
        assert self._file is not None
        with self._machine.recording.untroubled():
            return self._file.execute(_QUERY, (after,)).fetchall()  # type: ignore[return-value]

    # What is told.

    def told(self, change: Change, by: str) -> None:
        """Somebody was told of a change: it must be durable, and this."""
        seq = change["seq"]
        if seq > self.last:
            self.look()
        known = self.journal.get(seq)
        if known is None and self._file is None:
            self._unproved.append(lambda: self.told(change, f"before the end, {by}"))
        elif known is None:
            self.wrong(f"{by} told of change {seq} before it was durable")
        elif any(known[key] != value for key, value in change.items()):
            self.wrong(f"{by} told of change {seq} as {change}, and it is {known}")

    def stands(self, order: Change, by: str) -> None:
        """Somebody was told how an order stands: some durable change must have made it so."""
        if self._file is None:
            self._unproved.append(lambda: self.stands(order, f"before the end, {by}"))
            return
        self.look()
        compared = ("uuid", "name", "orderType", "locationName", "state", "paged", "created")
        wanted = {key: order[key] for key in compared if key in order}
        if not any(
            all(change[key] == value for key, value in wanted.items()) for change in reversed(self.journal.values())
        ):
            self.wrong(f"{by} told of an order that no durable change made: {order}")

    def goes_on(self, listed: list[Change], seq: int) -> None:
        """A list of all active orders was told, and then change ``seq``: nothing may lie between the two."""
        if self._file is None or seq - 1 > self.last:
            return
        standing: dict[str, Change] = {}
        for one in range(1, seq):
            if (change := self.journal.get(one)) is not None:
                standing[change["uuid"]] = change
        active = {uuid: change for uuid, change in standing.items() if change["state"] != "cleared"}
        shown = {order["uuid"]: order for order in listed}
        if {uuid: _shown(change) for uuid, change in active.items()} != {
            uuid: _shown(order) for uuid, order in shown.items()
        }:
            self.wrong(f"a WebSocket told of {sorted(shown)}, then of change {seq}; before it were {sorted(active)}")

    def delivered(self, device: Device, delivery: Delivery) -> None:
        """A delivery has come to a device."""
        self.deliveries += 1
        subscription = self.subscriptions.get(delivery.url)
        if subscription is None:
            self.wrong(f"{device.label} never registered, and was told {delivery.id}")
            return
        change = fields(delivery.body)
        known = self._bodies.setdefault((delivery.id, len(change)), delivery.body)  # the versions differ in that
        if known != delivery.body:
            self.wrong(f"{delivery.id} had the body {known!r}, and now {delivery.body!r}")
        if not delivery.id.startswith(self.epoch):
            self.wrong(f"{delivery.id} is not of epoch {self.epoch}")
        if "uuid" in change:
            self.told(change, "a delivery")
        elif change["seq"] > self.look() and self._file is not None:
            self.wrong(f"{delivery.id} tells of a future")
        subscription.take(delivery)

    def acknowledged(self, device: Device, delivery: Delivery) -> None:
        """The answer to a delivery has reached the gateway."""
        subscription = self.subscriptions.get(delivery.url)
        if subscription is not None:
            subscription.acked(delivery, self._timeline.now)

    # What happens to the gateway.

    def crashed(self, *, disk_is_well: bool) -> None:
        """The process has ended without a word; a disk that is slow, or fails, may have written nothing for long."""
        remembered = self._timeline.now - MOST_FORGOTTEN - 0.05 if disk_is_well else float("-inf")
        for subscription in self.subscriptions.values():
            subscription.crashed(remembered)

    # At the end.

    def final(self) -> None:
        """All is well again, and all has been told: has it?"""
        for what in self.ledger.wrong(self.journal[seq] for seq in sorted(self.journal)):
            self.wrong(what)
        for subscription in self.subscriptions.values():
            for what in subscription.owed(self.journal):
                self.wrong(what)

    def subscribing(self, device: Device) -> Subscription:
        """A device is about to register; return what holds its rights."""
        known = self.subscriptions.get(device.url)
        if known is None or known.ended:
            known = self.subscriptions[device.url] = Subscription(self.wrong, device.label)
        known.wishes.append(device.wishes)
        if device.wishes.snapshot:
            known.resyncs.append(self._timeline.now)
        return known

    def balanced(self, text: bytes) -> None:
        """Check the accounts in the text of the metrics."""
        fates: dict[str, float] = {}
        for line in text.decode().splitlines():
            name, _, value = line.rpartition(" ")
            if name.startswith("ttgateway_listener_changes{"):
                fates[name.split('"')[1]] = float(value)
        accepted = fates.pop("accepted")
        if accepted != sum(fates.values()) or min(fates.values()) < 0:
            self.wrong(f"the accounts do not balance: {accepted} accepted, {fates}")

    def waiting(self, listeners: list[dict[str, Any]]) -> int:
        """Check what the gateway says of its listeners; return how many changes wait."""
        for one in listeners:
            if min(one[key] for key in ("delivered", "coalesced", "filtered", "parked", "pending")) < 0:
                self.wrong(f"an account is negative: {one}")
        return sum(one["pending"] for one in listeners)


def _shown(order: Change) -> tuple[object, ...]:
    return tuple(order[key] for key in ("name", "orderType", "locationName", "state", "paged"))
