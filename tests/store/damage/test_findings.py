"""Damage that is found while the store serves, in a file that is damaged behind its back."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from tests.conftest import Logged
from tests.store.files import Shop, clock_at, listener, progress, shop_in
from tests.support import OnDemand, result_of
from ttgateway.refusals import NotNow
from ttgateway.store import opening
from ttgateway.store.damage.findings import FRESH
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.opening import FILE
from ttgateway.store.tables import listeners
from ttgateway.store.tables.entry import DamagedEntryError

PAGE = 4096


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a store of more changes than are kept in memory, all of them in the file."""
    directory: Path = tmp_path_factory.mktemp("left")
    writers = {name: OnDemand() for name in ("store-writer", "store-reader", "backups")}
    shop = shop_in(directory, clock_at(), executor=lambda name: writers.setdefault(name, OnDemand()))
    shop.store.write(listeners.saving(listener(), progress()))
    for name in range(700):
        shop.post(str(name))
        shop.clear(str(name))
    stopping = ensureDeferred(shop.store.stop())
    while busy := [one for one in writers.values() if one.waiting]:
        busy[0].step()
    result_of(stopping)
    return directory


@pytest.fixture
def shop(left: Path, tmp_path: Path) -> Shop:
    """The store, opened anew."""
    shutil.copytree(left, tmp_path, dirs_exist_ok=True)
    return shop_in(tmp_path, clock_at())


def pages_of(directory: Path) -> list[int]:
    """Return where the changes lie in the file, in their order."""
    db = opening.connect(str(directory / FILE))
    query = "SELECT pageno FROM dbstat WHERE name = 'changes' AND pagetype = 'leaf' ORDER BY path"
    found = [(int(row[0]) - 1) * PAGE for row in db.execute(query)]
    opening.leave(db)
    return found


def edit(directory: Path, change: Callable[[bytearray], None]) -> None:
    raw = bytearray((directory / FILE).read_bytes())
    change(raw)
    (directory / FILE).write_bytes(raw)


def flip(at: int) -> Callable[[bytearray], None]:
    def change(raw: bytearray) -> None:
        raw[at + PAGE // 2] ^= 1

    return change


def damage_first(directory: Path) -> None:
    edit(directory, flip(pages_of(directory)[0]))


def failure_of(pending: Deferred[Any]) -> type[BaseException]:
    failures: list[BaseException | None] = []

    def failed(failure: Failure) -> None:
        failures.append(failure.value)

    pending.addErrback(failed)
    found = failures[0]
    assert found is not None
    return type(found)


def test_a_damaged_page_is_told_and_the_next_start_recovers(shop: Shop, tmp_path: Path, logged: Logged) -> None:
    asked: list[bool] = []
    shop.store.findings.on_damage(lambda: asked.append(True))
    damage_first(tmp_path)
    for _ in range(2):
        assert failure_of(shop.store.journal.page(0)) is apsw.IOError
    assert asked == [True]
    assert shop.store.damage.startswith("found while running")
    assert [event["log_level"].name for event in logged.flush()] == ["critical"]
    result_of(shop.store.stop())
    assert not shop.store.clean
    after = shop_in(tmp_path, clock_at())
    assert after.store.damage
    assert after.store.epoch != shop.store.epoch
    assert [how_far.snapshot_due for _, how_far in after.store.listeners] == [True]
    result_of(after.store.stop())


def test_pages_that_changed_places_are_found_as_what_is_read_has_no_gaps(
    shop: Shop, tmp_path: Path, logged: Logged
) -> None:
    one, other = pages_of(tmp_path)[:2]

    def swap(raw: bytearray) -> None:
        raw[one : one + PAGE], raw[other : other + PAGE] = raw[other : other + PAGE], raw[one : one + PAGE]

    edit(tmp_path, swap)
    assert failure_of(shop.store.journal.page(0)) is DamagedStoreError
    assert shop.store.findings.damaged
    logged.flush()
    result_of(shop.store.stop())


def test_changes_that_are_missing_from_the_middle_are_found_in_a_replay_too(shop: Shop, logged: Logged) -> None:
    shop.store.write(lambda db: db.execute("DELETE FROM changes WHERE seq = 7"))
    assert failure_of(shop.store.journal.page_again("listener-1", 0, 50)) is DamagedStoreError
    assert failure_of(shop.store.journal.page(6)) is DamagedStoreError
    logged.flush()
    result_of(shop.store.stop())


def test_what_is_trimmed_is_not_missing(shop: Shop) -> None:
    shop.store.write(lambda db: db.execute("DELETE FROM changes WHERE seq <= 7; UPDATE gateway SET trimmed = 7"))
    assert result_of(shop.store.journal.page(0))[0].seq == 8
    assert not shop.store.damage
    result_of(shop.store.stop())


def test_a_row_alone_is_told_to_the_operator_for_good(shop: Shop, tmp_path: Path) -> None:
    shop.store.write(lambda db: db.execute("UPDATE changes SET crc = crc + 1 WHERE seq = 5"))
    assert failure_of(shop.store.journal.page(0)) is DamagedEntryError
    assert shop.store.damage == "change 5 is damaged in the journal"
    assert not shop.store.findings.damaged
    result_of(shop.store.stop())
    db = opening.connect(str(tmp_path / FILE))
    assert db.execute("SELECT damage FROM gateway").get == shop.store.damage
    db.close()


def test_a_damaged_page_that_is_to_be_written_is_found_by_the_commit(
    shop: Shop, tmp_path: Path, logged: Logged
) -> None:
    damage_first(tmp_path)
    shop.store.write(lambda db: db.pragma("shrink_memory"))  # the start has read it
    failed = shop.store.write(lambda db: db.execute("UPDATE changes SET at = at + 1 WHERE seq = 1"))
    assert failure_of(failed) is NotNow
    assert shop.store.findings.damaged
    logged.flush()
    shop.clock.timers.advance(2)
    result_of(shop.store.stop())


def test_a_file_that_cannot_be_read_is_told_for_as_long_as_it_cannot(shop: Shop, logged: Logged) -> None:
    def fail(db: apsw.Connection) -> None:
        raise apsw.IOError

    with pytest.raises(NotNow):
        result_of(shop.store.read(fail))
    logged.flush()
    assert shop.store.findings.unreadable
    shop.clock.timers.advance(FRESH + 0.1)
    assert not shop.store.findings.unreadable
    assert not shop.store.damage
    result_of(shop.store.stop())
