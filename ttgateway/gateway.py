"""The gateway: the one object that the faces talk to.

Commands about orders are decided in memory at once, and answered when the commit that holds them is durable. What
is read is answered then too: nothing is told that is not on disk.
"""

import uuid
from collections.abc import Callable
from datetime import tzinfo
from functools import partial

import msgspec
from twisted.internet.defer import Deferred, FirstError, ensureDeferred, gatherResults

from ttgateway.clock import Clock
from ttgateway.health import Health
from ttgateway.history import History
from ttgateway.openings import Openings
from ttgateway.orders.active import ActiveOrders, Decision
from ttgateway.orders.change import ChangeType, change_of
from ttgateway.orders.errors import OrderNotActive
from ttgateway.orders.moment import Moment
from ttgateway.orders.order import ClearedReason, Order, OrderType
from ttgateway.preferences import Preferences
from ttgateway.radio import Radio
from ttgateway.refusals import NotNow
from ttgateway.registry import Callbacks, Registry
from ttgateway.secrets import Secrets
from ttgateway.settings import Settings
from ttgateway.store.copies.backups import Backups
from ttgateway.store.store import Store
from ttgateway.store.tables.orders import Standing


class Posted(msgspec.Struct, frozen=True):
    """What became of an order that was posted: as it stands now, and whether that changed anything."""

    order: Order
    changed: bool


