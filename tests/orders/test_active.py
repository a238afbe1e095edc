import itertools

import pytest

from ttgateway.orders import active
from ttgateway.orders.active import ActiveOrders
from ttgateway.orders.change import ChangeType
from ttgateway.orders.errors import OrderNotActive, TooManyOrders
from ttgateway.orders.moment import Moment
from ttgateway.orders.order import ClearedReason, OrderState, OrderType

ON_PREMISE, TO_GO = OrderType.ON_PREMISE, OrderType.TO_GO
START = Moment(wall=5_000.0, uptime=100.0)
LATER = Moment(wall=5_009.5, uptime=109.5)


def none_active(seq: int = 0) -> ActiveOrders:
    counter = itertools.count(1)
    return ActiveOrders([], seq, lambda: f"uuid-{next(counter)}")


def one_active(location: str = "") -> ActiveOrders:
    orders = none_active()
    orders.post("66", ON_PREMISE, location, START)
    return orders


def test_an_order_without_a_location_is_started() -> None:
    decision = none_active(41).post("66", ON_PREMISE, "", START)
    order = decision.order
    assert decision.change is ChangeType.CREATED
    assert (order.name, order.uuid, order.type, order.location) == ("66", "uuid-1", ON_PREMISE, "")
    assert (order.state, order.started, order.changed, order.born) == (OrderState.STARTED, 5_000.0, 5_000.0, 100.0)
    assert (order.located, order.cleared, order.cleared_reason, order.paged) == (None, None, None, False)
    assert order.seq == 42


def test_an_order_with_a_location_is_born_located_in_one_change() -> None:
    orders = none_active()
    decision = orders.post("66", TO_GO, "22", START)
    assert decision.change is ChangeType.CREATED
    assert (decision.order.state, decision.order.location) == (OrderState.LOCATED, "22")
    assert decision.order.located == decision.order.changed == 5_000.0
    assert orders.seq == 1


def test_a_location_locates_a_started_order() -> None:
    decision = one_active().post("66", ON_PREMISE, "22", LATER)
    order = decision.order
    assert decision.change is ChangeType.MODIFIED
    assert (order.state, order.location) == (OrderState.LOCATED, "22")
    assert (order.changed, order.located, order.started) == (5_009.5, 5_009.5, 5_000.0)
    assert order.uuid == "uuid-1"


def test_another_location_moves_a_located_order() -> None:
    decision = one_active("22").post("66", ON_PREMISE, "23", LATER)
    assert decision.change is ChangeType.MODIFIED
    assert (decision.order.location, decision.order.located) == ("23", 5_009.5)


def test_another_type_changes_the_order_and_not_its_state() -> None:
    decision = one_active("22").post("66", TO_GO, "22", LATER)
    assert decision.change is ChangeType.MODIFIED
    assert (decision.order.type, decision.order.location, decision.order.changed) == (TO_GO, "22", 5_000.0)


def test_a_type_alone_leaves_the_location() -> None:
    decision = one_active("22").post("66", TO_GO, "", LATER)
    assert (decision.order.type, decision.order.location, decision.order.state) == (TO_GO, "22", OrderState.LOCATED)


def test_location_and_type_at_once_are_one_change() -> None:
    orders = one_active()
    decision = orders.post("66", TO_GO, "7", LATER)
    assert (decision.order.type, decision.order.location, decision.order.state) == (TO_GO, "7", OrderState.LOCATED)
    assert orders.seq == 2


def test_a_tracker_starts_an_order_on_the_premises() -> None:
    decision = none_active().tracked("66", "", START)
    assert decision.change is ChangeType.CREATED
    assert (decision.order.type, decision.order.state) == (ON_PREMISE, OrderState.STARTED)


def test_a_tracker_on_a_table_starts_an_order_that_is_located() -> None:
    decision = none_active().tracked("66", "22", START)
    assert decision.change is ChangeType.CREATED
    assert (decision.order.type, decision.order.location) == (ON_PREMISE, "22")


def test_a_tracker_locates_an_order_and_leaves_its_type() -> None:
    orders = none_active()
    orders.post("66", TO_GO, "", START)
    assert orders.tracked("66", "", LATER).change is None
    decision = orders.tracked("66", "22", LATER)
    assert decision.change is ChangeType.MODIFIED
    assert (decision.order.type, decision.order.location, decision.order.located) == (TO_GO, "22", 5_009.5)
    assert orders.tracked("66", "22", LATER).change is None


@pytest.mark.parametrize(("stands", "posted"), [("", ""), ("22", ""), ("22", "22")])
def test_posting_what_stands_changes_nothing(stands: str, posted: str) -> None:
    orders = one_active(stands)
    before = orders.get("66")
    decision = orders.post("66", ON_PREMISE, posted, LATER)
    assert decision.change is None
    assert decision.order == before == orders.get("66")
    assert orders.seq == 1


def test_paging_is_a_flag_beside_the_state() -> None:
    decision = one_active("22").page("66", LATER)
    assert decision.change is ChangeType.PAGED
    assert (decision.order.paged, decision.order.paged_at) == (True, 5_009.5)
    assert (decision.order.state, decision.order.changed) == (OrderState.LOCATED, 5_000.0)


