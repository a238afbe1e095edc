"""A real file with many rows is damaged in real ways, and opened again."""

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.files import Shop, clock_at, listener, make_first_schema, progress, shop_in
from tests.support import FakeClock, result_of
from ttgateway.store import opening, pages
from ttgateway.store.damage import recovery
from ttgateway.store.damage.recovery import SEQ_MARGIN
from ttgateway.store.damage.salvage import opened_as_it_is, salvage
from ttgateway.store.opening import FILE, StoreUnusable
from ttgateway.store.tables import listeners, tokens
from ttgateway.store.tables.tokens import Token, digest

PAGE = 4096
ACTIVE = 100  # every tenth order stays active
LAST = 1_900  # a start and a clear for each of the others


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a store of a thousand orders, as a power cut left it."""
    directory: Path = tmp_path_factory.mktemp("full")
    shop = filled(shop_in(directory, clock_at()))
    db = apsw.Connection(str(directory / FILE))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    crashed: Path = tmp_path_factory.mktemp("crashed")
    shutil.copy(directory / FILE, crashed / FILE)
    db.close()
    result_of(shop.store.stop())
    return crashed


def filled(shop: Shop) -> Shop:
    for number in (1, 2):
        shop.store.write(listeners.saving(listener(number), progress(cursor=1_000 * number)))
    shop.store.write(tokens.saving(Token(hash=digest("s"), name="till", kind="token", created=1.0)))
    for number in range(1_000):
        shop.post(str(number))
        if number % 10:
            shop.clear(str(number))
    shop.clock.timers.advance(90)
    shop.store.write(lambda db: None)  # the time is noted with it
    assert shop.store.journal.last == LAST
    return shop


@pytest.fixture
def directory(full: Path, tmp_path: Path) -> Path:
    shutil.copy(full / FILE, tmp_path / FILE)
    return tmp_path


def opened(directory: Path, clock: FakeClock | None = None) -> Shop:
    return shop_in(directory, clock or clock_at())


def overwrite(path: Path, first_page: int, pages: int, content: bytes = b"\xa5" * PAGE) -> None:
    raw = bytearray(path.read_bytes())
    raw[first_page * PAGE : (first_page + pages) * PAGE] = content * pages
    path.write_bytes(raw)


def edited(directory: Path, statement: str) -> None:
    db = opening.connect(str(directory / FILE))
    db.execute(statement)
    db.close()


def root_of(directory: Path, name: str) -> int:
    db = apsw.Connection(str(directory / FILE))
    page = int(db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).get)
    db.close()
    return page - 1


def count(shop: Shop, table: str) -> int:
    return result_of(shop.store.write(lambda db: int(db.execute(f"SELECT count(*) FROM {table}").get)))  # noqa: S608


def middle(directory: Path) -> int:
    """Return a page in the middle of the file that holds changes."""
    db = apsw.Connection(str(directory / FILE))
    query = "SELECT pageno FROM dbstat WHERE name = 'changes' AND pagetype = 'leaf' ORDER BY pageno"
    pages = [int(row[0]) for row in db.execute(query)]
    db.close()
    return pages[len(pages) // 2] - 1


def hold_together(shop: Shop) -> None:
    """Whatever was saved must be a store that serves: these hold after every recovery."""
    store = shop.store
    names = [order.name for order in store.standing.orders]
    assert len(names) == len(set(names))
    told = {entry.order_uuid for entry in store.journal.standing()}
    assert told == {order.uuid for order in store.standing.orders}
    assert all(how_far.snapshot_due for _, how_far in store.listeners)
    assert all(0 <= store.journal.last - how_far.cursor < SEQ_MARGIN for _, how_far in store.listeners)
    before = store.journal.last
    shop.post("9999999")
    assert store.journal.last == before + 1


def test_a_sound_file_is_not_touched(directory: Path) -> None:
    shop = opened(directory)
    assert (shop.store.damage, shop.store.journal.last) == ("", LAST)
    assert not (directory / "corrupt").exists()
    result_of(shop.store.stop())


def test_damaged_pages_in_the_middle_cost_only_what_is_on_them(directory: Path) -> None:
    overwrite(directory / FILE, middle(directory), 1)
    shop = opened(directory)
    assert LAST - 100 < count(shop, "changes") < LAST
    assert (count(shop, "orders"), count(shop, "tokens"), count(shop, "listeners")) == (1_000, 1, 2)
    assert len(shop.store.standing.orders) == ACTIVE
    hold_together(shop)
    result_of(shop.store.stop())


def test_damage_is_told_in_words_and_the_files_are_kept_as_they_were(directory: Path) -> None:
    overwrite(directory / FILE, middle(directory), 1)
    evidence = (directory / FILE).read_bytes()
    shop = opened(directory)
    aside = directory / "corrupt" / "1"
    assert str(aside) in shop.store.damage
    assert "1000 orders" in shop.store.damage
    assert (aside / FILE).read_bytes() == evidence
    result_of(shop.store.stop())
    again = opened(directory)
    assert str(aside) in again.store.damage
    result_of(again.store.stop())


def test_a_journal_that_lost_something_has_another_name_and_the_gateway_the_same(directory: Path) -> None:
    db = apsw.Connection(str(directory / FILE))
    epoch, gateway = db.execute("SELECT epoch, id FROM gateway").get
    db.close()
    overwrite(directory / FILE, middle(directory), 1)
    shop = opened(directory)
    assert shop.store.epoch != epoch
    assert shop.store.id == gateway
    result_of(shop.store.stop())


def test_the_seq_jumps_above_all_that_was_ever_told(directory: Path) -> None:
    edited(directory, "UPDATE listeners SET cursor = 5000 WHERE id = 'listener-2'")
    overwrite(directory / FILE, middle(directory), 1)
    shop = opened(directory)
    assert shop.store.journal.last == 5_000 + SEQ_MARGIN == shop.store.journal.trimmed
    result_of(shop.store.stop())


def test_without_a_readable_journal_the_orders_tell_the_seq(directory: Path) -> None:
    edited(directory, "DELETE FROM listeners")
    overwrite(directory / FILE, root_of(directory, "changes"), 1)
    shop = opened(directory)
    assert shop.store.journal.last == LAST + SEQ_MARGIN
    hold_together(shop)
    result_of(shop.store.stop())


def test_a_flipped_bit_in_a_seq_does_not_end_the_count(directory: Path) -> None:
    edited(directory, "UPDATE listeners SET cursor = cursor + (1 << 62) WHERE id = 'listener-1'")
    overwrite(directory / FILE, middle(directory), 1)
    shop = opened(directory)
    assert shop.store.journal.last == 2_000 + SEQ_MARGIN
    result_of(shop.store.stop())


def test_every_active_order_gets_a_newest_change_although_the_journal_is_gone(directory: Path) -> None:
    overwrite(directory / FILE, root_of(directory, "changes"), 1)
    shop = opened(directory)
    assert len(shop.store.journal.standing()) == ACTIVE
    entry = shop.store.journal.standing()[0]
    assert b'"state":"started"' in entry.text(2)
    hold_together(shop)
    result_of(shop.store.stop())


def test_a_torn_header_leaves_nothing_to_save_and_the_gateway_serves(directory: Path) -> None:
    overwrite(directory / FILE, 0, 1)
    shop = opened(directory)
    assert count(shop, "orders") == 0
    assert shop.store.journal.last == SEQ_MARGIN
    assert shop.store.damage
    hold_together(shop)
    result_of(shop.store.stop())


def test_missing_pages_cost_only_what_is_on_them(directory: Path) -> None:
    path = directory / FILE
    path.write_bytes(path.read_bytes()[: -20 * PAGE])
    shop = opened(directory)
    assert shop.store.damage
    assert 0 < count(shop, "changes") + count(shop, "orders") < LAST + 1_000
    hold_together(shop)
    result_of(shop.store.stop())


def test_a_text_that_is_no_utf_8_costs_only_what_follows_in_its_table(directory: Path) -> None:
    edited(directory, "UPDATE orders SET name = CAST(x'ff' AS TEXT) WHERE name = '500'")
    shop = opened(directory)
    assert count(shop, "orders") == 999
    hold_together(shop)
    result_of(shop.store.stop())


def test_two_active_orders_of_one_name_become_one(directory: Path) -> None:
    edited(directory, "UPDATE orders SET name = '10' WHERE name = '20'; UPDATE changes SET crc = 0 WHERE seq = 1")
    shop = opened(directory)
    tens = [order for order in shop.store.standing.orders if order.name == "10"]
    assert len(tens) == 1
    assert tens[0].seq == max(order.seq for order in tens)
    assert len(shop.store.standing.orders) == ACTIVE - 1
    hold_together(shop)
    result_of(shop.store.stop())


def ages_after(directory: Path, gap: float) -> set[int]:
    after = clock_at("boot-2")
    after.up_ahead = 3.0
    after.wall_ahead += 90 + gap
    shop = opened(directory, after)
    ages = {order.elapsed(after.now().uptime) for order in shop.store.standing.orders}
    result_of(shop.store.stop())
    return ages


@pytest.mark.parametrize(("gap", "age"), [(60, 150), (-1e9, 90)])
def test_ages_survive_damage_and_a_reboot_together(directory: Path, gap: float, age: int) -> None:
    overwrite(directory / FILE, middle(directory), 1)
    assert ages_after(directory, gap) == {age}


@pytest.mark.parametrize(("gap", "age"), [(60, 150), (-1e9, 0)])
def test_where_not_even_the_boot_is_known_ages_are_taken_from_the_wall_clock(
    directory: Path, gap: float, age: int
) -> None:
    edited(directory, "DELETE FROM gateway")
    assert ages_after(directory, gap) == {age}


def test_a_kill_before_anything_was_moved_leaves_no_empty_folder(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path, **_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "touch", killed)
        with pytest.raises(KeyboardInterrupt):
            recovery.set_aside(directory, "corrupt")
    recovery.set_aside(directory, "corrupt")
    assert [path.name for path in (directory / "corrupt").iterdir()] == ["1"]


def test_at_most_three_damaged_stores_are_kept(directory: Path) -> None:
    (directory / "corrupt").mkdir()
    (directory / "corrupt" / "looked at").mkdir()
    for _ in range(5):
        (directory / FILE).write_bytes(b"x" * PAGE)
        result_of(opened(directory).store.stop())
    kept = sorted(path.name for path in (directory / "corrupt").iterdir())
    assert kept == ["3", "4", "5", "looked at"]


def test_the_newest_good_backup_serves_and_newer_rows_that_can_be_read_win(directory: Path) -> None:
    shop = opened(directory)
    result_of(shop.store.upkeep.round())
    shop.post("777777")
    shop.clear("0")
    result_of(shop.store.stop())
    shutil.copy(directory / "backups" / "1.db", directory / "backups" / "2.db")
    overwrite(directory / "backups" / "2.db", 0, 1)
    (directory / "backups" / "mine.db").write_bytes(b"")
    edited(directory, "UPDATE gateway SET clean = 0")
    overwrite(directory / FILE, middle(directory), 1)
    again = opened(directory)
    assert again.store.damage
    assert count(again, "changes") == LAST + 2, "what the damaged page held is in the backup"
    assert count(again, "orders") == 1_001
    names = {order.name for order in again.store.standing.orders}
    assert "777777" in names
    assert "0" not in names
    hold_together(again)
    result_of(again.store.stop())


@pytest.mark.parametrize("page", ["first", "orders"])
def test_the_history_of_what_was_trimmed_stays_though_an_older_order_is_active(directory: Path, page: str) -> None:
    edited(
        directory, "DELETE FROM changes WHERE seq <= 1800 AND seq NOT IN (SELECT seq FROM orders WHERE cleared IS NULL)"
    )
    edited(directory, "UPDATE gateway SET trimmed = 1800")
    shop = opened(directory)
    result_of(shop.store.upkeep.round())
    result_of(shop.store.stop())
    overwrite(directory / FILE, 0 if page == "first" else root_of(directory, "orders"), 1)
    again = opened(directory)
    assert again.store.damage
    assert count(again, "orders") == 1_000
    result_of(again.store.stop())


def test_what_was_removed_since_the_backup_does_not_come_back_where_the_table_can_be_read(directory: Path) -> None:
    shop = opened(directory)
    result_of(shop.store.upkeep.round())
    result_of(shop.store.write(tokens.removing(digest("s"))))
    result_of(shop.store.write(listeners.removing(listener(1).id)))
    result_of(shop.store.stop())
    edited(directory, "UPDATE gateway SET clean = 0")
    overwrite(directory / FILE, middle(directory), 1)
    again = opened(directory)
    assert again.store.damage
    assert again.store.tokens == {}
    assert [known.id for known, _ in again.store.listeners] == [listener(2).id]
    hold_together(again)
    result_of(again.store.stop())


def test_nobody_else_can_read_what_is_saved_even_before_it_serves(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = opened(directory)
    result_of(shop.store.upkeep.round())
    result_of(shop.store.stop())
    overwrite(directory / FILE, 0, 1)
    modes = set[int]()

    def looking(change: Callable[..., object]) -> Callable[..., object]:
        def changed(*asked: Any) -> object:
            modes.update(path.stat().st_mode & 0o777 for path in directory.glob(f"{recovery.RESCUED}*"))
            return change(*asked)

        return changed

    monkeypatch.setattr(shutil, "copyfile", looking(shutil.copyfile))
    monkeypatch.setattr(pages, "connect", looking(pages.connect))
    before = os.umask(0o022)
    again = opened(directory)
    os.umask(before)
    assert modes == {0o600}
    result_of(again.store.stop())


def test_a_backup_alone_serves_where_nothing_can_be_read(directory: Path) -> None:
    shop = opened(directory)
    result_of(shop.store.upkeep.round())
    gateway = shop.store.id
    result_of(shop.store.stop())
    overwrite(directory / FILE, 0, 1)
    again = opened(directory)
    assert (count(again, "orders"), count(again, "tokens"), count(again, "listeners")) == (1_000, 1, 2)
    assert again.store.id == gateway
    assert again.store.journal.last == 2_000 + SEQ_MARGIN
    hold_together(again)
    result_of(again.store.stop())


def test_what_clients_have_set_is_saved_and_new_texts_are_in_their_zone(directory: Path) -> None:
    edited(directory, "INSERT INTO settings VALUES ('timezone', 'Asia/Tokyo')")
    overwrite(directory / FILE, root_of(directory, "changes"), 1)
    shop = opened(directory)
    assert shop.store.preferences == {"timezone": "Asia/Tokyo"}
    assert b'"created":"2016-09-23T04:08:52"' in shop.store.journal.standing()[0].text(2)
    hold_together(shop)
    result_of(shop.store.stop())


def test_a_damaged_file_of_the_first_schema_is_saved_too(tmp_path: Path) -> None:
    make_first_schema(tmp_path / FILE, clock_at())
    edited(tmp_path, "UPDATE gateway SET clean = 0")
    overwrite(tmp_path / FILE, root_of(tmp_path, "changes_of_order"), 1)
    shop = opened(tmp_path)
    assert "1 listeners, 2 orders" in shop.store.damage
    assert [order.uuid for order in shop.store.standing.orders] == ["uuid-2"]
    assert [how_far.cursor for _, how_far in shop.store.listeners] == [2 + SEQ_MARGIN]
    hold_together(shop)
    result_of(shop.store.stop())


def test_a_backup_of_the_first_schema_serves(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    make_first_schema(tmp_path / "backups" / "1.db", clock_at())
    (tmp_path / FILE).write_bytes(b"x" * PAGE)
    shop = opened(tmp_path)
    assert [order.uuid for order in shop.store.standing.orders] == ["uuid-2"]
    hold_together(shop)
    result_of(shop.store.stop())


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), apsw.FullError("database or disk is full")])
def test_a_disk_that_does_not_take_what_is_saved_is_told_in_one_line_and_the_next_start_recovers(
    directory: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    overwrite(directory / FILE, middle(directory), 1)

    def full_disk(*_: object) -> str:
        raise error

    with monkeypatch.context() as broken, pytest.raises(StoreUnusable, match="is the disk full") as told:
        broken.setattr(recovery, "salvage", full_disk)
        opened(directory)
    assert told.value.code == 73
    assert "\n" not in str(told.value)
    shop = opened(directory)
    hold_together(shop)
    result_of(shop.store.stop())


def test_no_row_is_lost_for_want_of_room(directory: Path, tmp_path: Path) -> None:
    source = opened_as_it_is(directory / FILE)
    into = opening.open_file(str(tmp_path / "into.db"), "boot-1", clock_at().now(), opening.schema())
    into.execute(f"PRAGMA max_page_count = {int(into.execute('PRAGMA page_count').get) + 20}")
    with pytest.raises(apsw.Error), into:
        salvage(source, into)
    into.close()


class Cut(BaseException):
    """The power goes."""


@pytest.mark.parametrize("cut_after", range(12))
def test_a_recovery_that_is_cut_short_is_done_again(
    directory: Path, monkeypatch: pytest.MonkeyPatch, cut_after: int
) -> None:
    """A cut at each rename, unlink and opening: the next start ends with the same rows as one without a cut."""
    overwrite(directory / FILE, middle(directory), 1)
    (directory / f"{FILE}-wal").touch()
    steps = itertools.count()

    def cut_at(what: Callable[..., object]) -> Callable[..., object]:
        def cut_or_do(*args: object, **kwargs: object) -> object:
            if next(steps) == cut_after:
                raise Cut
            return what(*args, **kwargs)

        return cut_or_do

    with monkeypatch.context() as patched:
        for name in ("rename", "unlink", "touch", "mkdir"):
            patched.setattr(Path, name, cut_at(getattr(Path, name)))
        for name in ("open_file", "close", "_complete", "salvage"):
            patched.setattr(recovery, name, cut_at(getattr(recovery, name)))
        with contextlib.suppress(Cut):
            result_of(opened(directory).store.stop())
    shop = opened(directory)
    assert shop.store.damage
    assert (count(shop, "orders"), count(shop, "listeners"), count(shop, "tokens")) == (1_000, 2, 1)
    hold_together(shop)
    assert not list(directory.glob("rescued*"))
    result_of(shop.store.stop())


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_whatever_bytes_are_damaged_the_gateway_starts_and_what_it_has_holds_together(
    full: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    directory: Path = tmp_path_factory.mktemp("any")
    raw = bytearray((full / FILE).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(100, len(raw) - 1))
        garbage = data.draw(st.binary(min_size=1, max_size=64))
        raw[at : at + len(garbage)] = garbage[: len(raw) - at]
    (directory / FILE).write_bytes(raw)
    shop = opened(directory)
    if shop.store.damage:
        hold_together(shop)
    else:
        shop.post("9999999")
    result_of(shop.store.stop())
    shutil.rmtree(directory)