class Gateway:
    """One gateway. ``secrets`` and ``registry`` are its other two halves; ``entropy`` returns random bytes."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        settings: Settings,
        callbacks: Callbacks,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self.journal = store.journal  # for those who read along: what is in it is durable
        self._clock = clock
        self._entropy = entropy
        self._born = clock.now().uptime
        self.settings = settings
        self.preferences = Preferences(store, settings.timezone)
        self.openings = Openings(store)
        self.history = History(store, clock, self.preferences)
        self.secrets = Secrets(store, clock, entropy)
        self.registry = Registry(store, clock, callbacks, entropy, settings.listeners.most)
        self.health = Health(store, clock, lambda: self.registry.delivers)
        self.radio = Radio(clock, configured=settings.bridge.configured)
        self._reread(store.standing)
        store.on_failure(self._reread)

    @property
    def id(self) -> str:
        """The gateway's own uuid; it stays the same for as long as its store does."""
        return self._store.id

    @property
    def epoch(self) -> str:
        """The journal's name: another epoch, another count of seq."""
        return self._store.epoch

    @property
    def damage(self) -> str:
        """What the store has lost, in words for the operator; ``""`` for nothing."""
        return self._store.damage

    async def damage_seen(self) -> str:
        """Forget what the store has lost, as the operator has seen it; return it."""
        return await self._store.findings.seen()

    @property
    def backups(self) -> Backups:
        """The copies of the store; raise `NotNow` where it is in memory only."""
        if self._store.backups is None:
            raise NotNow("The store is in memory only.")
        return self._store.backups

    @property
    def zone(self) -> tzinfo:
        """The zone in which times are shown."""
        return self.preferences.zone

    def now(self) -> Moment:
        """Return the present instant."""
        return self._clock.now()

    def uptime(self) -> int:
        """Return for how many whole seconds the gateway has been running."""
        return int(self._clock.now().uptime - self._born)

    async def active_orders(self) -> list[Order]:
        """Return the active orders, oldest first."""
        return (await self.standing())[0]

    async def standing(self) -> tuple[list[Order], int]:
        """Return the active orders, oldest first, and the seq of the last change that they rest on."""
        while True:
            orders, seq = self._active.all(), self._active.seq
            if await self._store.commits.settled():
                return orders, seq

    async def active_order(self, key: str) -> Order:
        """Return the active order with this name or uuid; raise `OrderNotActive`."""
        return (await self._decided(lambda at: Decision(self._active.get(key), None))).order

    async def post(self, name: str, kind: OrderType, location: str) -> Posted:
        """Start an order, or modify the active one of this name; raise `TooManyOrders` or `NotNow`."""
        return await self._put(name, lambda at: self._active.post(name, kind, location, at))

    def tracked(self, name: str, location: str) -> Deferred[Posted]:
        """Start the order of a tracker where it is not active, and put it on a table where ``location`` names one.

        Raises `TooManyOrders` and `NotNow`, and fails with the latter.
        """
        return self._put(name, lambda at: self._active.tracked(name, location, at))

    async def page(self, key: str, tracking: bool = True) -> Order:
        """Page the guest of an active order; ``tracking`` is told to the radio bridge.

        Raises `OrderNotActive`, `PagingUnavailable` and `PagingImpossible`.
        """

        def decide(at: Moment) -> Decision:
            self.radio.check_pageable(self._active.get(key).name)
            return self._active.page(key, at)

        def paged(order: Order) -> None:
            self.radio.paged(order.name, tracking=tracking)

        return (await self._carry_out(decide, paged)).order

    async def cancel_page(self, key: str) -> bool:
        """End the paging of an active order; tell whether it was paged; raise `OrderNotActive`."""
        return (await self._carry_out(lambda at: self._active.cancel_page(key))).change is not None

    async def clear(self, key: str, reason: ClearedReason) -> Order:
        """End an active order; raise `OrderNotActive`."""
        return (await self._carry_out(lambda at: self._active.clear(key, reason, at))).order

    async def clear_all(self, reason: ClearedReason) -> list[Order]:
        """End every active order; return them as they are now."""
        self._store.commits.check()
        while not (orders := self._active.all()):
            if await self._store.commits.settled():
                return []
            self._store.commits.check()
        at = self._clock.now()
        cleared = [self._active.clear(order.uuid, reason, at).order for order in orders]
        writes = [self._append(order, ChangeType.MODIFIED, at) for order in cleared]
        try:
            await gatherResults(writes, consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()
        return cleared

    def _put(self, name: str, decide: Callable[[Moment], Decision]) -> Deferred[Posted]:
        if not self._active.is_active(name):
            self._store.disk.check_room()
        return self._carry_out(decide).addCallback(_posted)

    def _carry_out(
        self, decide: Callable[[Moment], Decision], durable: Callable[[Order], None] | None = None
    ) -> Deferred[Decision]:
        """Decide on a command, unless nothing can be written: a refusal must leave no trace in the memory.

        ``durable`` is called with the order as changed once that is on disk, also where nobody waits any more.
        """

        def checked(at: Moment) -> Decision:
            self._store.commits.check()
            return decide(at)

        return self._decided(checked, durable)

    def _decided(
        self, decide: Callable[[Moment], Decision], durable: Callable[[Order], None] | None = None
    ) -> Deferred[Decision]:
        """Decide, and fire when that is durable."""
        at = self._clock.now()
        try:
            decision = decide(at)
        except OrderNotActive:
            decision = None
        if decision is None or decision.change is None:
            return ensureDeferred(self._settled(decide, durable))
        return self._append(decision.order, decision.change, at, durable).addCallback(lambda _: decision)

    async def _settled(self, decide: Callable[[Moment], Decision], durable: Callable[[Order], None] | None) -> Decision:
        """Decide on what is durable. What rests on a decision that was lost meanwhile is decided again."""
        while True:
            at = self._clock.now()
            try:
                decision = decide(at)
            except OrderNotActive:
                if await self._store.commits.settled():
                    raise
                continue
            if decision.change is not None:
                await self._append(decision.order, decision.change, at, durable)
                return decision
            if await self._store.commits.settled():
                return decision

    def _append(
        self, order: Order, kind: ChangeType, at: Moment, durable: Callable[[Order], None] | None = None
    ) -> Deferred[None]:
        # What is done when it is written is done also where whoever waits for that has hung up.
        written = partial(durable or self._unpaged, order)
        return self._store.journal.append(change_of(order, kind, at, self.zone), order, at.wall, written)

    def _unpaged(self, order: Order) -> None:
        if not order.paged:
            self.radio.unpaged(order.name)

    def _reread(self, standing: Standing) -> None:
        """Take the memory from the file again: all that was decided since is undone, and was told to nobody."""
        self._active = ActiveOrders(standing.orders, standing.seq, self._new_uuid)
        self.radio.stands(order.name for order in self._active.all() if order.paged)

    def _new_uuid(self) -> str:
        return str(uuid.UUID(bytes=self._entropy(16), version=4))


def _posted(decision: Decision) -> Posted:
    return Posted(decision.order, decision.change is not None)
