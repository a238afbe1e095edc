"""What ``tests.crashstates`` found: states of the files that a power cut may leave, and that were not taken well."""

import shutil
from pathlib import Path

import apsw
import pytest

from tests.store.files import clock_at, make_first_schema, open_again, shop_in
from tests.support import result_of
from ttgateway.orders.moment import Moment
from ttgateway.store import opening
from ttgateway.store.damage import recovery, soundness
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.opening import FILE

LOG, INDEX = f"{FILE}-wal", f"{FILE}-shm"
HEADER, FRAME = 32, 24 + 4096


def after_a_power_cut(directory: Path, *names: str, since: str = "boot-2") -> list[str]:
    """Post orders in a process, and cut the power: return the names of the orders that the next boot finds."""
    shop = shop_in(directory, clock_at(since))
    for name in names:
        shop.post(name)
    left = sorted(order.name for order in shop.orders.all())
    for connection in shop.store._connections:
        opening.leave(connection)
    return left


def torn(directory: Path) -> None:
    """Let the first page of the log be one that never came to the disk."""
    log = bytearray((directory / LOG).read_bytes())
    log[HEADER + 24 : HEADER + FRAME] = bytes(4096)
    (directory / LOG).write_bytes(log)
    (directory / INDEX).unlink(missing_ok=True)


def test_what_is_torn_at_the_head_of_the_log_twice_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    after_a_power_cut(first, "1", "2", since="boot-1")
    after_a_power_cut(first, "3")
    torn(first)
    begin = opening._begin

    def cut(connection: apsw.Connection, boot: str, now: Moment) -> None:
        begin(connection, boot, now)
        shutil.copytree(first, second)
        raise apsw.InterruptError

    with monkeypatch.context() as patched, pytest.raises(opening.StoreUnusable):
        patched.setattr(opening, "_begin", cut)
        open_again(first / FILE, clock_at("boot-3"))
    torn(second)
    shop = shop_in(second, clock_at("boot-4"))
    assert shop.store.damage == ""
    assert [order.name for order in shop.store.standing.orders] == ["1", "2"]
    result_of(shop.store.stop())


@pytest.mark.parametrize(("boot", "believed"), [("boot-1", True), ("boot-2", False)])
def test_the_index_of_a_log_is_believed_within_its_boot_only(tmp_path: Path, boot: str, believed: bool) -> None:
    after_a_power_cut(tmp_path, "1", since="boot-1")
    index = (tmp_path / INDEX).read_bytes()
    db = opening.connect(str(tmp_path / FILE))
    db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    opening.leave(db)
    (tmp_path / INDEX).write_bytes(index)
    if believed:
        with pytest.raises(DamagedStoreError, match="is gone"):
            open_again(tmp_path / FILE, clock_at(boot))
    else:
        open_again(tmp_path / FILE, clock_at(boot)).close()


def test_an_upgrade_that_is_only_in_the_log_is_no_loss_of_checksums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_first_schema(tmp_path / FILE, clock_at())

    def cut(connection: apsw.Connection) -> None:
        shutil.copytree(tmp_path, tmp_path / "left")
        raise apsw.InterruptError

    with monkeypatch.context() as patched, pytest.raises(opening.StoreUnusable):
        patched.setattr(soundness, "check", cut)
        open_again(tmp_path / FILE, clock_at())
    assert (tmp_path / "left" / LOG).stat().st_size > HEADER
    db = open_again(tmp_path / "left" / FILE, clock_at("boot-2"))
    assert db.execute("SELECT count(*) FROM orders").get == 2
    db.close()


def test_the_end_of_a_recovery_reaches_the_disk_in_its_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 1_000)
    mark, synced = tmp_path / "corrupt" / "1" / recovery.UNFINISHED, []
    monkeypatch.setattr(recovery, "sync", lambda path: synced.append((path, (tmp_path / FILE).exists(), mark.exists())))
    shop = shop_in(tmp_path, clock_at())
    assert synced[-2:] == [(tmp_path, True, True), (mark.parent, True, False)]
    result_of(shop.store.stop())
