import json
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.store.files import Shop, clock_at, listener, progress, shop_in
from tests.support import FakeClock, OnDemand, memory_store, result_of
from ttgateway.orders.change import ChangeType
from ttgateway.orders.order import OrderType
from ttgateway.store.commits import MEND_EVERY
from ttgateway.store.tables import journal, listeners
from ttgateway.store.tables.entry import DamagedEntryError
from ttgateway.store.tables.journal import PAGE
from ttgateway.store.tables.listeners import Parked

MODIFIED, PAGED = ChangeType.MODIFIED.value, ChangeType.PAGED.value


@pytest.fixture
def shop() -> Shop:
    timers = Clock()
    clock = FakeClock(timers)
    return Shop(memory_store(timers, clock=clock), clock)


def slow_shop() -> tuple[Shop, OnDemand]:
    timers, disk = Clock(), OnDemand()
    clock = FakeClock(timers)
    return Shop(memory_store(timers, clock=clock, executor=disk), clock), disk


def test_a_fresh_journal_is_empty(shop: Shop) -> None:
    assert (shop.store.journal.last, shop.store.journal.trimmed) == (0, 0)
    assert shop.store.journal.recent(0) is None
    assert shop.store.journal.standing() == []
    assert result_of(shop.store.journal.page(0)) == []


def test_each_change_follows_its_predecessor(shop: Shop) -> None:
    for name in ("1", "2", "3"):
        shop.post(name)
    journal = shop.store.journal
    assert journal.last == 3
    recent = [journal.recent(after) for after in range(4)]
    assert [entry and entry.seq for entry in recent] == [1, 2, 3, None]
    assert [entry.seq for entry in result_of(journal.page(1))] == [2, 3]


def test_the_text_in_memory_and_in_the_file_is_the_same(shop: Shop) -> None:
    shop.post("1", "22")
    remembered = shop.store.journal.recent(0)
    [read] = result_of(shop.store.journal.page(0))
    assert remembered is not None
    for api in (1, 2):
        assert remembered.text(api) == read.text(api) == read.text(api)
    assert len(json.loads(read.text(2))) == 12
    assert len(json.loads(read.text(1))) == 10
    assert (read.at, read.type, read.order_uuid) == (remembered.at, "ORDER_CREATED", "uuid-0-1")


def test_nothing_is_seen_before_it_is_durable() -> None:
    shop, disk = slow_shop()
    announced: list[int] = []
    shop.store.journal.watch(lambda: announced.append(shop.store.journal.last))
    shop.post("1")
    journal = shop.store.journal
    assert (journal.last, journal.recent(0), journal.standing(), announced) == (0, None, [], [])
    disk.step()
    assert journal.recent(0) is not None
    assert (journal.last, len(journal.standing()), announced) == (1, 1, [1])


def test_a_watcher_that_fails_hides_no_change_from_those_after_it(shop: Shop, logged: Logged) -> None:
    def fail() -> None:
        raise RuntimeError("a bad watcher")

    announced: list[int] = []
    shop.store.journal.watch(fail)
    shop.store.journal.watch(lambda: announced.append(shop.store.journal.last))
    shop.post("1")
    shop.post("2")
    assert announced == [1, 2]
    assert len(logged.flush()) == 2


def test_changes_are_announced_once_a_commit() -> None:
    shop, disk = slow_shop()
    announced: list[int] = []
    shop.store.journal.watch(lambda: announced.append(shop.store.journal.last))
    for name in ("1", "2", "3"):
        shop.post(name)
    disk.step()
    disk.step()
    assert announced == [1, 3]


def test_a_commit_without_changes_announces_nothing(shop: Shop) -> None:
    announced: list[int] = []
    shop.store.journal.watch(lambda: announced.append(1))
    result_of(shop.store.write(lambda db: None))
    assert announced == []


def test_a_change_that_is_lost_is_never_seen_nor_announced(logged: Logged) -> None:
    shop, disk = slow_shop()
    announced: list[int] = []
    shop.store.journal.watch(lambda: announced.append(1))
    shop.store.write(lambda db: db.execute("no such statement")).addErrback(lambda _: None)
    lost = shop.append(lambda at: shop.orders.post("1", OrderType.TO_GO, "", at))
    lost.addErrback(lambda _: announced.append(-1))
    disk.step()
    assert announced == [-1]
    assert (shop.store.journal.last, shop.store.journal.recent(0)) == (0, None)
    logged.flush()
    shop.clock.timers.advance(MEND_EVERY)


def test_only_so_many_changes_stay_in_memory_and_the_rest_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "RECENT", 3)
    timers = Clock()
    clock = FakeClock(timers)
    shop = Shop(memory_store(timers, clock=clock), clock)
    for name in range(5):
        shop.post(str(name))
    recent = [shop.store.journal.recent(after) for after in range(5)]
    assert [entry and entry.seq for entry in recent] == [None, None, 3, 4, 5]
    assert [entry.seq for entry in result_of(shop.store.journal.page(0))] == [1, 2, 3, 4, 5]


