import json
from collections.abc import Awaitable
from typing import Any
from zoneinfo import ZoneInfo

import apsw
import pytest
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.support import DEFAULTS, FakeClock, OnDemand, memory_gateway, memory_store, result_of
from ttgateway.gateway import Gateway
from ttgateway.orders.errors import OrderNotActive
from ttgateway.orders.order import ClearedReason, OrderState, OrderType
from ttgateway.refusals import DiskFull, NotNow, PagingImpossible, PagingUnavailable
from ttgateway.settings import Bridge, Settings
from ttgateway.store.commits import MEND_EVERY
from ttgateway.store.tables.orders import Standing

TO_GO = OrderType.TO_GO
OVERRIDE = ClearedReason.MANAGER_OVERRIDE
BRIDGED = Settings(bridge=Bridge(at="unix:/run/bridge.sock"))


class House:
    """A gateway on a slow disk, and what it announced."""

    def __init__(self, settings: Settings = DEFAULTS) -> None:
        self.timers = Clock()
        self.clock = FakeClock(self.timers)
        self.disk = OnDemand()
        self.store = memory_store(self.timers, clock=self.clock, executor=self.disk)
        self.gateway: Gateway = memory_gateway(self.store, self.clock, settings=settings)
        self.announced: list[int] = []
        self.store.journal.watch(lambda: self.announced.append(self.store.journal.last))

    def ask(self, call: Awaitable[Any]) -> Deferred[Any]:
        return ensureDeferred(call)  # type: ignore[arg-type]

    def settle(self) -> None:
        while self.disk.waiting:
            self.disk.step()

    def do(self, call: Awaitable[Any]) -> Any:
        pending = self.ask(call)
        self.settle()
        return result_of(pending)

    def names(self) -> list[str]:
        return [order.name for order in self.do(self.gateway.active_orders())]

    def fill_the_disk(self) -> None:
        """Let what is written now fail as on a full disk, together with all that waits."""

        def fill(db: apsw.Connection) -> None:
            pages = db.execute("PRAGMA page_count").get
            db.execute(f"PRAGMA max_page_count = {pages}").get  # noqa: B018
            db.execute("INSERT INTO tokens VALUES (zeroblob(1000000), 'x', 'token', 1.0, NULL, NULL, NULL)")

        self.store.write(fill).addErrback(lambda _: None)

    def make_room(self) -> None:
        self.settle()
        self.timers.advance(MEND_EVERY)
        self.do(self.store.write(lambda db: db.execute("PRAGMA max_page_count = 1000000").get))


@pytest.fixture
def house() -> House:
    return House()


def test_an_order_is_answered_only_after_the_commit_that_holds_it(house: House) -> None:
    posted = house.ask(house.gateway.post("66", TO_GO, ""))
    assert not posted.called
    assert house.announced == []
    house.disk.step()
    assert result_of(posted).changed
    assert house.announced == [1]


def test_orders_that_arrive_together_share_a_commit(house: House) -> None:
    posted = [house.ask(house.gateway.post(str(number), TO_GO, "")) for number in range(5)]
    house.disk.step()
    house.disk.step()
    assert [result_of(one).order.seq for one in posted] == [1, 2, 3, 4, 5]
    assert house.store.commits.commits == 2
    assert house.announced == [1, 5]


def test_a_change_goes_through_every_state(house: House) -> None:
    gateway = house.gateway
    assert house.do(gateway.post("66", TO_GO, "")).order.state is OrderState.STARTED
    located = house.do(gateway.post("66", TO_GO, "7"))
    assert (located.changed, located.order.state) == (True, OrderState.LOCATED)
    assert not house.do(gateway.post("66", TO_GO, "7")).changed
    assert house.do(gateway.page("66")).paged
    assert house.do(gateway.cancel_page("66")) is True
    assert house.do(gateway.cancel_page("66")) is False
    assert house.do(gateway.active_order(located.order.uuid)).name == "66"
    assert house.do(gateway.clear("66", OVERRIDE)).state is OrderState.CLEARED
    assert house.names() == []
    assert house.store.journal.last == 5


def test_a_failed_commit_restores_the_memory_and_announces_nothing(house: House, logged: Logged) -> None:
    house.do(house.gateway.post("1", TO_GO, ""))
    house.fill_the_disk()
    refused = [
        house.ask(house.gateway.post("2", TO_GO, "")),
        house.ask(house.gateway.page("1")),
        house.ask(house.gateway.clear("1", OVERRIDE)),
    ]
    house.settle()
    for one in refused:
        with pytest.raises(DiskFull):
            result_of(one)
    assert house.announced == [1]
    assert house.names() == ["1"]
    assert not house.do(house.gateway.active_order("1")).paged
    house.make_room()
    assert house.do(house.gateway.post("3", TO_GO, "")).order.seq == 2
    assert house.announced == [1, 2]
    logged.flush()


