"""Stores as a gateway leaves them behind, after a clean stop or a kill, and all that was acknowledged in them."""

import itertools
import shutil
from dataclasses import dataclass
from pathlib import Path

import apsw

from tests.store.files import Shop, clock_at, listener, progress, shop_in
from tests.support import result_of
from ttgateway.store import opening
from ttgateway.store.opening import FILE
from ttgateway.store.tables import listeners, preferences, tokens
from ttgateway.store.tables.entry import COLUMNS
from ttgateway.store.tables.tokens import Token, digest

ORDERS = 40
DELIVERED = 20
"""Up to this seq the slowest listener was told."""

QUERIES = {
    "changes": f"SELECT {COLUMNS} FROM changes ORDER BY seq",  # noqa: S608
    "orders": "SELECT uuid, name, type, location, state, started, seq, cleared, paged FROM orders ORDER BY uuid",
    "listeners": "SELECT id, url, api, secret, events, catch_up, base, cursor FROM listeners ORDER BY id",
    "tokens": "SELECT hash, name, kind, created FROM tokens ORDER BY hash",
    "parked": "SELECT listener, seq, cause, body FROM parked ORDER BY seq",
    "settings": "SELECT key, value FROM settings ORDER BY key",
}
"""Everything that was acknowledged."""

Rows = dict[str, list[tuple[object, ...]]]


@dataclass
class Left:
    """A directory that was left behind; ``last`` is what was acknowledged in the transaction that came last."""

    name: str
    directory: Path
    epoch: str
    rows: Rows
    before_last: Rows
    clean: bool
    indexed: bool = True
    large: bool = False  # it counts as too large to be checked whole at each start

    def put(self, directory: Path) -> None:
        """Make ``directory`` what was left behind."""
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(self.directory, directory, ignore=shutil.ignore_patterns("ballast"))
        (directory / "ballast").hardlink_to(self.directory / "ballast")


def rows_of(db: apsw.Connection) -> Rows:
    """Return everything in the store."""
    return {table: list(db.execute(query)) for table, query in QUERIES.items()}


def all_left(folder: Path) -> list[Left]:
    """Make one store of each kind."""
    killed = _killed(folder / "killed", put_into_the_file=False)
    settled = _killed(folder / "settled", put_into_the_file=True)
    settled.name = "killed, most of the log in the file"
    cut = _killed(folder / "cut", put_into_the_file=False)
    (cut.directory / f"{FILE}-shm").unlink()
    cut.name, cut.indexed = "power cut, without the log's index", False
    stopped, large = _stopped(folder / "stopped"), _stopped(folder / "large")
    large.name, large.large = "clean stop of a large file", True
    return [stopped, large, killed, settled, cut]


def _stopped(directory: Path) -> Left:
    directory.mkdir(parents=True)
    shop = _filled(directory)
    epoch = shop.store.epoch
    result_of(shop.store.stop())
    rows = _read(directory / FILE)
    return Left("clean stop", directory, epoch, rows, rows, clean=True)


def _killed(directory: Path, *, put_into_the_file: bool) -> Left:
    alive = directory.with_name(f"{directory.name}-alive")
    alive.mkdir(parents=True)
    shop = _filled(alive)
    if put_into_the_file:
        db = opening.connect(str(alive / FILE))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        _more(shop, 3)
    before = _read(alive / FILE)
    shop.post("last", "9")
    rows = _read(alive / FILE)
    shutil.copytree(alive, directory)
    result_of(shop.store.stop())
    return Left("kill", directory, shop.store.epoch, rows, before, clean=False)


def _filled(directory: Path) -> Shop:
    shop = shop_in(directory, clock_at())
    store = shop.store
    for number, cursor in ((1, DELIVERED), (2, 2 * DELIVERED)):
        store.write(listeners.saving(listener(number), progress(cursor=cursor)))
    store.write(tokens.saving(Token(hash=digest("s"), name="till", kind="token", created=1.0)))
    store.write(preferences.saving({"timeZone": "UTC", "pagingMode": "x"}))
    _more(shop, ORDERS // 2)
    result_of(store.upkeep.round())  # the first makes a backup
    _more(shop, ORDERS - ORDERS // 2)
    return shop


_names = itertools.count(1)


def _more(shop: Shop, orders: int) -> None:
    for _ in range(orders):
        name = str(next(_names))
        shop.post(name)
        shop.post(name, "7")
        if int(name) % 10:
            shop.clear(name)


def _read(path: Path) -> Rows:
    db = opening.connect(str(path))
    try:
        return rows_of(db)
    finally:
        opening.leave(db)
