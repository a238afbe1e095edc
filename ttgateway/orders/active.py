"""The active orders, and the one place that decides what a command does to them."""

from collections.abc import Callable, Iterable

import msgspec

from ttgateway.orders.change import ChangeType
from ttgateway.orders.errors import OrderNotActive, TooManyOrders
from ttgateway.orders.moment import Moment
from ttgateway.orders.order import ClearedReason, Order, OrderState, OrderType

MOST_ACTIVE = 10_000


class Decision(msgspec.Struct, frozen=True):
    """What a command did: the order as it stands now, and the kind of its change (``None``: it changed nothing)."""

    order: Order
    change: ChangeType | None


class ActiveOrders:
    """All orders that are not cleared, by name and by uuid, in order of their start.

    Each command changes the memory at once and returns a `Decision`; making it durable is the caller's
    business. ``seq`` is the last number given to a change.
    """

    def __init__(self, orders: Iterable[Order], seq: int, new_uuid: Callable[[], str]) -> None:
        self.seq = seq
        self._new_uuid = new_uuid
        self._by_uuid = {order.uuid: order for order in orders}
        self._uuid_of = {order.name: order.uuid for order in self._by_uuid.values()}

    def __len__(self) -> int:
        """Return how many orders are active."""
        return len(self._by_uuid)

    def all(self) -> list[Order]:
        """Return every active order, oldest first."""
        return list(self._by_uuid.values())

    def get(self, key: str) -> Order:
        """Return the active order with name or uuid ``key``; raise `OrderNotActive`."""
        order = self._by_uuid.get(self._uuid_of.get(key, key))
        if order is None:
            raise OrderNotActive("Order not found.")
        return order

    def is_active(self, key: str) -> bool:
        """Tell whether an order with name or uuid ``key`` is active."""
        return self._uuid_of.get(key, key) in self._by_uuid

    def post(self, name: str, kind: OrderType, location: str, at: Moment) -> Decision:
        """Start order ``name``, or modify it where it is active; ``location`` is ``""`` for none."""
        if name not in self._uuid_of:
            return self._start(name, kind, location, at)
        order = self.get(name)
        moved = location not in ("", order.location)
        if not moved and kind == order.type:
            return Decision(order, None)
        if moved:
            order = _located(order, location, at)
        if kind != order.type:
            order = msgspec.structs.replace(order, type=kind)
        return self._changed(order, ChangeType.MODIFIED)

    def tracked(self, name: str, location: str, at: Moment) -> Decision:
        """Start or locate order ``name`` as its tracker reports: an active order keeps its type."""
        known = self._uuid_of.get(name)
        kind = self._by_uuid[known].type if known is not None else OrderType.ON_PREMISE
        return self.post(name, kind, location, at)

    def page(self, key: str, at: Moment) -> Decision:
        """Page the guest of an active order; paging again pages again."""
        order = self.get(key)
        order = msgspec.structs.replace(order, paged=True, paged_at=max(order.paged_at or order.started, at.wall))
        return self._changed(order, ChangeType.PAGED)

    def cancel_page(self, key: str) -> Decision:
        """End the paging of an active order; changes nothing where it is not paged."""
        order = self.get(key)
        if not order.paged:
            return Decision(order, None)
        return self._changed(msgspec.structs.replace(order, paged=False), ChangeType.MODIFIED)

    def clear(self, key: str, reason: ClearedReason, at: Moment) -> Decision:
        """End an active order."""
        order = self.get(key)
        cleared = _when(order, at)
        took = max(0.0, at.uptime - order.born)
        decision = self._changed(
            msgspec.structs.replace(
                order,
                state=OrderState.CLEARED,
                changed=cleared,
                cleared=cleared,
                cleared_reason=reason,
                paged=False,
                took=took,
            ),
            ChangeType.MODIFIED,
        )
        del self._by_uuid[order.uuid]
        del self._uuid_of[order.name]
        return decision

    def _start(self, name: str, kind: OrderType, location: str, at: Moment) -> Decision:
        if len(self._by_uuid) >= MOST_ACTIVE:
            raise TooManyOrders(f"Too many active orders. At most {MOST_ACTIVE} are kept.")
        order = Order(
            uuid=self._new_uuid(),
            name=name,
            type=kind,
            location="",
            state=OrderState.STARTED,
            started=at.wall,
            changed=at.wall,
            born=at.uptime,
            seq=0,
        )
        if location:
            order = _located(order, location, at)
        return self._changed(order, ChangeType.CREATED)

    def _changed(self, order: Order, change: ChangeType) -> Decision:
        self.seq += 1
        order = msgspec.structs.replace(order, seq=self.seq)
        self._by_uuid[order.uuid] = order
        self._uuid_of[order.name] = order.uuid
        return Decision(order, change)


def _when(order: Order, at: Moment) -> float:
    """Return the wall time of a change of ``order``: not before its last one, should the clock have been set back."""
    return max(order.changed, at.wall)


def _located(order: Order, location: str, at: Moment) -> Order:
    when = _when(order, at)
    return msgspec.structs.replace(order, location=location, state=OrderState.LOCATED, changed=when, located=when)
