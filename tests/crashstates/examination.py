"""One state: laid out, opened by the real opening code, and held against what may stand in it, and what must."""

from itertools import count
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import apsw
from twisted.internet.task import Clock

from tests.crashstates.ledger import Ledger
from tests.crashstates.notes import Content, content
from tests.crashstates.till import abandon, open_at
from tests.disks.laying import INDEX, lay_out
from tests.disks.medium import Image, Medium
from tests.disks.operations import Operation, Sync
from tests.disks.recording import RecordingVFS
from tests.support import AtOnce, FakeClock, result_of
from ttgateway.orders.active import ActiveOrders
from ttgateway.orders.change import change_of
from ttgateway.orders.order import OrderType
from ttgateway.settings import Journal as Limits
from ttgateway.store import pages
from ttgateway.store.store import Store

UTC = ZoneInfo("UTC")

EXHAUSTIVE = 4
"""Of how many unsynced writes before a sync all subsets are looked at: of the first ones, and of the last."""

_boots = count(2)

LATER = 20.0
"""Seconds after the power cut at which a state is opened."""

CHECKED_WHOLE = 0.25
"""The share of the states whose every page is read once more: the store does it itself after an unclean stop."""

TOLERANCE = 1.5
"""Seconds by which an order's age may differ after a reboot: how old the note of the time may be, and some."""


class Examination:
    """Opens states in one directory."""

    def __init__(self, disks: RecordingVFS, directory: Path) -> None:
        self._disks = disks
        self._directory = directory

    def once(self, image: Image, ledger: Ledger, random: Random) -> str | None:
        """Return what is wrong after one power cut; ``None`` for nothing."""
        lay_out(image, self._directory)
        return self._opened(ledger, random)

    def twice(self, image: Image, ledger: Ledger, random: Random) -> str | None:
        """Return what is wrong where the power is cut again while the store is opened, or soon after."""
        lay_out(image, self._directory)
        recording = self._disks.watch(self._directory)
        store = None
        try:
            try:
                store = _open(self._directory, ledger.seconds)
            except Exception as error:
                return f"cannot be opened: {error!r}"
            recording.look_at_index()
            second = self._image_within(recording.first, recording.operations, random)
        finally:
            if store is not None:
                abandon(store)
            self._disks.forget(recording)
        for path, head in image.files.items():
            if path.endswith(INDEX) and random.random() < 0.5:
                second.files[path] = head  # still as the first power cut left it: nobody has synced it since
        lay_out(second, self._directory)
        return self._opened(ledger, random)

    def _image_within(self, first: Image, operations: list[Operation], random: Random) -> Image:
        medium = Medium(first)
        syncs = [point for point, operation in enumerate(operations) if isinstance(operation, Sync)]
        point = random.choice(syncs) if syncs and random.random() < 0.6 else random.randint(0, len(operations))
        for operation in operations[:point]:
            medium.apply(operation)
        if random.random() < 0.5:
            return subset(medium, random.randrange(1 << EXHAUSTIVE), at_the_end=False)
        return medium.image(random)

    def _opened(self, ledger: Ledger, random: Random) -> str | None:
        try:
            store = _open(self._directory, ledger.seconds)
        except Exception as error:
            return f"cannot be opened: {error!r}"
        try:
            return self._wrong(store, ledger, random)
        except Exception as error:
            return f"cannot be used: {error!r}"
        finally:
            abandon(store)

    def _wrong(self, store: Store, ledger: Ledger, random: Random) -> str | None:
        writing = store._connections[1]
        found = content(writing)
        return (
            ledger.problem(found)
            or (_unsound(writing) if random.random() < CHECKED_WHOLE else None)
            or _wrong_age(store, found)
            or (self._broken_backup() if random.random() < 0.1 else None)
            or _unusable(store, writing)
        )

    def _broken_backup(self) -> str | None:
        for path in sorted((self._directory / "backups").glob("[0-9]*.db")):
            db = pages.connect(str(path))
            try:
                if (said := _unsound(db)) is not None:
                    return f"backup {path.name}: {said}"
            except apsw.Error as error:
                return f"backup {path.name}: {error!r}"
            finally:
                db.close()
        return None


def subset(medium: Medium, bits: int, *, at_the_end: bool) -> Image:
    """Return the state in which of the last unsynced writes, or the first, those survive whose bit is set.

    All the others are there.
    """
    first = len(medium.unsynced) - EXHAUSTIVE if at_the_end else 0
    return medium.image_of(
        lambda number: not first <= number < first + EXHAUSTIVE or bool(bits >> (number - first) & 1)
    )


def _open(directory: Path, seconds: float) -> Store:
    clock = FakeClock(Clock(), f"boot {next(_boots)}")  # a power cut ends one
    clock.wall_ahead += seconds + LATER
    clock.up_ahead = 10.0
    return open_at(directory, clock, Limits(), lambda name: AtOnce())


def _unsound(db: apsw.Connection) -> str | None:
    said = db.pragma("integrity_check")
    return None if said == "ok" else f"integrity_check: {said}"


def _wrong_age(store: Store, found: Content) -> str | None:
    if found.damage:
        return None  # of which boot the ages were may be lost
    now = store._clock.now()
    for order in store.standing.orders:
        age = now.uptime - order.born
        if not -0.001 <= age - (now.wall - order.started) <= TOLERANCE:
            return f"order {order.name} is {age} s old, and not {now.wall - order.started}"
    return None


def _unusable(store: Store, db: apsw.Connection) -> str | None:
    """Let the store take an order; return what is wrong then."""
    seq = store.standing.seq
    if store.journal.last != seq:
        return f"the journal ends with {store.journal.last}, the orders with {seq}"
    orders = ActiveOrders(store.standing.orders, seq, lambda: "uuid-new")
    at = store._clock.now()
    decision = orders.post("the new one", OrderType.TO_GO, "", at)
    assert decision.change is not None
    result_of(store.journal.append(change_of(decision.order, decision.change, at, UTC), decision.order, at.wall))
    written = db.execute("SELECT order_uuid FROM changes WHERE seq = ?", (seq + 1,)).get
    return None if written == "uuid-new" else f"a new order did not get seq {seq + 1}"
