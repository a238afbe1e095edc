import os
from collections.abc import Callable
from pathlib import Path

import apsw
import msgspec
import pytest

from tests.store.files import clock_at, dump, make_first_schema, make_half_upgraded, open_again, shop_in
from tests.support import result_of
from ttgateway.orders.moment import Moment
from ttgateway.orders.order import OrderState
from ttgateway.store import opening, pages
from ttgateway.store.damage import soundness
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.opening import FILE, StoreUnusable
from ttgateway.store.tables import history, listeners, orders
from ttgateway.store.tables.history import HistoryQuery

NOW = Moment(wall=5_000.0, uptime=1_000.0)
EXTRA = "CREATE TABLE made_up (id INTEGER PRIMARY KEY) STRICT; ALTER TABLE tokens ADD COLUMN note TEXT;"


def fresh(path: Path) -> apsw.Connection:
    return opening.open_file(str(path), "boot-1", NOW, opening.schema())


def test_a_missing_file_is_created_with_a_name_of_its_own(tmp_path: Path) -> None:
    one, two = fresh(tmp_path / "one.db"), fresh(tmp_path / "two.db")
    assert one.pragma("user_version") == len(opening.schema())
    names = [db.execute("SELECT epoch, id FROM gateway").get for db in (one, two)]
    assert names[0][0] != names[1][0]
    assert names[0][1] != names[1][1]


def test_a_file_keeps_its_name_for_as_long_as_it_is_there(tmp_path: Path) -> None:
    first = fresh(tmp_path / FILE)
    name = first.execute("SELECT epoch, id FROM gateway").get
    opening.close(first, NOW)
    assert fresh(tmp_path / FILE).execute("SELECT epoch, id FROM gateway").get == name


def test_every_connection_logs_ahead_and_waits_for_the_disk(tmp_path: Path) -> None:
    for connection in (fresh(tmp_path / FILE), opening.connect(str(tmp_path / FILE))):
        settings = {
            name: connection.pragma(name)
            for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "mmap_size")
        }
        assert settings == {
            "journal_mode": "wal",
            "synchronous": 2,  # FULL
            "foreign_keys": 1,
            "trusted_schema": 0,
            "mmap_size": 0,
        }


def test_memory_has_the_same_schema_as_a_file(tmp_path: Path) -> None:
    assert dump(opening.open_memory("boot-1", NOW)) == dump(fresh(tmp_path / FILE))


def test_a_newer_schema_is_refused_in_one_line_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / FILE
    steps = [*opening.schema(), EXTRA]
    opening.close(opening.open_file(str(path), "boot-1", NOW, steps), NOW)
    before = path.read_bytes()
    with pytest.raises(StoreUnusable) as refusal:
        fresh(path)
    text = str(refusal.value)
    assert refusal.value.code == 78
    assert "\n" not in text
    assert all(part in text for part in (str(path), "newer", f"schema {len(steps)}", f"knows {len(steps) - 1}"))
    assert path.read_bytes() == before


def test_an_upgraded_file_equals_a_fresh_one(tmp_path: Path) -> None:
    steps = [*opening.schema(), EXTRA]
    opening.close(fresh(tmp_path / FILE), NOW)
    upgraded = opening.open_file(str(tmp_path / FILE), "boot-1", NOW, steps)
    new = opening.open_file(str(tmp_path / "new.db"), "boot-1", NOW, steps)
    assert dump(upgraded) == dump(new)
    assert upgraded.pragma("user_version") == new.pragma("user_version") == len(steps)


def test_a_file_of_the_first_schema_becomes_one_like_a_fresh_one(tmp_path: Path) -> None:
    make_first_schema(tmp_path / FILE, clock_at())
    upgraded, new = fresh(tmp_path / FILE), fresh(tmp_path / "new.db")
    assert dump(upgraded) == dump(new)
    assert upgraded.pragma("integrity_check") == "ok"
    for table in ("orders", "listeners"):
        columns = f"PRAGMA table_info({table})"
        assert list(upgraded.execute(columns)) == list(new.execute(columns))


def test_the_first_schemas_orders_and_listeners_are_kept(tmp_path: Path) -> None:
    make_first_schema(tmp_path / FILE, clock_at())
    db = fresh(tmp_path / FILE)
    [active] = orders.standing(db).orders
    assert (active.uuid, active.name, active.location, active.seq) == ("uuid-2", "2", "22", 3)
    assert [order.name for order in history.page(db, HistoryQuery())] == ["2", "1"]
    assert history.order(db, "uuid-1") == msgspec.structs.replace(
        active, uuid="uuid-1", name="1", location="", state=OrderState.CLEARED, started=1.0, seq=2, cleared=9.0
    )
    assert [(known.id, how_far.cursor) for known, how_far in listeners.load(db)] == [("listener-1", 2)]
    assert list(db.execute("SELECT replay_after, replay_upto FROM listeners")) == [(0, 0)]


