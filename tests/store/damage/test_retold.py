"""After damage an order is what its newest change says, unless it was read from a sound page."""

from pathlib import Path

import apsw
import pytest

from tests.store.files import Shop, clock_at, open_again, shop_in
from tests.support import FakeClock, result_of
from ttgateway.store.damage.retold import retell
from ttgateway.store.opening import FILE


@pytest.fixture
def clock() -> FakeClock:
    return clock_at()


@pytest.fixture
def shop(tmp_path: Path, clock: FakeClock) -> Shop:
    """Order 7 is located and was paged, 8 is cleared, 9 is started."""
    shop = shop_in(tmp_path, clock)
    for name in ("7", "8", "9"):
        shop.post(name)
        clock.timers.advance(60)
    shop.post("7", "21")
    shop.page("7")
    shop.clear("8")
    return shop


@pytest.fixture
def db(tmp_path: Path, shop: Shop, clock: FakeClock) -> apsw.Connection:
    result_of(shop.store.stop())
    return open_again(tmp_path / FILE, clock)


def rows(db: apsw.Connection) -> list[tuple[object, ...]]:
    return db.execute(
        "SELECT name, type, location, state, paged, seq, started, born, cleared IS NULL FROM orders ORDER BY name"
    ).fetchall()


def uuid_of(db: apsw.Connection, name: str) -> str:
    return str(db.execute("SELECT uuid FROM orders WHERE name = ?", (name,)).get)


@pytest.mark.parametrize(
    "damage",
    [
        "name = '77'",
        "location = '12'",
        "state = 'started'",
        "seq = 0",
        "seq = 6",
        "seq = 1 << 40",
        "started = 5.0, born = -3.0",
        "paged = 0",
        "type = 'TO_GO'",
    ],
)
def test_an_order_that_differs_from_its_newest_change_is_what_the_change_says(
    db: apsw.Connection, clock: FakeClock, damage: str
) -> None:
    before = rows(db)
    db.execute(f"UPDATE orders SET {damage} WHERE name = '7'")  # noqa: S608
    assert rows(db) != before
    retell(db, (), clock.now(), 0)
    assert rows(db) == before


def test_an_order_that_was_read_from_a_sound_page_stays_as_it_is(db: apsw.Connection, clock: FakeClock) -> None:
    """Its newest change may be what was lost."""
    db.execute("DELETE FROM changes WHERE seq = (SELECT seq FROM orders WHERE name = '7')")
    before = rows(db)
    retell(db, {uuid_of(db, "7")}, clock.now(), 0)
    assert rows(db) == before


def test_an_active_order_whose_row_is_lost_comes_back(db: apsw.Connection, clock: FakeClock) -> None:
    before = rows(db)
    db.execute("DELETE FROM orders WHERE name = '7'")
    retell(db, (), clock.now(), 0)
    assert rows(db) == before


def test_an_order_that_has_ended_and_is_gone_does_not_come_back(db: apsw.Connection, clock: FakeClock) -> None:
    db.execute("DELETE FROM orders WHERE name = '8'")
    retell(db, (), clock.now(), 0)
    assert [row[0] for row in rows(db)] == ["7", "9"]


def test_an_order_from_an_older_backup_that_has_ended_since_is_ended(db: apsw.Connection, clock: FakeClock) -> None:
    db.execute("UPDATE orders SET state = 'started', cleared = NULL, seq = 2 WHERE name = '8'")
    retell(db, (), clock.now(), 0)
    assert db.execute("SELECT state, cleared_reason, took FROM orders WHERE name = '8'").get == (
        "cleared",
        "AUTOMATIC",
        120.0,
    )


def test_an_order_that_no_change_knows_goes_and_is_told_by_its_own_name(db: apsw.Connection, clock: FakeClock) -> None:
    before = rows(db)
    db.execute("UPDATE orders SET uuid = 'x' || uuid WHERE name = '7'")
    retell(db, (), clock.now(), 0)
    assert rows(db) == before


def test_an_old_order_whose_changes_are_trimmed_stays(db: apsw.Connection, clock: FakeClock) -> None:
    seq = int(db.execute("SELECT seq FROM orders WHERE name = '8'").get)
    db.execute("DELETE FROM changes WHERE order_uuid = ?", (uuid_of(db, "8"),))
    before = rows(db)
    retell(db, (), clock.now(), seq)
    assert rows(db) == before
    retell(db, (), clock.now(), seq - 1)
    assert [row[0] for row in rows(db)] == ["7", "9"]


def test_a_damaged_change_tells_nothing(db: apsw.Connection, clock: FakeClock) -> None:
    before = rows(db)
    db.execute("UPDATE changes SET crc = crc + 1")
    retell(db, (), clock.now(), 0)
    assert rows(db) == before