def test_a_list_waits_for_the_orders_that_it_shows(house: House) -> None:
    posted = house.ask(house.gateway.post("66", TO_GO, ""))
    listed = house.ask(house.gateway.active_orders())
    assert not listed.called
    house.settle()
    assert result_of(posted).order in result_of(listed)


def test_a_list_shows_nothing_that_was_lost(house: House, logged: Logged) -> None:
    house.fill_the_disk()
    posted = house.ask(house.gateway.post("66", TO_GO, ""))
    listed = house.ask(house.gateway.active_orders())
    house.settle()
    assert result_of(listed) == []
    with pytest.raises(DiskFull):
        result_of(posted)
    logged.flush()
    house.make_room()


def test_a_list_asked_for_when_a_reply_goes_out_shows_nothing_that_still_waits(house: House) -> None:
    """As on a connection with a second request in line: it is served while results are given out."""
    listed: list[Deferred[Any]] = []
    first = house.ask(house.gateway.post("1", TO_GO, ""))
    first.addCallback(lambda _: listed.append(house.ask(house.gateway.active_orders())))
    house.ask(house.gateway.post("2", TO_GO, ""))
    house.disk.step()
    assert not listed[0].called
    house.disk.step()
    assert [order.name for order in result_of(listed[0])] == ["1", "2"]


def test_an_order_is_not_gone_before_its_end_is_durable(house: House, logged: Logged) -> None:
    house.do(house.gateway.post("66", TO_GO, ""))
    house.fill_the_disk()
    cleared = house.ask(house.gateway.clear("66", OVERRIDE))
    shown = house.ask(house.gateway.active_order("66"))
    again = house.ask(house.gateway.cancel_page("66"))
    assert not shown.called
    house.settle()
    with pytest.raises(DiskFull):
        result_of(cleared)
    assert result_of(shown).name == "66"
    assert result_of(again) is False
    logged.flush()
    house.make_room()


def test_an_order_that_is_gone_is_told_when_that_is_durable(house: House) -> None:
    house.do(house.gateway.post("66", TO_GO, ""))
    house.ask(house.gateway.clear("66", OVERRIDE))
    shown = house.ask(house.gateway.active_order("66"))
    assert not shown.called
    house.settle()
    with pytest.raises(OrderNotActive):
        result_of(shown)


def test_what_was_found_unchanged_is_decided_again_when_what_it_rests_on_is_lost(house: House, logged: Logged) -> None:
    house.do(house.gateway.post("66", TO_GO, ""))
    house.fill_the_disk()
    moved = house.ask(house.gateway.post("66", TO_GO, "7"))
    same = house.ask(house.gateway.post("66", TO_GO, "7"))
    house.disk.step()
    with pytest.raises(DiskFull):
        result_of(moved)
    assert not same.called, "on the file's table 7 nobody sits: it is moved there after all"
    logged.flush()
    house.disk.step()
    assert result_of(same).changed
    assert house.do(house.gateway.active_order("66")).location == "7"


def test_clearing_all_ends_every_order_with_a_change_each(house: House) -> None:
    for name in ("3", "1", "2"):
        house.do(house.gateway.post(name, TO_GO, ""))
    cleared = house.do(house.gateway.clear_all(OVERRIDE))
    assert [(order.name, order.state, order.seq) for order in cleared] == [
        ("3", OrderState.CLEARED, 4),
        ("1", OrderState.CLEARED, 5),
        ("2", OrderState.CLEARED, 6),
    ]
    assert house.names() == []
    assert house.do(house.gateway.clear_all(OVERRIDE)) == []
    assert house.store.journal.last == 6


def test_clearing_all_is_refused_as_a_whole_when_the_commit_fails(house: House, logged: Logged) -> None:
    for name in ("1", "2", "3"):
        house.do(house.gateway.post(name, TO_GO, ""))
    house.fill_the_disk()
    cleared = house.ask(house.gateway.clear_all(OVERRIDE))
    house.settle()
    with pytest.raises(DiskFull):
        result_of(cleared)
    assert house.names() == ["1", "2", "3"]
    logged.flush()
    house.make_room()


def test_all_is_not_clear_before_that_is_durable(house: House, logged: Logged) -> None:
    house.do(house.gateway.post("66", TO_GO, ""))
    house.fill_the_disk()
    house.ask(house.gateway.clear("66", OVERRIDE)).addErrback(lambda _: None)
    all_clear = house.ask(house.gateway.clear_all(OVERRIDE))
    assert not all_clear.called
    house.disk.step()
    house.make_room()
    assert [order.name for order in result_of(all_clear)] == ["66"]
    logged.flush()


def test_who_stops_takes_no_command_and_leaves_no_trace_of_it(house: House) -> None:
    house.do(house.gateway.post("66", TO_GO, ""))
    house.ask(house.store.commits.stop())
    house.settle()
    gateway = house.gateway
    for command in (
        gateway.post("67", TO_GO, ""),
        gateway.page("66"),
        gateway.cancel_page("66"),
        gateway.clear("66", OVERRIDE),
        gateway.clear_all(OVERRIDE),
    ):
        with pytest.raises(NotNow):
            house.do(command)
    assert house.names() == ["66"]
    assert not house.do(gateway.active_order("66")).paged