def test_paging_again_pages_again() -> None:
    orders = one_active()
    orders.page("66", START)
    decision = orders.page("66", LATER)
    assert decision.change is ChangeType.PAGED
    assert (decision.order.seq, decision.order.paged_at) == (3, 5_009.5)


def test_paging_can_be_canceled_once() -> None:
    orders = one_active()
    orders.page("66", START)
    canceled = orders.cancel_page("66")
    assert (canceled.change, canceled.order.paged) == (ChangeType.MODIFIED, False)
    assert orders.cancel_page("66").change is None
    assert orders.seq == 3


def test_clearing_ends_an_order_and_its_paging() -> None:
    orders = one_active("22")
    orders.page("66", START)
    decision = orders.clear("66", ClearedReason.TRACKER, LATER)
    order = decision.order
    assert decision.change is ChangeType.MODIFIED
    assert (order.state, order.cleared, order.changed) == (OrderState.CLEARED, 5_009.5, 5_009.5)
    assert (order.cleared_reason, order.paged, order.seq) == (ClearedReason.TRACKER, False, 3)
    assert (len(orders), orders.all(), orders.is_active("66")) == (0, [], False)


def test_a_cleared_name_starts_anew_with_another_uuid() -> None:
    orders = one_active("22")
    orders.clear("66", ClearedReason.TRACKER, LATER)
    decision = orders.post("66", ON_PREMISE, "", LATER)
    assert decision.change is ChangeType.CREATED
    assert (decision.order.uuid, decision.order.location, decision.order.state) == ("uuid-2", "", OrderState.STARTED)


def test_a_name_is_active_at_most_once() -> None:
    orders = one_active()
    orders.post("66", TO_GO, "1", LATER)
    orders.post("67", TO_GO, "1", LATER)
    assert [order.name for order in orders.all()] == ["66", "67"]


def test_a_name_and_a_uuid_name_the_same_order() -> None:
    orders = one_active()
    assert orders.get("uuid-1") is orders.get("66")
    assert orders.is_active("uuid-1")
    orders.page("uuid-1", LATER)
    orders.clear("uuid-1", ClearedReason.TRACKER, LATER)
    assert not orders.is_active("66")


@pytest.mark.parametrize("key", ["67", "uuid-2", ""])
def test_what_is_not_active_can_be_neither_read_nor_changed(key: str) -> None:
    orders = one_active()
    for command in (
        lambda: orders.get(key),
        lambda: orders.page(key, LATER),
        lambda: orders.cancel_page(key),
        lambda: orders.clear(key, ClearedReason.TRACKER, LATER),
    ):
        with pytest.raises(OrderNotActive):
            command()
    assert orders.seq == 1


def test_active_orders_are_bounded_and_one_more_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(active, "MOST_ACTIVE", 2)
    orders = one_active()
    orders.post("67", TO_GO, "", START)
    with pytest.raises(TooManyOrders):
        orders.post("68", TO_GO, "", START)
    assert (len(orders), orders.seq) == (2, 2)
    assert orders.post("67", TO_GO, "5", START).change is ChangeType.MODIFIED


def test_orders_stay_in_the_order_of_their_start_whatever_happens_to_them() -> None:
    orders = none_active()
    for name in ("3", "1", "2"):
        orders.post(name, TO_GO, "", START)
    orders.post("3", TO_GO, "9", LATER)
    orders.page("1", LATER)
    assert [order.name for order in orders.all()] == ["3", "1", "2"]


def test_a_clock_that_was_set_back_dates_no_change_before_the_start() -> None:
    past = Moment(wall=10.0, uptime=110.0)
    orders = one_active()
    assert orders.post("66", ON_PREMISE, "1", past).order.changed == 5_000.0
    cleared = orders.clear("66", ClearedReason.TRACKER, past).order
    assert cleared.cleared == cleared.changed == 5_000.0


def test_orders_from_the_file_stand_as_they_stood() -> None:
    orders = one_active("22")
    again = ActiveOrders(orders.all(), orders.seq, lambda: "uuid-9")
    assert again.all() == orders.all()
    assert again.page("uuid-1", LATER).order.seq == 2


def test_an_order_ends_at_its_age_whatever_the_wall_clock_did_meanwhile() -> None:
    for wall in (0.0, 5_009.5, 9_000.0):
        cleared = one_active().clear("66", ClearedReason.TRACKER, Moment(wall=wall, uptime=109.5)).order
        assert cleared.took == 9.5


def test_no_time_of_an_order_is_before_the_one_before_although_the_clock_is_set_back() -> None:
    orders = one_active()
    orders.post("66", ON_PREMISE, "22", LATER)
    orders.page("66", LATER)
    back = Moment(wall=4_000.0, uptime=120.0)
    assert orders.page("66", back).order.paged_at == 5_009.5
    assert orders.post("66", ON_PREMISE, "23", back).order.located == 5_009.5
    cleared = orders.clear("66", ClearedReason.TRACKER, back).order
    assert (cleared.changed, cleared.cleared) == (5_009.5, 5_009.5)


def test_a_page_is_not_before_the_start() -> None:
    assert one_active().page("66", Moment(wall=0.0, uptime=120.0)).order.paged_at == 5_000.0
