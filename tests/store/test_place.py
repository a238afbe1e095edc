"""The store's files are deleted, moved or replaced behind the back of a gateway that goes on to write to them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Logged
from tests.store.files import Shop, clock_at, listener, progress, shop_in
from tests.support import result_of
from ttgateway.store.copies.restore import REPLACED
from ttgateway.store.disk import StateDisk
from ttgateway.store.opening import FILE
from ttgateway.store.tables import listeners

LOG = f"{FILE}-wal"


def delete(state: Path) -> None:
    (state / FILE).unlink()


def delete_all(state: Path) -> None:
    for path in state.glob(f"{FILE}*"):
        path.unlink()


def move(state: Path) -> None:
    (state / FILE).rename(state / "moved.db")


def replace(state: Path) -> None:
    shutil.copyfile(state / FILE, state / "other")
    (state / "other").replace(state / FILE)


def empty(state: Path) -> None:
    delete(state)
    (state / FILE).touch()


def delete_log(state: Path) -> None:
    (state / LOG).unlink()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


@pytest.fixture
def shop(state: Path) -> Shop:
    """A store with two orders and a listener that was told of the first."""
    shop = shop_in(state, clock_at())
    shop.store.write(listeners.saving(listener(), progress(1)))
    shop.post("1")
    shop.post("2")
    return shop


def round_of(shop: Shop) -> None:
    result_of(shop.store.upkeep.round())


@pytest.mark.parametrize("lose", [delete, delete_all, move, replace, empty, delete_log])
def test_nothing_is_lost_with_the_file_where_the_gateway_ends_in_order(
    shop: Shop, state: Path, lose: Callable[[Path], None]
) -> None:
    lose(state)
    shop.post("3")
    result_of(shop.store.stop())
    assert shop.store.clean
    after = shop_in(state, clock_at())
    assert [order.name for order in after.store.standing.orders] == ["1", "2", "3"]
    assert (after.store.epoch, after.store.journal.last) == (shop.store.epoch, 3)
    assert [(how_far.cursor, how_far.snapshot_due) for _, how_far in after.store.listeners] == [(1, False)]
    assert not after.store.damage
    result_of(after.store.stop())


@pytest.mark.parametrize("lose", [delete, move, replace, delete_log])
def test_a_round_finds_it_and_asks_once_for_a_start(
    shop: Shop, state: Path, lose: Callable[[Path], None], logged: Logged
) -> None:
    asked: list[bool] = []
    shop.store.findings.on_damage(lambda: asked.append(True))
    round_of(shop)
    assert asked == []
    lose(state)
    round_of(shop)
    round_of(shop)
    assert asked == [True]
    assert [event["log_level"].name for event in logged.flush()] == ["critical"]
    result_of(shop.store.stop())


def test_what_lay_in_its_place_is_kept(shop: Shop, state: Path) -> None:
    delete(state)
    (state / FILE).write_text("of the operator")
    result_of(shop.store.stop())
    assert (state / REPLACED / "1" / FILE).read_text() == "of the operator"


def test_a_directory_that_is_another_one_is_left_alone_and_the_operator_told(
    shop: Shop, state: Path, logged: Logged
) -> None:
    asked: list[bool] = []
    shop.store.findings.on_damage(lambda: asked.append(True))
    state.rename(state.with_name("away"))
    state.mkdir()
    round_of(shop)
    round_of(shop)
    assert "cannot be put back" in shop.store.damage
    assert [event["log_level"].name for event in logged.flush()] == ["critical"]
    result_of(shop.store.stop())
    assert asked == []
    assert not list(state.glob(f"{FILE}*"))
    again = shop_in(state.with_name("away"), clock_at())
    assert again.store.journal.last == 2
    result_of(again.store.stop())


@pytest.mark.parametrize("lose", [delete, replace])
def test_no_copy_is_made_of_what_is_not_the_store(shop: Shop, state: Path, lose: Callable[[Path], None]) -> None:
    backups = shop.store.backups
    assert backups is not None
    lose(state)
    there = sorted(state.iterdir())
    backups.ask()
    assert backups.asked is not None
    assert backups.asked.why.endswith("ttgateway.db was deleted, moved or replaced.")
    assert sorted(state.iterdir()) == there
    result_of(shop.store.stop())


def test_on_a_full_disk_the_gateway_goes_on_until_there_is_room(
    shop: Shop, state: Path, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    shop.store.findings.on_damage(lambda: asked.append(True))
    delete(state)
    with monkeypatch.context() as full:
        full.setattr(StateDisk, "free", lambda disk: 100)
        round_of(shop)
    assert "the disk is full" in shop.store.damage
    assert asked == []
    round_of(shop)
    assert asked == [True]
    assert len(logged.flush()) == 2
    result_of(shop.store.stop())
