from pathlib import Path

import apsw
import pytest
from twisted.internet.defer import ensureDeferred

from tests.conftest import Logged
from tests.store.files import clock_at, listener, progress, shop_in
from tests.support import OnDemand, result_of
from ttgateway.refusals import DiskFull, NotNow
from ttgateway.store.commits import MEND_EVERY
from ttgateway.store.opening import FILE
from ttgateway.store.tables import listeners
from ttgateway.store.tables.orders import Standing


def test_stopping_writes_what_waits_before_it_closes(tmp_path: Path) -> None:
    disks: dict[str, OnDemand] = {}
    shop = shop_in(tmp_path, clock_at(), executor=lambda name: disks.setdefault(name, OnDemand()))
    shop.store.write(listeners.saving(listener(), progress()))
    shop.post("1")
    shop.store.cursors.moved("listener-1", progress(cursor=1))
    stopped = ensureDeferred(shop.store.stop())
    while any(disk.waiting for disk in disks.values()):
        for disk in disks.values():
            if disk.waiting:
                disk.step()
    assert stopped.called
    assert shop.store.clean
    again = shop_in(tmp_path, clock_at())
    assert again.store.journal.last == 1
    assert again.store.listeners[0][1].cursor == 1
    result_of(again.store.stop())


def test_a_store_that_cannot_be_closed_cleanly_says_so_and_ends(tmp_path: Path, logged: Logged) -> None:
    shop = shop_in(tmp_path, clock_at())
    shop.store.write(lambda db: db.execute("PRAGMA query_only = ON"))
    result_of(shop.store.stop())
    assert not shop.store.clean
    assert len(logged.flush()) == 1


def test_a_failed_commit_gives_up_the_ballast_and_tells_what_the_file_holds(tmp_path: Path, logged: Logged) -> None:
    shop = shop_in(tmp_path, clock_at())
    shop.post("1")
    told: list[Standing] = []
    shop.store.on_failure(told.append)
    page_count = result_of(shop.store.write(lambda db: db.pragma("page_count")))
    result_of(shop.store.write(lambda db: db.execute(f"PRAGMA max_page_count = {page_count}").get))
    large = shop.store.write(
        lambda db: db.execute("INSERT INTO tokens VALUES (zeroblob(100000), 'x', 'token', 1.0, NULL, NULL, NULL)")
    )
    with pytest.raises(DiskFull):
        result_of(large)
    assert not (tmp_path / "ballast").exists()
    assert [(standing.seq, [order.name for order in standing.orders]) for standing in told] == [(1, ["1"])]
    logged.flush()
    shop.clock.timers.advance(MEND_EVERY)
    result_of(shop.store.stop())


def test_a_stopped_store_takes_nothing_more(tmp_path: Path) -> None:
    shop = shop_in(tmp_path, clock_at())
    result_of(shop.store.stop())
    with pytest.raises(NotNow):
        result_of(shop.store.write(lambda db: None))


def test_what_a_power_cut_leaves_holds_every_write_that_was_answered(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    shop = shop_in(tmp_path / "one", clock_at())
    for number in range(20):
        shop.post(str(number))
    for path in (tmp_path / "one").glob(f"{FILE}*"):
        (tmp_path / "two" / path.name).write_bytes(path.read_bytes())
    after = shop_in(tmp_path / "two", clock_at("boot-2"))
    assert after.store.journal.last == 20
    assert len(after.orders) == 20
    assert after.store.damage == ""
    for one in (shop, after):
        result_of(one.store.stop())
    assert apsw.Connection(str(tmp_path / "two" / FILE)).pragma("integrity_check") == "ok"
