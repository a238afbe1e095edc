"""A listener whose URL may have become somebody else's is not saved; one beside it is."""

from datetime import UTC
from pathlib import Path

import pytest

from tests.store.files import clock_at, listener, open_again, progress, shop_in
from tests.support import result_of
from ttgateway.store import pages
from ttgateway.store.damage.recovery import recover
from ttgateway.store.damage.salvage import opened_as_it_is, salvage
from ttgateway.store.opening import FILE, schema
from ttgateway.store.tables import listeners

PAGE = 4096


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    shop = shop_in(tmp_path, clock_at())
    for number in range(1, 6):
        shop.store.write(listeners.saving(listener(number), progress()))
    result_of(shop.store.stop())
    return tmp_path


def flip_url(path: Path, number: int, where: str) -> None:
    """Turn a listener's address into another, in the table's page or in that of the index of URLs."""
    db = pages.connect(str(path))
    root = int(db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (where,)).get)
    db.close()
    content = bytearray(path.read_bytes())
    at = content.index(f"http://10.0.0.{number}/".encode(), (root - 1) * PAGE, root * PAGE)
    content[at + len("http://10.0.0.")] ^= 8
    path.write_bytes(content)


def saved(directory: Path) -> list[str]:
    clock = clock_at()
    source = opened_as_it_is(directory / FILE)
    fresh = open_again(directory / "fresh.db", clock)
    salvage(source, fresh)
    urls = sorted(str(url) for (url,) in fresh.execute("SELECT url FROM listeners"))
    fresh.close()
    return urls


def test_a_listener_whose_url_was_changed_is_not_saved_and_the_others_are(stopped: Path) -> None:
    flip_url(stopped / FILE, 3, "listeners")
    assert saved(stopped) == [f"http://10.0.0.{number}/" for number in (1, 2, 4, 5)]


def test_damage_in_the_index_of_urls_costs_no_listener(stopped: Path) -> None:
    flip_url(stopped / FILE, 3, "sqlite_autoindex_listeners_2")
    assert saved(stopped) == [f"http://10.0.0.{number}/" for number in range(1, 6)]


def test_no_wrong_address_is_called_after_a_recovery(stopped: Path) -> None:
    flip_url(stopped / FILE, 3, "listeners")
    clock = clock_at()
    db = recover(stopped, clock.boot, clock.now(), UTC, schema(), "a test")
    assert [known.url for known, _ in listeners.load(db)] == [f"http://10.0.0.{number}/" for number in (1, 2, 4, 5)]
    assert "saved from them: 0 tokens, 4 listeners" in str(db.execute("SELECT damage FROM gateway").get)
    db.close()
