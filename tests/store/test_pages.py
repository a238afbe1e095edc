"""Each bit of each page that holds anything is minded."""

import random
from pathlib import Path

import apsw
import pytest

from ttgateway.store import pages

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "some.db"
    db = pages.connect(str(path))
    db.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY, name TEXT)")
    with db:
        for number in range(2_000):
            db.execute("INSERT INTO numbers VALUES (?, ?)", (number, "x" * 50))
    db.close()
    return path


def read(path: Path) -> int:
    """Return how many rows there are, reading every page."""
    db = pages.connect(str(path))
    try:
        assert db.pragma("quick_check") == "ok"
        return int(db.execute("SELECT count(name) FROM numbers").get)
    finally:
        db.close()


def flipped(path: Path, bit: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[bit // 8] ^= 1 << bit % 8
    path.write_bytes(raw)


def test_a_file_that_nobody_damaged_is_read(path: Path) -> None:
    assert read(path) == 2_000


@pytest.mark.parametrize("seed", range(50))
def test_a_flipped_bit_is_damage_and_flipped_back_it_is_none(path: Path, seed: int) -> None:
    bit = random.Random(seed).randrange(8 * path.stat().st_size)  # noqa: S311
    flipped(path, bit)
    with pytest.raises(apsw.Error) as noticed:
        read(path)
    assert pages.is_damage(noticed.value)
    flipped(path, bit)
    assert read(path) == 2_000


def test_what_is_left_of_a_damaged_page_can_be_read_on_purpose(path: Path) -> None:
    flipped(path, 8 * (3 * PAGE + PAGE - 100))  # in the last bytes of a row's text
    db = pages.connect(str(path))
    pages.read_unverified(db)
    assert db.execute("SELECT count(name) FROM numbers").get == 2_000
    db.close()


def test_a_file_without_checksums_gets_them(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = apsw.Connection(str(path), vfs="unix")
    old.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY, name TEXT)")
    old.execute("INSERT INTO numbers VALUES (1, 'one')")
    old.close()
    db = pages.connect(str(path))
    assert not pages.have_checksums(db)
    pages.add_checksums(db)
    assert pages.have_checksums(db)
    db.close()
    assert read(path) == 1
    flipped(path, 8 * (2 * PAGE - 12))
    with pytest.raises(apsw.IOError):
        read(path)


def test_an_error_of_the_disk_is_no_damage() -> None:
    assert not pages.is_damage(apsw.FullError("full"))
    assert not pages.is_damage(OSError())
    assert pages.is_damage(apsw.CorruptError("corrupt"))
