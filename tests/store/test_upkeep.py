from pathlib import Path

import apsw
import pytest
from twisted.internet.task import Clock

from tests.store.files import Shop, clock_at, listener, make_first_schema, progress, shop_in
from tests.support import FakeClock, memory_store, result_of
from ttgateway.settings import Journal as Limits
from ttgateway.settings import Settings
from ttgateway.store import upkeep
from ttgateway.store.copies.backups import MOST_BACKUPS
from ttgateway.store.opening import FILE
from ttgateway.store.tables import listeners
from ttgateway.store.tables.entry import Entry
from ttgateway.store.upkeep import BACKUP_EVERY

DAY = 86_400.0


def shop_with(**limits: int) -> Shop:
    timers = Clock()
    clock = FakeClock(timers)
    return Shop(memory_store(timers, clock=clock, settings=Settings(journal=Limits(**limits))), clock)


def come_and_gone(shop: Shop, orders: int) -> None:
    """Start and clear so many orders: two changes each."""
    for name in range(orders):
        shop.post(str(name))
        shop.clear(str(name))


def kept(shop: Shop) -> list[int]:
    def seqs(db: apsw.Connection) -> list[int]:
        return [int(row[0]) for row in db.execute("SELECT seq FROM changes ORDER BY seq")]

    return result_of(shop.store.write(seqs))


def round_of(shop: Shop) -> None:
    result_of(shop.store.upkeep.round())


def listen(shop: Shop, cursor: int) -> None:
    result_of(shop.store.write(listeners.saving(listener(), progress(cursor))))


def test_young_changes_are_kept() -> None:
    shop = shop_with(keep_days=7)
    come_and_gone(shop, 5)
    shop.clock.timers.advance(6.9 * DAY)
    round_of(shop)
    assert kept(shop) == list(range(1, 11))
    assert shop.store.journal.trimmed == 0


def test_changes_older_than_the_days_go_but_for_the_newest_of_all() -> None:
    shop = shop_with(keep_days=7)
    come_and_gone(shop, 5)
    shop.clock.timers.advance(7.1 * DAY)
    round_of(shop)
    assert kept(shop) == [10]
    assert shop.store.journal.trimmed == 9
    assert shop.store.journal.last == 10


def test_changes_go_up_to_the_first_young_one() -> None:
    shop = shop_with(keep_days=7)
    come_and_gone(shop, 2)
    shop.clock.timers.advance(5 * DAY)
    come_and_gone(shop, 2)
    shop.clock.timers.advance(5 * DAY)
    round_of(shop)
    assert kept(shop) == [5, 6, 7, 8]


def test_only_so_many_changes_are_kept_however_young() -> None:
    shop = shop_with(keep_changes=4)
    come_and_gone(shop, 5)
    round_of(shop)
    assert kept(shop) == [7, 8, 9, 10]
    assert shop.store.journal.trimmed == 6


def test_what_a_listener_waits_for_is_kept() -> None:
    shop = shop_with(keep_changes=4)
    come_and_gone(shop, 5)
    listen(shop, cursor=2)
    round_of(shop)
    assert kept(shop) == list(range(3, 11))


def replaying(shop: Shop, after: int, upto: int) -> None:
    result_of(shop.store.write(listeners.replaying("listener-1", after, upto)))


def test_what_a_replay_is_to_tell_is_kept() -> None:
    shop = shop_with(keep_changes=4)
    come_and_gone(shop, 5)
    listen(shop, cursor=9)
    replaying(shop, after=2, upto=5)
    round_of(shop)
    assert kept(shop) == list(range(3, 11))
    replaying(shop, after=5, upto=5)  # it is over
    round_of(shop)
    assert kept(shop) == [7, 8, 9, 10]


def test_a_replay_to_a_listener_that_is_away_too_long_does_not_fill_the_disk() -> None:
    shop = shop_with(keep_changes=2, keep_pending=6)
    come_and_gone(shop, 5)
    listen(shop, cursor=9)
    replaying(shop, after=1, upto=9)
    round_of(shop)
    assert kept(shop) == list(range(5, 11))


def test_a_listener_that_is_away_too_long_does_not_fill_the_disk() -> None:
    shop = shop_with(keep_changes=2, keep_pending=6)
    come_and_gone(shop, 5)
    listen(shop, cursor=1)
    round_of(shop)
    assert kept(shop) == list(range(5, 11))
    assert shop.store.journal.trimmed == 4


def test_the_newest_change_of_an_active_order_is_kept_for_snapshots() -> None:
    shop = shop_with(keep_changes=2)
    shop.post("77")  # 1
    shop.post("77", "5")  # 2
    come_and_gone(shop, 5)
    round_of(shop)
    assert kept(shop) == [2, 11, 12]
    assert shop.store.journal.trimmed == 10


