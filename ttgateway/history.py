"""The history: every order that is kept, active or cleared, and how fast today's were served. Only what is durable."""

from ttgateway.clock import Clock
from ttgateway.orders.errors import OrderNotActive
from ttgateway.orders.order import Order
from ttgateway.orders.statistics import Statistics, start_of_day, statistics_of
from ttgateway.preferences import Preferences
from ttgateway.store.store import Store
from ttgateway.store.tables import history
from ttgateway.store.tables.history import HistoryQuery

__all__ = ["History", "HistoryQuery"]


class History:
    """Reads the orders in the store. Everything raises `NotNow` where the store cannot be read."""

    def __init__(self, store: Store, clock: Clock, preferences: Preferences) -> None:
        self._store = store
        self._clock = clock
        self._preferences = preferences

    async def page(self, query: HistoryQuery) -> list[Order]:
        """Return the orders that ``query`` asks for, newest first."""
        return await self._store.read(lambda db: history.page(db, query))

    async def order(self, uuid: str) -> Order:
        """Return the order with this (lower-case) uuid; raise `OrderNotActive` where there is none."""
        order = await self._store.read(lambda db: history.order(db, uuid))
        if order is None:
            raise OrderNotActive("Order not found.")
        return order

    async def statistics(self, target: float) -> Statistics:
        """Return the statistics of the orders cleared today, in the gateway's zone; ``target`` in seconds."""
        wall, zone = self._clock.now().wall, self._preferences.zone
        start, end = start_of_day(wall, zone), start_of_day(wall, zone, days=1)
        return statistics_of(await self._store.read(lambda db: history.served(db, start, end, target)), target)