def test_before_an_upgrade_a_copy_is_made_of_all_that_is_there(tmp_path: Path) -> None:
    shop = shop_in(tmp_path, clock_at())
    shop.post("1")
    result_of(shop.store.stop())
    steps = [*opening.schema(), EXTRA]
    upgraded = opening.open_file(str(tmp_path / FILE), "boot-1", NOW, steps)
    copy = apsw.Connection(str(tmp_path / f"before-schema-{len(steps)}.db"))
    assert copy.pragma("user_version") == len(steps) - 1
    rows = "SELECT * FROM changes"
    assert list(copy.execute(rows)) == list(upgraded.execute(rows)) != []


def test_a_schema_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    opening.close(fresh(tmp_path / FILE), NOW)
    steps = [*opening.schema(), EXTRA + "CREATE TABLE made_up (twice INTEGER);"]
    with pytest.raises(StoreUnusable):
        opening.open_file(str(tmp_path / FILE), "boot-1", NOW, steps)
    again = fresh(tmp_path / FILE)
    assert "made_up" not in dict(dump(again))
    assert again.pragma("user_version") == len(steps) - 1


def test_an_interrupted_creation_leaves_nothing_half_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable):
        opening.open_file(str(tmp_path / FILE), "boot-1", NOW, [*opening.schema(), "NO SUCH STATEMENT"])
    assert dump(fresh(tmp_path / FILE)) == dump(opening.open_memory("boot-1", NOW))


def test_what_cannot_be_opened_is_told_with_its_path(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / FILE):
        with pytest.raises(StoreUnusable) as refusal:
            fresh(path)
        assert refusal.value.code == 73
        assert str(refusal.value).startswith(f"{path}: cannot be written")


def test_a_file_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / FILE
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE gateway (mine INTEGER); PRAGMA user_version = 1")
    other.close()
    with pytest.raises(StoreUnusable) as refusal:
        fresh(path)
    assert refusal.value.code == 74


@pytest.mark.parametrize("content", [b"x" * 8192, b"SQLite format 3\x00" + b"\xff" * 8176])
def test_a_file_with_a_damaged_header_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(DamagedStoreError):
        fresh(tmp_path / FILE)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_page_that_is_damaged_is_noticed_after_an_unclean_stop(tmp_path: Path) -> None:
    db = filled(tmp_path)
    root = int(db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_orders_1'").get)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    content = bytearray((tmp_path / FILE).read_bytes())
    content[(root - 1) * 4096 : root * 4096] = bytes(4096)
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(DamagedStoreError):
        fresh(tmp_path / FILE)


@pytest.mark.parametrize("clean", [0, 1])
def test_a_change_that_the_start_will_read_is_checked_after_any_stop(tmp_path: Path, clean: int) -> None:
    db = filled(tmp_path)
    opening.close(db, NOW)
    edit = opening.connect(str(tmp_path / FILE))
    edit.execute("UPDATE changes SET crc = crc + 1; UPDATE gateway SET clean = ?", (clean,))
    edit.close()
    with pytest.raises(DamagedStoreError, match="change 1 is damaged"):
        fresh(tmp_path / FILE)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tokens SET name = CAST(x'ff' AS TEXT)",
        "INSERT INTO settings VALUES ('timezone', CAST(x'ff' AS TEXT))",
        "DELETE FROM gateway",
    ],
)
def test_what_sqlite_takes_and_we_cannot_read_is_damaged(tmp_path: Path, statement: str) -> None:
    db = filled(tmp_path)
    db.execute("INSERT INTO tokens VALUES (x'00', 'till', 'token', 1.0, NULL, NULL, NULL)")
    db.execute(statement)
    db.close()
    with pytest.raises(DamagedStoreError):
        fresh(tmp_path / FILE)


def filled(directory: Path) -> apsw.Connection:
    shop = shop_in(directory, clock_at())
    shop.post("1")
    result_of(shop.store.stop())
    return open_again(directory / FILE, clock_at())


def test_a_clean_stop_leaves_its_mark_and_the_next_start_takes_it_away(tmp_path: Path) -> None:
    shop = shop_in(tmp_path, clock_at())
    result_of(shop.store.stop())
    assert shop.store.clean
    look = apsw.Connection(str(tmp_path / FILE))
    assert look.execute("SELECT clean FROM gateway").get == 1
    look.close()
    assert not list(tmp_path.glob(f"{FILE}-wal"))
    assert open_again(tmp_path / FILE, clock_at()).execute("SELECT clean FROM gateway").get == 0


def test_the_file_and_its_log_are_for_their_owner_alone_from_the_first_start_on(tmp_path: Path) -> None:
    before = os.umask(0o022)
    shop = shop_in(tmp_path, clock_at())
    os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob(f"{FILE}*")}
    assert modes == {FILE: 0o600, f"{FILE}-wal": 0o600, f"{FILE}-shm": 0o600}
    result_of(shop.store.stop())