def test_too_little_room_refuses_new_orders_and_lets_the_old_ones_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.do(house.gateway.post("66", TO_GO, ""))

    def no_room() -> None:
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(house.store.disk, "check_room", no_room)
    with pytest.raises(DiskFull):
        house.do(house.gateway.post("67", TO_GO, ""))
    assert house.do(house.gateway.post("66", TO_GO, "7")).changed
    assert house.do(house.gateway.page("66")).paged
    house.do(house.gateway.clear("66", OVERRIDE))
    assert house.store.journal.last == 4


def test_it_has_a_name_of_its_own_and_counts_its_uptime(house: House) -> None:
    house.timers.advance(61.9)
    assert house.gateway.uptime() == 61
    assert (house.gateway.id, house.gateway.epoch) == (house.store.id, house.store.epoch)
    assert len(house.gateway.id) == 36
    assert house.gateway.damage == ""


def test_a_new_zone_holds_for_the_very_next_change(house: House) -> None:
    house.do(house.gateway.post("1", TO_GO, ""))
    house.do(house.gateway.preferences.change({"timezone": "Asia/Tokyo"}))
    house.do(house.gateway.post("2", TO_GO, ""))
    assert house.gateway.zone is ZoneInfo("Asia/Tokyo")
    created = [json.loads(entry.text(2))["created"] for entry in house.store.journal.standing()]
    assert created == ["2016-09-22T19:08:52", "2016-09-23T04:08:52"]


def test_a_tracker_starts_and_locates_its_order(house: House) -> None:
    gateway = house.gateway
    assert house.do(gateway.tracked("66", "")).changed
    assert not house.do(gateway.tracked("66", "")).changed
    located = house.do(gateway.tracked("66", "7"))
    assert (located.changed, located.order.state, located.order.type) == (
        True,
        OrderState.LOCATED,
        OrderType.ON_PREMISE,
    )
    house.do(gateway.post("67", TO_GO, ""))
    assert house.do(gateway.tracked("67", "8")).order.type is TO_GO


def test_too_little_room_refuses_the_order_of_a_tracker_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room() -> None:
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(house.store.disk, "check_room", no_room)
    for location in ("", "7"):
        with pytest.raises(DiskFull):
            house.gateway.tracked("66", location)
    assert house.names() == []


class Heard:
    """A bridge, and what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def page(self, name: str, tracking: bool) -> None:
        self.told.append(("page", name, tracking))

    def unpage(self, name: str) -> None:
        self.told.append(("unpage", name))

    def pair(self, seconds: int) -> None:
        pass

    def replaced(self) -> None:
        pass


class TestRadio:
    def test_paging_is_refused_before_anything_is_decided(self) -> None:
        house = House(BRIDGED)
        house.do(house.gateway.post("66", TO_GO, ""))
        with pytest.raises(OrderNotActive):
            house.do(house.gateway.page("67"))
        with pytest.raises(PagingUnavailable):
            house.do(house.gateway.page("66"))
        house.gateway.radio.attach(Heard())
        house.gateway.radio.seen("66", pageable=False)
        with pytest.raises(PagingImpossible):
            house.do(house.gateway.page("66"))
        assert (house.store.journal.last, house.disk.waiting) == (1, [])
        assert not house.do(house.gateway.active_order("66")).paged

    def test_a_page_that_could_not_be_written_is_not_told(self, logged: Logged) -> None:
        house, bridge = House(BRIDGED), Heard()
        house.gateway.radio.attach(bridge)
        house.do(house.gateway.post("66", TO_GO, ""))
        house.fill_the_disk()
        paged = house.ask(house.gateway.page("66"))
        house.settle()
        with pytest.raises(DiskFull):
            result_of(paged)
        assert bridge.told == []
        logged.flush()
        house.make_room()
        house.do(house.gateway.page("66"))
        assert bridge.told == [("page", "66", True)]

    def test_who_hangs_up_before_a_page_is_durable_does_not_undo_it(self) -> None:
        house, bridge = House(BRIDGED), Heard()
        house.gateway.radio.attach(bridge)
        house.do(house.gateway.post("66", TO_GO, ""))
        paged = house.ask(house.gateway.page("66", False)).addErrback(lambda _: None)
        paged.cancel()
        house.settle()
        assert bridge.told == [("page", "66", False)]

    def test_a_gateway_that_starts_again_knows_who_is_paged(self) -> None:
        house, bridge = House(BRIDGED), Heard()
        house.gateway.radio.attach(Heard())
        for name in ("66", "67"):
            house.do(house.gateway.post(name, TO_GO, ""))
        house.do(house.gateway.page("67"))
        house.store.standing = Standing(house.do(house.gateway.active_orders()), house.store.journal.last)
        again = memory_gateway(house.store, house.clock, settings=BRIDGED)
        again.radio.attach(bridge)
        assert bridge.told == [("page", "67", True)]
