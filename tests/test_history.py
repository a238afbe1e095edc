import pytest
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.support import FakeClock, OnDemand, memory_gateway, memory_store, result_of
from ttgateway.gateway import Gateway
from ttgateway.history import HistoryQuery
from ttgateway.orders.errors import OrderNotActive
from ttgateway.orders.order import ClearedReason, OrderType
from ttgateway.orders.statistics import Statistics
from ttgateway.refusals import NotNow

NOBODY = "00000000-0000-4000-8000-000000000000"


class Shop:
    """A gateway with a history."""

    def __init__(self) -> None:
        self.timers = Clock()
        self.clock = FakeClock(self.timers)
        self.store = memory_store(self.timers, clock=self.clock)
        self.gateway: Gateway = memory_gateway(self.store, self.clock)

    def serve(self, name: str, seconds: float) -> str:
        """Start an order and clear it ``seconds`` later; return its uuid."""
        order = result_of(self.gateway.post(name, OrderType.TO_GO, "")).order
        self.timers.advance(seconds)
        result_of(self.gateway.clear(name, ClearedReason.TRACKER))
        return order.uuid

    def statistics(self, target: float) -> Statistics:
        return result_of(self.gateway.history.statistics(target))

    def lose(self, table: str) -> None:
        result_of(self.store.write(lambda db: db.execute(f"ALTER TABLE {table} RENAME TO lost")))


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_an_order_is_in_the_history_from_its_start_and_stays_when_it_is_cleared(shop: Shop) -> None:
    uuid = result_of(shop.gateway.post("66", OrderType.TO_GO, "")).order.uuid
    assert result_of(shop.gateway.history.order(uuid)).cleared is None
    cleared = result_of(shop.gateway.clear("66", ClearedReason.TRACKER))
    assert result_of(shop.gateway.history.order(uuid)) == cleared
    assert result_of(shop.gateway.history.page(HistoryQuery())) == [cleared]


def test_an_order_that_was_never_there_is_not_found(shop: Shop) -> None:
    with pytest.raises(OrderNotActive, match=r"^Order not found\.$"):
        result_of(shop.gateway.history.order(NOBODY))


def test_what_is_decided_and_not_yet_durable_is_not_shown() -> None:
    timers, disk = Clock(), OnDemand()
    clock = FakeClock(timers)
    store = memory_store(timers, clock=clock, executor=disk)
    gateway = memory_gateway(store, clock)
    page = ensureDeferred(gateway.history.page(HistoryQuery()))
    posted = ensureDeferred(gateway.post("66", OrderType.TO_GO, ""))
    disk.step()
    assert result_of(page) == []
    assert not posted.called
    disk.step()
    assert posted.called


def test_the_documented_sample_gives_the_documented_statistics(shop: Shop) -> None:
    shop.serve("1", 3611.0)
    shop.serve("2", 8.0)
    result_of(shop.gateway.post("3", OrderType.TO_GO, ""))
    assert shop.statistics(109) == Statistics(1809.5, 2.0, 109.0, 50.0)


def test_a_new_day_starts_with_no_orders_at_midnight_in_the_zone_that_is_set(shop: Shop) -> None:
    shop.serve("1", 10.0)  # at 19:09 UTC, which is 15:09 in New York
    shop.timers.advance(5 * 3600)
    assert shop.statistics(300).orders_today == 0.0
    result_of(shop.gateway.preferences.change({"timezone": "America/New_York"}))
    assert shop.statistics(300).orders_today == 1.0
    shop.timers.advance(4 * 3600)
    assert shop.statistics(300).orders_today == 0.0


def test_orders_from_what_the_clock_calls_the_future_are_not_todays(shop: Shop) -> None:
    shop.serve("1", 10.0)
    shop.clock.wall_ahead = 60.0  # an appliance without a clock of its own wakes in 1970
    assert shop.statistics(300).orders_today == 0.0


def test_no_average_is_negative_when_the_clock_is_set_back_under_an_order(shop: Shop) -> None:
    result_of(shop.gateway.post("1", OrderType.TO_GO, ""))
    shop.clock.wall_ahead -= 3600
    result_of(shop.gateway.clear("1", ClearedReason.TRACKER))
    assert shop.statistics(300) == Statistics(0.0, 1.0, 300.0, 100.0)


@pytest.mark.parametrize("step", [3600.0, -3600.0, 86_400.0 * 365])
def test_how_long_orders_took_is_right_although_the_clock_was_set_meanwhile(shop: Shop, step: float) -> None:
    result_of(shop.gateway.post("1", OrderType.TO_GO, ""))
    shop.clock.wall_ahead += step
    shop.timers.advance(200)
    result_of(shop.gateway.clear("1", ClearedReason.TRACKER))
    shop.serve("2", 400)
    assert shop.statistics(300) == Statistics(300.0, 2.0, 300.0, 50.0)


def test_a_history_that_cannot_be_read_is_refused_and_logged(shop: Shop, logged: Logged) -> None:
    shop.lose("orders")
    for asked in (
        shop.gateway.history.page(HistoryQuery()),
        shop.gateway.history.order(NOBODY),
        shop.gateway.history.statistics(300),
    ):
        with pytest.raises(NotNow, match="cannot be read"):
            result_of(asked)
    assert len(logged.flush()) == 3


def test_an_order_that_is_not_what_was_written_is_refused_and_logged(shop: Shop, logged: Logged) -> None:
    shop.serve("1", 10.0)
    result_of(shop.store.write(lambda db: db.execute("UPDATE orders SET state = 'lost'")))
    with pytest.raises(NotNow, match="cannot be read"):
        result_of(shop.gateway.history.page(HistoryQuery()))
    assert len(logged.flush()) == 1
