import itertools
from collections.abc import Iterable

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.files import clock_at
from ttgateway.orders.order import ClearedReason, Order, OrderState, OrderType
from ttgateway.store import opening
from ttgateway.store.tables import history, orders
from ttgateway.store.tables.history import MOST_ON_PAGE, HistoryQuery

ON_PREMISE, TO_GO = OrderType.ON_PREMISE, OrderType.TO_GO


def past(
    number: int,
    started: float,
    *,
    kind: OrderType = ON_PREMISE,
    location: str = "",
    took: float | None = 60.0,
) -> Order:
    """Return an order that took ``took`` seconds (``None``: it is active)."""
    cleared = None if took is None else started + took
    return Order(
        uuid=f"uuid-{number}",
        name=str(number),
        type=kind,
        location=location,
        state=OrderState.STARTED if took is None else OrderState.CLEARED,
        started=started,
        changed=started,
        born=started,
        seq=number,
        located=started if location else None,
        cleared=cleared,
        cleared_reason=None if took is None else ClearedReason.TRACKER,
    )


def holding(kept: Iterable[Order]) -> apsw.Connection:
    clock = clock_at()
    db = opening.open_memory(clock.boot, clock.now())
    for order in kept:
        orders.save(db, [order])
    return db


def names(db: apsw.Connection, query: HistoryQuery) -> list[str]:
    return [order.name for order in history.page(db, query)]


def test_the_newest_come_first_active_ones_among_them() -> None:
    db = holding([past(1, 10.0), past(2, 30.0, took=None), past(3, 20.0)])
    assert names(db, HistoryQuery()) == ["2", "3", "1"]


def test_of_one_instant_the_last_comes_first_and_stays_there_when_another_changes() -> None:
    db = holding([past(1, 10.0), past(2, 10.0, took=None), past(3, 10.0, took=None)])
    assert names(db, HistoryQuery()) == ["3", "2", "1"]
    changed = past(2, 10.0)
    orders.save(db, [changed])
    assert names(db, HistoryQuery()) == ["3", "2", "1"]
    assert history.page(db, HistoryQuery())[1] == changed


def test_an_order_is_shown_with_all_that_is_known_of_it() -> None:
    order = past(1, 10.0, kind=TO_GO, location="22")
    assert history.page(holding([order]), HistoryQuery()) == [order]


def test_a_page_holds_a_hundred_at_most_and_an_offset_beyond_the_end_nothing() -> None:
    db = holding(past(number, float(number)) for number in range(150))
    assert len(history.page(db, HistoryQuery())) == 25
    assert len(history.page(db, HistoryQuery(limit=1_000))) == MOST_ON_PAGE == 100
    assert names(db, HistoryQuery(offset=148)) == ["1", "0"]
    assert names(db, HistoryQuery(offset=10**30)) == []


def test_after_is_inclusive_and_before_is_not() -> None:
    db = holding(past(number, float(number)) for number in range(5))
    assert names(db, HistoryQuery(created_after=1.0, created_before=3.0)) == ["2", "1"]


def test_an_order_is_found_by_its_newest_type_and_location() -> None:
    db = holding([past(1, 10.0, took=None)])
    orders.save(db, [past(1, 10.0, kind=TO_GO, location="22", took=None)])
    assert names(db, HistoryQuery(order_type=ON_PREMISE)) == []
    assert names(db, HistoryQuery(order_type=TO_GO, location_name="22")) == ["1"]
    assert names(db, HistoryQuery(location_name="2")) == []


def test_a_location_is_never_taken_for_sql() -> None:
    assert names(holding([past(1, 10.0, location="22")]), HistoryQuery(location_name="' OR 1 OR location = '")) == []


KEPT = [
    past(number, float(number // 2), kind=kind, location=location)
    for number, (kind, location, _) in enumerate(itertools.product(OrderType, ("", "1", "2"), range(8)))
]
QUERIES = st.builds(
    HistoryQuery,
    created_after=st.none() | st.integers(-1, 25).map(float),
    created_before=st.none() | st.integers(-1, 25).map(float),
    order_type=st.none() | st.sampled_from(OrderType),
    location_name=st.sampled_from(["", "1", "2", "3"]),
    offset=st.integers(0, 30),
    limit=st.integers(1, 40),
)


@pytest.fixture(scope="module")
def kept() -> apsw.Connection:
    return holding(KEPT)


@given(query=QUERIES)
def test_every_combination_of_filters_finds_what_a_plain_look_at_each_order_finds(
    kept: apsw.Connection, query: HistoryQuery
) -> None:
    found = [
        order
        for order in reversed(KEPT)
        if (query.created_after is None or order.started >= query.created_after)
        and (query.created_before is None or order.started < query.created_before)
        and query.order_type in (None, order.type)
        and query.location_name in ("", order.location)
    ]
    assert history.page(kept, query) == found[query.offset :][: query.limit]


@given(query=QUERIES)
def test_no_combination_of_filters_reads_orders_that_are_not_on_the_page(
    kept: apsw.Connection, query: HistoryQuery
) -> None:
    sql, values = history.paging(query)
    plan = [str(row[3]) for row in kept.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    walked = [step for step in plan if "orders_" in step]
    assert len(walked) == 1
    assert "USING COVERING INDEX" in walked[0]


def test_an_order_is_found_by_its_uuid_active_or_not() -> None:
    db = holding([past(1, 10.0), past(2, 20.0, took=None)])
    assert history.order(db, "uuid-1") == past(1, 10.0)
    assert history.order(db, "uuid-2") == past(2, 20.0, took=None)
    assert history.order(db, "uuid-3") is None


def test_what_was_cleared_in_a_span_is_counted_and_nothing_else() -> None:
    db = holding(
        [
            past(1, 100.0, took=100.0),  # cleared at 200, the first instant of the span
            past(2, 290.0, took=9.9),
            past(3, 200.0, took=100.0),  # cleared at 300, the first instant after it
            past(4, 190.0, took=5.0),
            past(5, 250.0, took=None),
        ]
    )
    served = history.served(db, 200.0, 300.0, 9.9)
    assert (served.orders, served.in_time) == (2, 1)
    assert served.seconds == pytest.approx(109.9)
    assert history.served(db, 200.0, 300.0, 100.0).in_time == 2


def test_a_span_without_orders_counts_nothing() -> None:
    served = history.served(holding([]), 200.0, 300.0, 10.0)
    assert (served.orders, served.seconds, served.in_time) == (0, 0.0, 0)


def test_no_order_took_less_than_no_time() -> None:
    assert history.served(holding([past(1, 100.0, took=-50.0)]), 0.0, 300.0, 10.0).seconds == 0.0
