"""Stores that are made for a benchmark are such as the gateway leaves behind."""

from pathlib import Path
from typing import cast

import pytest

from bench.daemon import TRACKERS
from bench.sink import Sink
from bench.stores import Registered, fill, idle, live
from tests.store.files import Shop, clock_at, shop_in
from ttgateway.orders.order import OrderState
from ttgateway.settings import Journal as Limits
from ttgateway.store.upkeep import trim


class _NoSink:
    def url(self, listener: int) -> str:
        return f"http://127.0.0.1:9/{listener}"


def _filled(tmp_path: Path, changes: int, registered: list[Registered]) -> Shop:
    fill(tmp_path / "state", changes, registered)
    return shop_in(tmp_path / "state", clock_at())


@pytest.mark.parametrize("changes", [0, 1, TRACKERS, TRACKERS + 1, 3 * TRACKERS + 7])
def test_it_holds_so_many_changes(tmp_path: Path, changes: int) -> None:
    shop = _filled(tmp_path, changes, [])
    assert shop.store.journal.last == changes
    assert shop.store.damage == ""
    assert shop.store.journal.active == min(changes, TRACKERS)
    first = shop.store.journal.recent(0)
    assert (first is None) == (changes == 0)


def test_the_orders_are_where_the_changes_have_put_them(tmp_path: Path) -> None:
    shop = _filled(tmp_path, TRACKERS + 1, [])
    orders = {order.name: order for order in shop.store.standing.orders}
    assert (orders["1"].location, orders["1"].seq) == ("2", TRACKERS + 1)
    assert (orders["2"].location, orders["2"].seq) == ("1", 2)
    assert {order.state for order in orders.values()} == {OrderState.LOCATED}
    told = shop.store.journal.recent(TRACKERS)
    assert told is not None
    assert b'"locationName":"2"' in told.body
    assert told.order_uuid == orders["1"].uuid


def test_a_tracker_that_moves_on_makes_the_next_change(tmp_path: Path) -> None:
    shop = _filled(tmp_path, 2 * TRACKERS, [])
    shop.post("1", "1")
    assert shop.store.journal.last == 2 * TRACKERS + 1


def test_listeners_wait_for_as_much_as_they_are_behind(tmp_path: Path) -> None:
    sink = cast(Sink, _NoSink())
    shop = _filled(tmp_path, 20, [*live(sink, 1), Registered("http://127.0.0.1:9/far", 15), *idle(sink, 1)])
    known = {listener.url: (listener, progress) for listener, progress in shop.store.listeners}
    assert {url: 20 - progress.cursor for url, (_, progress) in known.items()} == {
        "http://127.0.0.1:9/0": 1,
        "http://127.0.0.1:9/far": 15,
        "http://127.0.0.1:9/1000000": 0,
    }
    assert known["http://127.0.0.1:9/1000000"][0].events == ("ORDER_PAGED",)
    assert all(progress.base == progress.cursor for _, progress in known.values())


def test_what_somebody_waits_for_is_not_trimmed(tmp_path: Path) -> None:
    shop = _filled(tmp_path, 20, [Registered("http://127.0.0.1:9/far", 15)])
    upto: list[int | None] = []
    shop.store.write(lambda db: trim(db, 10.0, Limits(keep_days=1, keep_changes=1))).addCallback(upto.append)
    assert upto == [5]
