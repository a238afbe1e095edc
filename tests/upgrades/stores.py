"""Stores of each version of the schema, with the same real rows in them, as a stop or a kill leaves them."""

import shutil
from pathlib import Path
from typing import Any

import apsw

from tests.store.files import Shop, clock_at, listener, progress, shop_in
from tests.support import FakeClock, result_of
from ttgateway.store import opening, pages
from ttgateway.store.opening import CHECKSUMS_SINCE, FILE
from ttgateway.store.tables import listeners, preferences, tokens
from ttgateway.store.tables.listeners import Parked
from ttgateway.store.tables.tokens import Token, digest

ORDERS = 60
TABLES = ("orders", "changes", "listeners", "parked", "tokens", "settings")

Rows = dict[str, list[dict[str, Any]]]


def traded(shop: Shop, first: int, orders: int) -> None:
    """Start, move, page and clear orders; every third stays active."""
    for number in range(first, first + orders):
        shop.post(str(number), "5" if number % 2 else "")
        if number % 4 == 0:
            shop.page(str(number))
        if number % 3:
            shop.clear(str(number))
        shop.clock.timers.advance(1.0)


def filled(directory: Path, clock: FakeClock) -> Shop:
    """Return an open store of ours with rows in every table."""
    directory.mkdir(parents=True, exist_ok=True)
    shop = shop_in(directory, clock)
    for number, cursor in ((1, 0), (2, 25), (3, 90)):
        shop.store.write(listeners.saving(listener(number, secret="whsec_AAAA"), progress(cursor)))
    for name in ("till", "display"):
        shop.store.write(tokens.saving(Token(hash=digest(name), name=name, kind="token", created=1.0)))
    shop.store.write(preferences.saving({"timezone": "Europe/Vienna"}))
    traded(shop, 1, ORDERS)
    parked = Parked(listener="listener-2", seq=7, at=5.0, cause="404", body=b"{}")
    shop.store.cursors.parked(parked, progress(25))
    result_of(shop.store.write(lambda db: None))
    return shop


def rows(db: apsw.Connection) -> Rows:
    """Return every row of the tables that outlive an upgrade, by their columns."""
    found: Rows = {}
    for table in TABLES:
        names = [str(row[0]) for row in db.execute("SELECT name FROM pragma_table_info(?) ORDER BY name", (table,))]
        query = f"SELECT {', '.join(names)} FROM {table}"  # noqa: S608
        found[table] = (
            sorted((dict(zip(names, row, strict=True)) for row in db.execute(query)), key=repr) if names else []
        )
    return found


def make(folder: Path, version: int, *, clean: bool) -> None:
    """Make a state directory with a store of this version of the schema, closed in order or left by a kill."""
    clock, scratch = clock_at(), folder / "scratch"
    shop = filled(scratch, clock)
    result_of(shop.store.stop())
    source = pages.connect(str(scratch / FILE))
    older = scratch / "older"
    older.mkdir()
    db = _connected(older / FILE, version)
    _downgrade(source, db, version, clean=clean)
    source.close()
    if clean:
        db.close()
    for path in older.glob(f"{FILE}*"):
        shutil.copy(path, folder / path.name)
    db.close()
    shutil.rmtree(scratch)


def _connected(path: Path, version: int) -> apsw.Connection:
    """Open a new file as a gateway of that version did."""
    db = pages.connect(str(path)) if version >= CHECKSUMS_SINCE else apsw.Connection(str(path))
    db.execute("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 20").get  # noqa: B018
    return db


def _downgrade(source: apsw.Connection, db: apsw.Connection, version: int, *, clean: bool) -> None:
    with db:
        for step in opening.schema()[:version]:
            db.execute(step).get  # noqa: B018
        db.pragma("user_version", version)
    for table in ("gateway", *TABLES):
        columns = "SELECT name FROM pragma_table_info(?)"
        names = sorted(
            {row[0] for row in db.execute(columns, (table,))} & {row[0] for row in source.execute(columns, (table,))}
        )
        for row in source.execute(f"SELECT {', '.join(names)} FROM {table}") if names else ():  # noqa: S608
            db.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", row)  # noqa: S608
    db.execute("UPDATE gateway SET clean = ?, id = 'the-gateway', epoch = 'the-journal'", (int(clean),)).get  # noqa: B018
