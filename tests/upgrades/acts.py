"""What is done to a store: what the product does, what an older gateway does, and edits by hand."""

import os
import sqlite3
from pathlib import Path

import apsw

from tests.commands.stand_ins import House
from tests.store.files import clock_at, shop_in
from tests.support import result_of
from ttgateway.commands.backup import backup as backup_command
from ttgateway.store import opening, pages
from ttgateway.store.copies import restore
from ttgateway.store.opening import CHECKSUMS_SINCE, FILE


def opened(folder: Path) -> None:
    """Open the store as the gateway does, and close it in order."""
    result_of(shop_in(folder, clock_at()).store.stop())


def restored(folder: Path) -> None:
    """Go back to the copy, as ``ttgateway restore`` does."""
    clock = clock_at()
    lock = opening.lock(folder)
    restore.restore(folder, folder / "copies" / FILE, clock.boot, clock.now(), opening.schema())
    os.close(lock)


def backed_up(folder: Path) -> None:
    """Run ``ttgateway backup`` without a daemon."""
    house = House(folder)
    house.stop_daemon()
    result = house.invoke(backup_command, str(folder / "copy.db"), "--force")
    assert result.exit_code == 0, result.output


def copied_while_it_runs(folder: Path) -> None:
    """Make the copies that a daemon makes."""
    shop = shop_in(folder, clock_at())
    assert shop.store.backups is not None
    for _ in range(3):
        result_of(shop.store.backups.make())
    shop.store.backups.ask()
    result_of(shop.store.stop())


def edited(folder: Path, statements: str, *, clean: bool) -> None:
    """Change the rows of a store of ours, and leave it as before."""
    db = pages.connect(str(folder / FILE))
    db.execute(statements).get  # noqa: B018
    if not clean:
        db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    db.close()


def older_goes_on(path: Path, version: int) -> bool:
    """Let a gateway of an older version write to its file; tell whether it could: it refuses a newer one."""
    db = sqlite3.connect(path, isolation_level=None) if version < CHECKSUMS_SINCE else None
    if db is None:
        return _same_program_goes_on(path, version)
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] > version:
            return False
        db.execute("UPDATE gateway SET uptime = uptime + 1, wall = wall + 1, clean = 0")
        db.execute("UPDATE orders SET location = 'moved' WHERE cleared IS NULL")
        db.execute("UPDATE listeners SET cursor = cursor + 1, delivered = delivered + 1")
        db.execute("UPDATE gateway SET clean = 1")
    finally:
        db.close()
    return True


def _same_program_goes_on(path: Path, version: int) -> bool:
    db = pages.connect(str(path))
    try:
        if int(db.pragma("user_version")) > version:
            return False
        db.execute("UPDATE orders SET location = 'moved' WHERE cleared IS NULL; UPDATE gateway SET clean = 1").get  # noqa: B018
    finally:
        db.close()
    return True