def test_a_page_holds_only_so_much(shop: Shop) -> None:
    for name in range(PAGE + 5):
        shop.post(str(name))
    assert [entry.seq for entry in result_of(shop.store.journal.page(0))] == list(range(1, PAGE + 1))
    assert len(result_of(shop.store.journal.page(PAGE))) == 5


def test_the_newest_of_each_order_supersedes_the_others(shop: Shop) -> None:
    shop.post("1")  # 1
    shop.post("2")  # 2
    shop.post("1", "7")  # 3
    shop.page("2")  # 4
    shop.clear("2")  # 5
    assert newest(shop, 0, 5) == [(3, 0), (5, 0)]
    assert newest(shop, 0, 4) == [(3, 0), (4, 0)]
    assert newest(shop, 3, 5) == [(5, 0)]
    assert newest(shop, 5, 5) == []


def test_the_newest_of_some_types_says_how_many_of_others_it_passes_over(shop: Shop) -> None:
    shop.post("1")  # 1
    shop.page("1")  # 2
    shop.page("1")  # 3
    shop.post("2")  # 4
    shop.post("1", "7")  # 5
    shop.page("2")  # 6
    assert newest(shop, 0, 6, PAGED) == [(3, 1), (6, 2)]
    assert newest(shop, 0, 6, PAGED, MODIFIED) == [(5, 2), (6, 0)]


def test_the_newest_of_each_come_in_pages(shop: Shop) -> None:
    for name in range(PAGE + 1):
        shop.post(str(name))
    first = newest(shop, 0, PAGE + 1)
    assert len(first) == PAGE
    assert newest(shop, first[-1][0], PAGE + 1) == [(PAGE + 1, 0)]


def test_of_an_order_whose_row_is_gone_each_change_is_the_newest(shop: Shop) -> None:
    shop.post("1")  # 1
    shop.post("1", "7")  # 2
    shop.clear("1")  # 3
    shop.post("2")  # 4
    assert newest(shop, 0, 4) == [(3, 0), (4, 0)]
    result_of(shop.store.write(lambda db: db.execute("DELETE FROM orders WHERE cleared IS NOT NULL")))
    assert newest(shop, 0, 4) == [(1, 0), (2, 0), (3, 0), (4, 0)]


def cleared(shop: Shop, after: int, upto: int, *, sound: bool = False) -> tuple[list[int], int]:
    page, read_upto = result_of(shop.store.journal.cleared_page(after, upto, sound=sound))
    return [entry.seq for entry in page], read_upto


def test_what_cleared_an_order_is_found_though_its_row_may_be_gone(shop: Shop) -> None:
    shop.post("1")  # 1
    shop.post("2")  # 2
    shop.clear("1")  # 3
    shop.post("1")  # 4
    shop.clear("2")  # 5
    assert cleared(shop, 0, 5) == ([3, 5], 5)
    assert cleared(shop, 3, 5) == ([5], 5)
    assert cleared(shop, 0, 4) == ([3], 4)
    result_of(shop.store.write(lambda db: db.execute("DELETE FROM orders WHERE cleared IS NOT NULL")))
    assert cleared(shop, 1, 5) == ([2, 3, 5], 5)


def test_what_cleared_the_orders_comes_in_pages(shop: Shop) -> None:
    for name in range(PAGE + 1):
        shop.post(str(name))
        shop.clear(str(name))
    last = shop.store.journal.last
    first, upto = cleared(shop, 0, last)
    assert (len(first), upto) == (PAGE, first[-1])
    assert cleared(shop, upto, last) == ([last], last)


def test_what_cleared_an_order_is_left_out_where_it_is_damaged_and_only_sound_ones_are_wanted(shop: Shop) -> None:
    for name in ("1", "2"):
        shop.post(name)
        shop.clear(name)
    result_of(shop.store.write(lambda db: db.execute("UPDATE changes SET at = at + 1 WHERE seq = 2")))
    with pytest.raises(DamagedEntryError):
        cleared(shop, 0, 4)
    assert cleared(shop, 0, 4, sound=True) == ([4], 4)


