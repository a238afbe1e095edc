from pathlib import Path

import pytest

from tests.conftest import Logged
from tests.store.files import Shop, clock_at, shop_in
from tests.support import AtOnce, OnDemand, result_of
from ttgateway.refusals import DiskFull, NotNow, TooMany
from ttgateway.store import opening
from ttgateway.store.copies import contents, copying
from ttgateway.store.copies.backups import ASKED, Asked, Backups
from ttgateway.store.disk import LEAST_FREE, NoDisk


class Shelf:
    """A shop, and copies of its store on a thread that runs when the test says so."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copier = OnDemand()
        self.shop: Shop = shop_in(folder, clock_at())
        self.shop.post("1")
        self.backups = Backups(folder / "copies", self.copier, folder / opening.FILE, NoDisk())


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_what_is_written_while_a_copy_is_made_is_not_in_it_and_does_not_begin_it_anew(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "AT_ONCE", 1)
    steps = []
    name = iter(range(2, 1_000))

    def go_on(backups: Backups, done: int, pages: int) -> None:
        steps.append(done)
        shelf.shop.post(str(next(name)))  # a commit between any two steps

    monkeypatch.setattr(Backups, "_go_on", go_on)
    made = shelf.backups.make()
    shelf.copier.step()
    result_of(made)
    assert steps == sorted(set(steps))
    found = contents.look(shelf.folder / "copies" / "1.db", opening.schema())
    assert (found.seq, found.active) == (1, 1)
    assert shelf.shop.store.journal.last == 1 + len(steps)
    result_of(shelf.shop.store.stop())


def test_a_copy_that_was_asked_for_is_ready_until_it_is_taken(shelf: Shelf) -> None:
    assert shelf.backups.asked is None
    shelf.backups.ask()
    assert shelf.backups.asked == Asked("copying")
    with pytest.raises(TooMany):
        shelf.backups.ask()
    shelf.backups.take_back()
    assert shelf.backups.asked == Asked("copying"), "it is being made"
    shelf.copier.step()
    assert shelf.backups.asked == Asked("ready")
    assert contents.look(shelf.backups.asked_path, opening.schema()).active == 1
    shelf.backups.take_back()
    assert not shelf.backups.asked_path.exists()
    result_of(shelf.shop.store.stop())


def test_a_stop_breaks_a_copy_off_and_leaves_nothing_of_it(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "AT_ONCE", 1)
    shelf.backups.ask()
    stopped = shelf.backups.stop()
    shelf.copier.step()
    shelf.copier.step()
    result_of(stopped)
    assert shelf.backups.asked == Asked("failed", why="The gateway is stopping.")
    assert list((shelf.folder / "copies").iterdir()) == []
    with pytest.raises(NotNow):
        shelf.backups.ask()
    result_of(shelf.shop.store.stop())


def test_a_copy_that_would_leave_orders_no_room_is_refused(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NoDisk, "free", lambda disk: LEAST_FREE)
    says = "No room for a copy in .*/copies: it takes 1 MiB, and 64 MiB must stay free. Make room on that disk."
    with pytest.raises(DiskFull, match=says):
        shelf.backups.ask()
    assert shelf.backups.asked is None
    result_of(shelf.shop.store.stop())


def test_what_a_killed_process_left_of_a_copy_is_deleted(shelf: Shelf) -> None:
    folder = shelf.folder / "copies"
    folder.mkdir()
    for name in (ASKED, f"{ASKED}.new", "1.db"):
        (folder / name).touch()
    Backups(folder, AtOnce(), shelf.folder / opening.FILE, NoDisk())
    assert [path.name for path in folder.iterdir()] == ["1.db"]
    result_of(shelf.shop.store.stop())


def test_a_copy_finds_damage_which_is_told(tmp_path: Path, logged: Logged) -> None:
    shop = shop_in(tmp_path, clock_at())
    shop.post("1")
    result_of(shop.store.write(lambda db: None))
    assert shop.store.backups is not None
    told: list[None] = []
    shop.store.findings.on_damage(lambda: told.append(None))
    opening.connect(str(tmp_path / opening.FILE)).wal_checkpoint()
    raw = bytearray((tmp_path / opening.FILE).read_bytes())
    raw[4096 * 5 + 100] ^= 1
    with (tmp_path / opening.FILE).open("r+b") as file:
        file.write(raw)
    shop.store.backups.ask()
    assert shop.store.backups.asked is not None
    assert shop.store.backups.asked.state == "failed"
    assert (told, shop.store.findings.damaged) == ([None], True)
    result_of(shop.store.stop())
    assert len(logged.flush()) == 1