def test_nobody_else_can_read_a_file_even_before_anything_is_written_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = set[int]()

    def connecting(path: str, connect: Callable[[str], apsw.Connection] = pages.connect) -> apsw.Connection:
        modes.add(Path(path).stat().st_mode & 0o777)
        return connect(path)

    monkeypatch.setattr(pages, "connect", connecting)
    before = os.umask(0o022)
    fresh(tmp_path / FILE).close()
    (tmp_path / FILE).chmod(0o644)  # as an older version left it
    fresh(tmp_path / FILE).close()
    os.umask(before)
    assert modes == {0o600}


def test_a_state_directory_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    os.close(opening.lock(tmp_path))
    assert tmp_path.stat().st_mode & 0o777 == 0o750


def test_a_state_directory_is_made_and_locked_for_one_process(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "state"
    held = opening.lock(directory)
    assert directory.stat().st_mode & 0o777 == 0o700
    with pytest.raises(StoreUnusable) as refusal:
        opening.lock(directory)
    assert refusal.value.code == 75
    assert str(directory) in str(refusal.value)
    os.close(held)
    os.close(opening.lock(directory))


def test_a_state_directory_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnusable) as refusal:
        opening.lock(tmp_path / "file" / "state")
    assert refusal.value.code == 73
    assert "\n" not in str(refusal.value)
    with pytest.raises(StoreUnusable, match=r"cannot be written: it is no directory$"):
        opening.lock(tmp_path / "file")


@pytest.mark.parametrize("left", [b"", b"S"])
def test_nothing_left_of_a_file_that_was_in_use_is_damage_and_no_new_store(tmp_path: Path, left: bytes) -> None:
    before = shop_in(tmp_path, clock_at())
    before.post("1")
    result_of(before.store.stop())
    (tmp_path / FILE).write_bytes(left)
    after = shop_in(tmp_path, clock_at())
    assert "its file is empty" in after.store.damage
    assert after.store.epoch != before.store.epoch
    result_of(after.store.stop())


def test_a_file_that_is_missing_beside_its_backups_is_damage_and_the_newest_of_them_serves(tmp_path: Path) -> None:
    before = shop_in(tmp_path, clock_at())
    before.post("1")
    result_of(before.store.upkeep.round())
    result_of(before.store.stop())
    (tmp_path / FILE).unlink()
    after = shop_in(tmp_path, clock_at())
    assert "its file is missing" in after.store.damage
    assert (after.store.id, after.store.epoch != before.store.epoch) == (before.store.id, True)
    assert [order.name for order in after.store.standing.orders] == ["1"]
    result_of(after.store.stop())


def test_an_empty_file_where_nothing_ever_was_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    shop = shop_in(tmp_path, clock_at())
    assert shop.store.damage == ""
    result_of(shop.store.stop())


def test_a_damaged_page_that_the_start_writes_is_damage_though_sqlite_speaks_of_a_rollback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop_in(tmp_path, clock_at())
    before.post("1")
    result_of(before.store.stop())
    db = opening.connect(str(tmp_path / FILE))
    root = int(db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'marks'").get)
    db.close()
    raw = bytearray((tmp_path / FILE).read_bytes())
    raw[root * 4096 - 100] ^= 1
    (tmp_path / FILE).write_bytes(raw)
    monkeypatch.setattr(soundness, "CHECKED_EACH_TIME", 0)
    after = shop_in(tmp_path, clock_at())
    assert after.store.damage
    result_of(after.store.stop())


def test_an_index_whose_pages_changed_places_is_found_at_a_start(tmp_path: Path) -> None:
    before = shop_in(tmp_path, clock_at())
    for name in range(300):
        before.post(str(name))
    result_of(before.store.stop())
    db = opening.connect(str(tmp_path / FILE))
    query = "SELECT pageno FROM dbstat WHERE name = 'sqlite_autoindex_orders_1' AND pagetype = 'leaf'"
    one, other = (4096 * (int(row[0]) - 1) for row in list(db.execute(query))[:2])
    db.close()
    raw = bytearray((tmp_path / FILE).read_bytes())
    raw[one : one + 4096], raw[other : other + 4096] = raw[other : other + 4096], raw[one : one + 4096]
    (tmp_path / FILE).write_bytes(raw)
    after = shop_in(tmp_path, clock_at())
    assert "integrity_check" in after.store.damage
    assert len(after.store.standing.orders) == 300
    result_of(after.store.stop())


def test_after_an_upgrade_that_was_interrupted_the_older_gateway_may_go_on(tmp_path: Path) -> None:
    """Its file has room for checksums by then, and it writes pages without: that is no damage."""
    path = tmp_path / FILE
    make_half_upgraded(path, clock_at())
    db = fresh(path)
    assert pages.have_checksums(db)
    assert [order.location for order in orders.standing(db).orders] == ["23"]
    copy = apsw.Connection(str(tmp_path / f"before-schema-{len(opening.schema())}.db"))
    assert (copy.pragma("user_version"), copy.pragma("quick_check")) == (1, "ok")
    copy.close()
