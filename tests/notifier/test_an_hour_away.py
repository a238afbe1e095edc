"""A listener is off for an hour while the restaurant works, and comes back (design section 4, catch-up)."""

from typing import Any

from tests.notifier.shop import Shop, answered, seqs
from ttgateway.store.tables.listeners import Listener

ADDRESS = "10.0.0.2"
OPEN = 40
"""How many orders are active at a time."""


class Restaurant:
    """An order starts every 15 s, gets a table, is perhaps paged, and is cleared when `OPEN` others have come."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._orders = 0

    def work(self, seconds: int) -> None:
        """Let orders come and go."""
        for _ in range(seconds // 15):
            self._orders += 1
            name = str(self._orders)
            self.shop.post(name)
            self.shop.post(name, str(self._orders % 60 + 1))
            if self._orders % 3 == 0:
                self.shop.page(name)
            if self._orders > OPEN:
                self.shop.clear(str(self._orders - OPEN))
            self.shop.wait(15)

    def open_orders(self) -> dict[str, tuple[str, str, bool]]:
        """Return table, state and paging of each active order, by name."""
        orders = self.shop.gateway._active.all()
        return {order.name: (order.location, order.state.value, order.paged) for order in orders}


def an_hour_away(shop: Shop, **asked: Any) -> tuple[Listener, Restaurant, int]:
    """Register, follow for ten minutes, be off for an hour; return listener, restaurant and the last seq followed."""
    listener = shop.register(2, **asked)
    restaurant = Restaurant(shop)
    for _ in range(40):
        restaurant.work(15)
        answered(shop)
    last = shop.progress(listener).cursor
    assert last == shop.store.journal.last
    shop.dial.down.add(ADDRESS)
    restaurant.work(3600)
    assert shop.state(listener) == "down"
    shop.dial.down.clear()
    shop.gateway.registry.heard(ADDRESS)
    return listener, restaurant, last


def state_told(deliveries: list[tuple[dict[str, Any], dict[str, str]]]) -> dict[str, tuple[str, str, bool]]:
    """Return what a listener that was told this last knows of each order that it takes for active."""
    told = {change["name"]: change for change, _ in deliveries}
    return {
        name: (change["locationName"], change["state"], change["paged"])
        for name, change in told.items()
        if change["state"] != "cleared"
    }


def test_one_that_wants_the_latest_is_current_after_one_request_an_order_that_changed(shop: Shop) -> None:
    listener, restaurant, last = an_hour_away(shop, catch_up="latest")
    missed = shop.store.journal.last - last
    deliveries = answered(shop)
    names = [change["name"] for change, _ in deliveries]
    assert len(names) == len(set(names)) == 280  # 240 new ones, and the 40 that were open when it left
    assert missed > 2.5 * len(names)
    assert seqs(deliveries) == sorted(seqs(deliveries))
    assert {headers["ttgateway-flags"] for _, headers in deliveries} == {"coalesced"}
    assert state_told(deliveries) == restaurant.open_orders()
    assert len(state_told(deliveries)) == OPEN
    assert sum(change["state"] == "cleared" for change, _ in deliveries) == 240  # what ended is told as well
    assert shop.progress(listener).cursor == shop.store.journal.last


def test_one_that_wants_every_change_gets_every_change_in_order(shop: Shop) -> None:
    listener, restaurant, last = an_hour_away(shop)
    deliveries = answered(shop)
    assert seqs(deliveries) == list(range(last + 1, shop.store.journal.last + 1))
    assert [int(headers["ttgateway-previous"]) for _, headers in deliveries] == [
        last,
        *seqs(deliveries)[:-1],
    ]
    assert not any("ttgateway-flags" in headers for _, headers in deliveries)
    assert state_told(deliveries) == restaurant.open_orders()
    assert shop.progress(listener).coalesced == 0
