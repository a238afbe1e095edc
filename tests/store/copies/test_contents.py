from pathlib import Path

import pytest

from tests.store.files import clock_at, listener, make_first_schema, make_half_upgraded, progress, shop_in
from tests.support import result_of
from ttgateway.store import opening, pages
from ttgateway.store.copies import contents
from ttgateway.store.copies.contents import Contents
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.opening import FILE, StoreUnusable
from ttgateway.store.tables import listeners, tokens
from ttgateway.store.tables.tokens import Token, digest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    shop = shop_in(tmp_path, clock_at())
    shop.post("1")
    shop.post("2")
    shop.clear("1")
    shop.store.write(listeners.saving(listener(), progress(cursor=2)))
    shop.store.write(tokens.saving(Token(hash=digest("s"), name="till", kind="token", created=1.0)))
    result_of(shop.store.stop())
    return tmp_path / FILE


def look(path: Path) -> Contents:
    return contents.look(path, opening.schema())


def edited(path: Path, statement: str) -> None:
    db = pages.connect(str(path))
    db.execute(statement).get  # noqa: B018
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").get  # noqa: B018
    db.close()


def test_what_a_store_holds_is_counted_and_nothing_is_written_beside_it(path: Path) -> None:
    beside = sorted(path.parent.iterdir())
    found = look(path)
    assert (found.seq, found.active, found.orders, found.changes) == (3, 1, 2, 3)
    assert (found.listeners, found.tokens, found.schema) == (1, 1, len(opening.schema()))
    assert found.size == path.stat().st_size
    assert sorted(path.parent.iterdir()) == beside


def test_an_older_store_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    make_first_schema(tmp_path / "old.db", clock_at())
    found = look(tmp_path / "old.db")
    assert (found.schema, found.active, found.orders, found.listeners) == (1, 1, 2, 1)


def test_an_older_store_whose_checksums_an_older_gateway_has_written_over_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    make_half_upgraded(path, clock_at())
    assert look(path).active == 1


@pytest.mark.parametrize("page", range(1, 12))
def test_a_flipped_bit_on_any_page_is_damage(path: Path, page: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[page * 4096 + 2_000] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DamagedStoreError):
        look(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE changes SET crc = crc + 1 WHERE seq = 1",
        "UPDATE orders SET state = 'gone' WHERE cleared IS NOT NULL",
        "UPDATE tokens SET name = CAST(x'ff' AS TEXT)",
        "DELETE FROM gateway",
    ],
)
def test_a_row_that_cannot_be_read_is_damage_wherever_it_is(path: Path, statement: str) -> None:
    edited(path, statement)
    with pytest.raises(DamagedStoreError):
        look(path)


@pytest.mark.parametrize(
    ("statement", "code"),
    [("PRAGMA user_version = 99", 78), ("PRAGMA user_version = 0", 65), ("DROP TABLE orders", 65)],
)
def test_what_we_do_not_know_is_told_apart(path: Path, statement: str, code: int) -> None:
    edited(path, statement)
    with pytest.raises(StoreUnusable) as refusal:
        look(path)
    assert refusal.value.code == code


@pytest.mark.parametrize("content", [b"", b"text" * 5_000])
def test_what_is_no_store_is_told_as_such(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "note").write_bytes(content)
    with pytest.raises(StoreUnusable, match="is no store of a ttgateway"):
        look(tmp_path / "note")


def test_what_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="cannot be read"):
        look(tmp_path / "nothing")
