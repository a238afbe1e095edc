"""What page checksums cannot tell: each page is as it was written, and stands where another one was."""

import itertools
from pathlib import Path

import pytest

from tests.store.files import clock_at, listener, progress, shop_in
from tests.support import result_of
from ttgateway.store import opening
from ttgateway.store.damage.soundness import DamagedStoreError, check_pages
from ttgateway.store.opening import FILE
from ttgateway.store.tables import listeners, preferences, tokens
from ttgateway.store.tables.tokens import Token, digest

PAGE = 4096
TABLES = "changes", "orders", "listeners", "tokens", "settings", "parked"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with something in each table, and indexes with nothing in them."""
    shop = shop_in(tmp_path, clock_at())
    shop.store.write(listeners.saving(listener(1), progress(cursor=1)))
    shop.store.write(tokens.saving(Token(hash=digest("s"), name="till", kind="token", created=1.0)))
    shop.store.write(preferences.saving({"timeZone": "UTC", "pagingMode": "x"}))
    for number in range(40):
        shop.post(str(number))
    result_of(shop.store.stop())
    return tmp_path / FILE


def content(path: Path) -> list[list[object]]:
    """Return all that is in the store, if it is sound."""
    db = opening.connect(str(path))
    try:
        check_pages(db)
        return [list(db.execute(f"SELECT * FROM {table}")) for table in TABLES]  # noqa: S608
    finally:
        opening.leave(db)


def test_no_two_pages_change_places_unseen(path: Path) -> None:
    written, raw = content(path), path.read_bytes()
    pages = [raw[at : at + PAGE] for at in range(0, len(raw), PAGE)]
    seen = 0
    for one, other in itertools.combinations(range(len(pages)), 2):
        swapped = list(pages)
        swapped[one], swapped[other] = pages[other], pages[one]
        path.write_bytes(b"".join(swapped))
        try:
            assert content(path) == written, (one, other)
        except Exception as error:  # the first page of a file says what it is: that one fails in many ways
            if isinstance(error, AssertionError):
                raise
            seen += 1
    assert seen > len(pages)


def test_an_empty_partial_index_in_the_place_of_a_table_is_damage(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    db = opening.connect(str(path))
    query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
    one, other = (PAGE * (int(db.execute(query, (name,)).get) - 1) for name in ("tokens", "orders_to_go"))
    db.close()
    raw[one : one + PAGE], raw[other : other + PAGE] = raw[other : other + PAGE], raw[one : one + PAGE]
    path.write_bytes(raw)
    with pytest.raises(DamagedStoreError, match="orders_to_go has 1 entries for 0 rows"):
        content(path)