def test_what_was_kept_for_an_active_order_goes_when_it_is_no_longer_active() -> None:
    shop = shop_with(keep_changes=2)
    shop.post("99999")  # 1
    come_and_gone(shop, upkeep.BATCH)
    round_of(shop)
    shop.clear("99999")
    come_and_gone(shop, 2)
    round_of(shop)
    last = shop.store.journal.last
    assert kept(shop) == [last - 1, last]


def test_much_is_trimmed_in_batches_and_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 3)
    shop = shop_with(keep_changes=2)
    come_and_gone(shop, 6)
    commits = shop.store.commits.commits
    round_of(shop)
    assert kept(shop) == [11, 12]
    assert shop.store.commits.commits - commits >= 4, "each batch is a commit of its own"


def test_one_batch_deletes_no_more_than_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 3)
    limits = Limits(keep_changes=2)
    shop = shop_with(keep_changes=2)
    come_and_gone(shop, 6)
    before = kept(shop)
    upto = result_of(shop.store.write(lambda db: upkeep.trim(db, shop.clock.now().uptime, limits)))
    assert upto == 3
    assert before[:3] == [1, 2, 3]
    assert kept(shop) == before[3:]


def test_changes_below_a_jump_of_the_seq_are_trimmed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a recovery all that was saved lies far below ``trimmed``; it must not lie there for ever."""
    monkeypatch.setattr(upkeep, "BATCH", 3)
    shop = shop_with()
    shop.post("77")  # 1
    come_and_gone(shop, 5)
    result_of(shop.store.write(lambda db: db.execute("UPDATE gateway SET trimmed = 20000")))
    round_of(shop)
    assert kept(shop) == [1]


def test_an_empty_journal_is_no_trouble() -> None:
    shop = shop_with(keep_changes=1)
    round_of(shop)
    assert shop.store.journal.trimmed == 0


def test_a_clock_that_went_back_trims_nothing_young() -> None:
    shop = shop_with(keep_days=1)
    come_and_gone(shop, 3)
    shop.clock.wall_ahead = 0.0
    round_of(shop)
    assert len(kept(shop)) == 6


def test_orders_that_were_cleared_long_ago_are_forgotten_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 2)
    shop = shop_with(history_days=400)
    shop.post("77")
    come_and_gone(shop, 5)
    shop.clock.timers.advance(390 * DAY)
    come_and_gone(shop, 1)
    shop.clock.timers.advance(11 * DAY)
    round_of(shop)

    def orders(db: apsw.Connection) -> list[str]:
        return [str(row[0]) for row in db.execute("SELECT name FROM orders ORDER BY name")]

    assert result_of(shop.store.write(orders)) == ["0", "77"]


def test_the_first_round_and_every_six_hours_make_a_backup_and_two_are_kept(tmp_path: Path) -> None:
    assert (BACKUP_EVERY * upkeep.EVERY, MOST_BACKUPS) == (6 * 3600, 2)
    shop = shop_in(tmp_path, clock_at())
    found = []
    for _ in range(2 * BACKUP_EVERY + 1):
        round_of(shop)
        found.append(sorted(path.name for path in (tmp_path / "backups").iterdir()))
    assert found[0] == found[BACKUP_EVERY - 1] == ["1.db"]
    assert found[BACKUP_EVERY] == ["1.db", "2.db"]
    assert found[-1] == ["2.db", "3.db"]
    result_of(shop.store.stop())


def test_a_backup_is_a_whole_store_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    shop = shop_in(tmp_path / "state", clock_at())
    come_and_gone(shop, 3)
    round_of(shop)
    backup = tmp_path / "state" / "backups" / "1.db"
    assert backup.stat().st_mode & 0o777 == 0o600
    (tmp_path / "other").mkdir()
    backup.rename(tmp_path / "other" / FILE)
    other = shop_in(tmp_path / "other", clock_at())
    assert (other.store.damage, other.store.journal.last, other.store.epoch) == ("", 6, shop.store.epoch)
    for one in (shop, other):
        result_of(one.store.stop())


def test_a_ballast_that_was_given_up_is_loaded_again(tmp_path: Path) -> None:
    shop = shop_in(tmp_path, clock_at())
    (tmp_path / "ballast").unlink()
    round_of(shop)
    assert (tmp_path / "ballast").exists()
    result_of(shop.store.stop())


def test_a_round_that_fails_is_made_up_for_by_the_next(tmp_path: Path) -> None:
    shop = shop_in(tmp_path, clock_at())
    (tmp_path / "backups").write_bytes(b"in the way")
    round_of(shop)
    come_and_gone(shop, 1)
    assert shop.store.journal.last == 2
    (tmp_path / "backups").unlink()
    for _ in range(BACKUP_EVERY):
        round_of(shop)
    assert [path.name for path in (tmp_path / "backups").iterdir()] == ["1.db"]
    result_of(shop.store.stop())


YEAR = 365 * DAY


@pytest.mark.parametrize("step", [YEAR, -YEAR, 60 * YEAR])
def test_a_clock_that_leaps_trims_nothing_and_keeps_nothing_for_ever(step: float) -> None:
    shop = shop_with(keep_days=7, history_days=400)
    come_and_gone(shop, 5)
    shop.clock.wall_ahead += step
    come_and_gone(shop, 1)
    shop.clock.timers.advance(6.9 * DAY)
    round_of(shop)
    assert (len(kept(shop)), len(history(shop))) == (12, 6)
    shop.clock.wall_ahead -= step
    shop.clock.timers.advance(0.2 * DAY)
    round_of(shop)
    assert (kept(shop), len(history(shop))) == ([12], 6)
    shop.clock.timers.advance(400 * DAY)
    round_of(shop)
    assert history(shop) == []


def test_orders_from_before_the_date_was_known_stay_in_the_history() -> None:
    shop = shop_with(keep_days=7, history_days=400)
    shop.clock.wall_ahead = 30.0  # 1970
    come_and_gone(shop, 2)
    shop.clock.wall_ahead = 56 * YEAR
    come_and_gone(shop, 1)
    round_of(shop)
    assert (kept(shop), len(history(shop))) == ([1, 2, 3, 4, 5, 6], 3)


@pytest.mark.parametrize("gap", [YEAR, -56 * YEAR])
def test_over_a_reboot_with_a_wrong_clock_nothing_is_trimmed(tmp_path: Path, gap: float) -> None:
    shop = shop_in(tmp_path, clock_at())
    come_and_gone(shop, 5)
    result_of(shop.store.stop())
    clock = clock_at("boot-2")
    clock.up_ahead, clock.wall_ahead = 1.0, clock.wall_ahead + gap
    shop = shop_in(tmp_path, clock)
    come_and_gone(shop, 1)
    round_of(shop)
    assert (len(kept(shop)), len(history(shop))) == (12, 6)
    result_of(shop.store.stop())


def test_days_are_counted_over_reboots_where_the_gap_can_be_believed(tmp_path: Path) -> None:
    """The machine is switched off each night."""
    clock = clock_at()
    for day in range(20):
        clock.boot, clock.up_ahead = f"boot-{day}", -clock.timers.seconds()
        shop = shop_in(tmp_path, clock)
        come_and_gone(shop, 1)
        clock.timers.advance(DAY / 2)
        round_of(shop)
        last = shop.store.journal.last
        assert len(kept(shop)) == min(last, 14)
        result_of(shop.store.stop())
        clock.timers.advance(DAY / 2)
    assert last == 40


def test_few_marks_are_made_and_those_that_are_too_old_go() -> None:
    shop = shop_with(keep_days=1, history_days=2)
    for _ in range(3 * 24 * 4):
        come_and_gone(shop, 1)
        shop.clock.timers.advance(900)
        round_of(shop)
    marks = result_of(shop.store.write(lambda db: db.execute("SELECT count(*) FROM marks").get))
    assert 48 <= marks <= 51
    assert 2 * 24 * 4 <= len(history(shop)) <= (2 * 24 + 2) * 4


def history(shop: Shop) -> list[str]:
    def names(db: apsw.Connection) -> list[str]:
        return [str(row[0]) for row in db.execute("SELECT name FROM orders WHERE cleared IS NOT NULL")]

    return result_of(shop.store.write(names))


def test_the_changes_of_an_older_file_count_as_of_the_day_of_its_upgrade(tmp_path: Path) -> None:
    clock = clock_at()
    make_first_schema(tmp_path / FILE, clock)
    db = apsw.Connection(str(tmp_path / FILE))
    db.execute("DELETE FROM listeners")
    for seq in (1, 2, 3, 4):
        entry = Entry(seq, clock.now().wall, "ORDER_CREATED", f"uuid-{seq}", b"{}")
        db.execute("INSERT INTO changes VALUES (?,?,?,?,?,?)", entry.row())
    db.close()
    shop = shop_in(tmp_path, clock)
    orders = "SELECT count(*) FROM orders"
    before = result_of(shop.store.write(lambda db: db.execute(orders).get))
    round_of(shop)
    assert kept(shop) == [1, 2, 3, 4]
    assert result_of(shop.store.write(lambda db: db.execute(orders).get)) == before == 2
    result_of(shop.store.stop())
