from pathlib import Path

import apsw
import pytest

from tests.store.files import clock_at, shop_in
from tests.support import result_of
from ttgateway.store import opening
from ttgateway.store.tables import openings, preferences

ENTRIES = ("203.0.113.0/24", "10.0.0.9/32 port 9100")


@pytest.fixture
def db() -> apsw.Connection:
    clock = clock_at()
    return opening.open_memory(clock.boot, clock.now())


def test_none_are_there_at_first_and_what_is_saved_replaces_what_was(db: apsw.Connection) -> None:
    assert openings.load(db) == ()
    openings.saving(ENTRIES)(db)
    assert openings.load(db) == ENTRIES
    openings.saving(())(db)
    assert openings.load(db) == ()


def test_they_are_no_preference(db: apsw.Connection) -> None:
    openings.saving(ENTRIES)(db)
    assert preferences.load(db) == {}


@pytest.mark.parametrize("text", ["", "0", "00000000 []", '5c1b0b31 ["203.0.113.0/24"'])
def test_a_row_that_does_not_fit_its_crc_is_damage(db: apsw.Connection, text: str) -> None:
    db.execute("INSERT INTO settings VALUES ('callbacks.allow', ?)", (text,))
    for load in (openings.load, preferences.load):
        with pytest.raises(ValueError, match="damaged"):
            load(db)


def test_a_flipped_bit_opens_no_other_network(db: apsw.Connection) -> None:
    openings.saving(["203.0.113.7/32"])(db)
    db.execute("UPDATE settings SET value = replace(value, '113.7', '113.5')")
    with pytest.raises(ValueError, match="damaged"):
        openings.load(db)


def test_they_survive_a_restart(tmp_path: Path) -> None:
    shop = shop_in(tmp_path, clock_at())
    shop.store.write(openings.saving(ENTRIES))
    result_of(shop.store.stop())
    shop = shop_in(tmp_path, clock_at())
    assert shop.store.openings == ENTRIES
    result_of(shop.store.stop())