@pytest.mark.parametrize("types", [(), (MODIFIED,), (PAGED,)])
def test_the_newest_of_each_take_no_more_work_for_a_change_the_longer_the_journal_is(types: tuple[str, ...]) -> None:
    def steps(changes: int) -> int:
        """Return how many hundreds of instructions SQLite runs for what is newest in a journal of so many changes."""
        timers, taken = Clock(), 0
        shop = Shop(memory_store(timers, clock=FakeClock(timers)), FakeClock(timers))
        for number in range(changes // 10):  # an order lasts for ten changes
            shop.post(str(number))
            for table in range(8):
                shop.post(str(number), str(table))
            shop.clear(str(number))

        def count() -> bool:
            nonlocal taken
            taken += 1
            return False

        result_of(shop.store.read(lambda db: db.set_progress_handler(count, 100)))
        after = 0
        while page := newest(shop, after, changes, *types):
            after = page[-1][0]
        return taken

    assert steps(2_000) < 5 * steps(500)


def test_a_snapshot_is_the_newest_change_of_each_active_order(shop: Shop) -> None:
    shop.post("1")  # 1
    shop.post("2")  # 2
    shop.post("3")  # 3
    shop.page("1")  # 4
    shop.clear("2")  # 5
    assert [entry.seq for entry in shop.store.journal.standing()] == [3, 4]
    assert shop.store.journal.active == 2


def test_a_restart_goes_on_where_the_file_ends(tmp_path: Path) -> None:
    shop = shop_in(tmp_path, clock_at())
    shop.post("1")
    shop.post("2", "5")
    shop.clear("1")
    before = [entry.text(2) for entry in result_of(shop.store.journal.page(0))]
    result_of(shop.store.stop())
    again = shop_in(tmp_path, clock_at())
    assert again.store.journal.last == 3
    assert [entry.text(2) for entry in result_of(again.store.journal.page(0))] == before
    assert [entry.seq for entry in again.store.journal.standing()] == [2]
    assert [order.name for order in again.orders.all()] == ["2"]
    again.post("3")
    follower = again.store.journal.recent(3)
    assert follower is not None
    assert follower.seq == 4
    result_of(again.store.stop())


def test_the_seq_never_goes_back_although_its_changes_are_gone(tmp_path: Path) -> None:
    shop = shop_in(tmp_path, clock_at())
    shop.post("1")
    shop.clear("1")
    result_of(shop.store.write(lambda db: db.execute("DELETE FROM changes; UPDATE gateway SET trimmed = 2")))
    result_of(shop.store.stop())
    again = shop_in(tmp_path, clock_at())
    assert (again.store.journal.last, again.store.standing.seq) == (2, 2)
    result_of(again.store.stop())


def test_a_hole_is_not_bridged_in_memory(tmp_path: Path) -> None:
    shop = shop_in(tmp_path, clock_at())
    for name in range(4):
        shop.post(str(name))
    result_of(shop.store.write(lambda db: db.execute("DELETE FROM changes WHERE seq = 2")))
    result_of(shop.store.stop())
    again = shop_in(tmp_path, clock_at())
    recent = [again.store.journal.recent(after) for after in range(5)]
    assert [entry and entry.seq for entry in recent] == [None, None, 3, 4, None]
    result_of(again.store.stop())


def test_a_damaged_change_is_not_handed_out(shop: Shop) -> None:
    shop.post("1")
    result_of(shop.store.write(lambda db: db.execute("UPDATE changes SET at = at + 1")))
    with pytest.raises(DamagedEntryError):
        result_of(shop.store.journal.page(0))
    with pytest.raises(DamagedEntryError):
        result_of(shop.store.journal.newest_page(0, 1, ()))


def newest(shop: Shop, after: int, upto: int, *types: str) -> list[tuple[int, int]]:
    page = result_of(shop.store.journal.newest_page(after, upto, types))
    assert page is not None
    return [(entry.seq, others) for entry, others in page]


def test_what_is_told_again_is_known_to_be_parked_or_not(shop: Shop) -> None:
    for name in ("1", "2", "3", "4", "5"):
        shop.post(name)
    for number in (1, 2):
        result_of(shop.store.write(listeners.saving(listener(number), progress())))
    shop.store.cursors.parked(Parked("listener-1", 3, 1.0, "404", b"{}"), progress())
    shop.store.cursors.parked(Parked("listener-2", 4, 1.0, "404", b"{}"), progress())
    result_of(shop.store.write(lambda db: None))
    again = result_of(shop.store.journal.page_again("listener-1", 1, 4))
    assert [(entry.seq, parked) for entry, parked in again] == [(2, False), (3, True), (4, False)]
    assert [entry for entry, _ in again] == result_of(shop.store.journal.page(1))[:3]


def test_what_is_told_again_comes_in_pages_and_undamaged(shop: Shop) -> None:
    for name in range(PAGE + 5):
        shop.post(str(name))
    again = result_of(shop.store.journal.page_again("listener-1", 1, PAGE + 4))
    assert [entry.seq for entry, _ in again] == list(range(2, PAGE + 2))
    result_of(shop.store.write(lambda db: db.execute("UPDATE changes SET at = at + 1 WHERE seq = 7")))
    with pytest.raises(DamagedEntryError):
        result_of(shop.store.journal.page_again("listener-1", 1, PAGE))


def test_a_change_knows_when_it_was_committed_until_it_is_read_from_the_file(shop: Shop) -> None:
    shop.clock.timers.advance(7)
    shop.post("1")
    remembered = shop.store.journal.recent(0)
    assert remembered is not None
    assert remembered.committed == 7
    assert [entry.committed for entry in result_of(shop.store.journal.page(0))] == [None]


def test_how_long_a_change_has_waited_is_counted_by_no_wall_clock_until_it_is_read_from_the_file(shop: Shop) -> None:
    shop.post("1")
    [entry] = shop.store.journal.standing()
    shop.clock.timers.advance(5)
    for wall in (0.0, entry.at, entry.at + 1e9):
        assert shop.store.journal.waited(entry, wall) == 5.0
    entry.committed = None
    assert [shop.store.journal.waited(entry, entry.at + ago) for ago in (-10, 10)] == [0.0, 10.0]
