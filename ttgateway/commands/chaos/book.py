"""The journal of a gateway that is none: what happens in a restaurant, as a gateway would decide and write it."""

from collections.abc import Callable
from datetime import tzinfo

import msgspec

from ttgateway.commands.simulation.restaurant import Action, Step
from ttgateway.orders.active import ActiveOrders, Decision
from ttgateway.orders.change import ChangeType, change_of
from ttgateway.orders.moment import Moment
from ttgateway.orders.order import ClearedReason, Order
from ttgateway.store.tables.entry import Entry, entry_of

SEQ_MARGIN = 1000
"""By how much ``seq`` goes up where a journal is replaced, as no number may be told twice."""


class Picture(msgspec.Struct, frozen=True):
    """How things stood after change ``last``: the newest change of each order that was active."""

    last: int
    orders: tuple[Entry, ...]

    def standing(self) -> list[Entry]:
        """Return these changes, by seq."""
        return list(self.orders)


class Book:
    """Writes down the steps of a story whose first day began at Unix time ``midnight``, shown in ``zone``."""

    def __init__(self, new_uuid: Callable[[], str], midnight: float, zone: tzinfo) -> None:
        self._orders = ActiveOrders([], 0, new_uuid)
        self._midnight = midnight
        self._zone = zone
        self._newest: dict[str, Entry] = {}

    @property
    def orders(self) -> list[Order]:
        """Return the active orders, oldest first."""
        return self._orders.all()

    @property
    def last(self) -> int:
        """Return the seq of the newest change."""
        return self._orders.seq

    def write(self, step: Step) -> Entry:
        """Return the change that ``step`` is."""
        at = Moment(self._midnight + step.at, step.at)
        decision = self._decide(step, at)
        order = decision.order
        kind = decision.change or ChangeType.MODIFIED  # each step of a story changes something
        entry = entry_of(change_of(order, kind, at, self._zone), at.wall)
        self._newest.pop(order.uuid, None)
        if step.action is not Action.CLEAR:
            self._newest[order.uuid] = entry
        return entry

    def picture(self) -> Picture:
        """Return how things stand."""
        return Picture(self.last, tuple(self._newest.values()))

    def begin_anew(self) -> None:
        """Leave a margin of numbers, as a gateway does that has replaced its journal."""
        self._orders.seq += SEQ_MARGIN

    def _decide(self, step: Step, at: Moment) -> Decision:
        if step.action is Action.CLEAR:
            return self._orders.clear(step.name, ClearedReason.TRACKER, at)
        if step.action is Action.PAGE:
            return self._orders.page(step.name, at)
        if step.action is Action.UNPAGE:
            return self._orders.cancel_page(step.name)
        return self._orders.post(step.name, step.kind, step.table, at)
