"""What must be so, wherever a process was killed."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

import apsw
import msgspec

from tests.store.files import clock_at, shop_in
from tests.support import result_of
from tests.upgrades import stores
from tests.upgrades.acts import backed_up
from tests.upgrades.stores import Rows, rows
from ttgateway.store import opening, pages
from ttgateway.store.copies import contents
from ttgateway.store.damage import recovery
from ttgateway.store.opening import FILE

MORE = 20
"""Orders that are traded after an upgrade, to see that an upgraded store behaves as a fresh one."""

NEWEST = len(opening.schema())

OLDER_COPY = b"an older copy"

TOLD = 500
"""The highest seq that a store which is replaced has told of; its copy does not know it."""


def held(path: Path) -> Rows:
    """Return what a store holds, without changing it."""
    copy = path.with_name("looked-at")
    copy.mkdir()
    for beside in path.parent.glob(f"{path.name}*"):
        shutil.copy(beside, copy / beside.name)
    db = pages.connect(str(copy / path.name))
    try:
        pages.read_unverified(db)  # rows are compared here, and an older gateway writes no checksums
        return rows(db)
    finally:
        db.close()
        shutil.rmtree(copy)


def same(before: Rows, after: Rows, *, but: tuple[str, ...] = ()) -> None:
    """Raise unless ``after`` holds all rows of ``before``, in the columns of ``before`` less ``but``, and no others."""
    for table, expected in before.items():
        names = [name for name in (expected[0] if expected else {}) if name not in but]
        wanted = sorted(([row[name] for name in names] for row in expected), key=repr)
        found = sorted(([row[name] for name in names] for row in after[table]), key=repr)
        assert wanted == found, f"{table}: {len(found)} rows are not the {len(wanted)} that were there"


def upgraded(folder: Path, before: Rows, version: int) -> None:
    """The store opens, is as a fresh one, holds all rows, and goes on as a fresh one does."""
    shop = shop_in(folder, clock_at())
    assert shop.store.damage == "", shop.store.damage
    assert not (folder / "corrupt").exists()
    same(before, result_of(shop.store.write(rows)), but=("born",))
    shape = result_of(shop.store.write(form))
    other = [part for part, expected in zip(shape, fresh().form, strict=True) if part != expected]
    assert not other, f"an upgraded file is not as a fresh one: {other}"
    stores.traded(shop, 1_000, MORE)
    told = result_of(shop.store.write(newest_changes))
    if before["changes"] == fresh().rows["changes"]:
        assert told == fresh().changes, "an upgraded store behaves otherwise than a fresh one"
    result_of(shop.store.stop())
    kept = folder / f"before-schema-{NEWEST}.db"
    assert contents.look(kept, opening.schema()).schema == version
    same(before, held(kept))
    assert not list(folder.glob("*.new*"))


def form(db: apsw.Connection) -> tuple[object, ...]:
    """Return all that makes a file's form: its schema and its pragmas."""
    schema = sorted(db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))
    pragmas = ("user_version", "application_id", "page_size", "encoding", "auto_vacuum", "journal_mode")
    columns = [list(db.execute("SELECT * FROM pragma_table_xinfo(?)", (name,))) for _, name, _, _ in schema]
    return schema, columns, [db.pragma(name) for name in pragmas], db.pragma("checksum_verification")


def newest_changes(db: apsw.Connection) -> list[object]:
    """Return what was written of the orders that are traded after an upgrade."""
    return list(db.execute("SELECT * FROM changes ORDER BY seq DESC LIMIT ?", (MORE,)))


def old_or_new(folder: Path, old: Rows, new: Rows) -> None:
    """The store is the old one, whole, or the copy, whole, and then the old one is kept."""
    shop = shop_in(folder, clock_at())
    assert shop.store.damage == "", shop.store.damage
    now = result_of(shop.store.write(rows))
    seq, epoch = shop.store.journal.last, shop.store.epoch
    result_of(shop.store.stop())
    assert not [path.name for path in folder.iterdir() if path.name.startswith("restor")]
    assert not list(folder.glob("replaced/*/unfinished"))
    aside = list(folder.glob("replaced/*"))
    if not aside:
        same(old, now, but=("born",))
        return
    same({**new, "tokens": old["tokens"]}, now, but=("born", "snapshot_due", "base", "cursor"))
    assert seq == TOLD + recovery.SEQ_MARGIN, seq
    assert waits(now, seq) == waits(new, max(row["seq"] for row in new["changes"]))
    assert all(row["snapshot_due"] for row in now["listeners"])
    same(old, held(aside[0] / FILE))
    assert epoch != _epoch(aside[0] / FILE)
    assert [path.name for path in aside] == ["1"]


def waits(store: Rows, last: int) -> list[tuple[object, ...]]:
    """Return of each listener how many changes wait for it, up to ``last``, and how many it has passed."""
    return sorted((row["id"], last - row["cursor"], row["cursor"] - row["base"]) for row in store["listeners"])


def _epoch(path: Path) -> str:
    db = pages.connect(str(path))
    try:
        return str(db.execute("SELECT epoch FROM gateway").get)
    finally:
        opening.leave(db)


def copy_is_whole(folder: Path, before: Rows) -> None:
    """What lies under the name is the older copy or the whole new one; the store is as it was."""
    copy = folder / "copy.db"
    if copy.read_bytes() != OLDER_COPY:
        contents.look(copy, opening.schema())
        same(before, held(copy))
        assert copy.stat().st_mode & 0o777 == 0o600
    shop = shop_in(folder, clock_at())
    assert shop.store.damage == "", shop.store.damage
    same(before, result_of(shop.store.write(rows)), but=("born",))
    result_of(shop.store.stop())
    if list(folder.glob("copy.db?*")):
        backed_up(folder)
        assert not list(folder.glob("copy.db?*"))


def own_copies_are_whole(folder: Path, before: Rows) -> None:
    """Each file that has the name of a copy is a whole one; the store is as it was."""
    for copy in folder.glob("backups/*.db"):
        contents.look(copy, opening.schema())
        same(before, held(copy), but=("born",))
    shop = shop_in(folder, clock_at())
    assert shop.store.damage == "", shop.store.damage
    same(before, result_of(shop.store.write(rows)), but=("born",))
    assert not list(folder.glob("backups/asked*"))
    result_of(shop.store.stop())


class Fresh(msgspec.Struct, frozen=True):
    """A store that was never upgraded: its rows, its form, and what it writes of the orders that are traded later."""

    rows: Rows
    form: tuple[object, ...]
    changes: list[object]


@cache
def fresh() -> Fresh:
    """Return what an upgraded store is compared with."""
    with tempfile.TemporaryDirectory() as folder:
        shop = stores.filled(Path(folder), clock_at())
        before = result_of(shop.store.write(rows))
        result_of(shop.store.stop())
        shop = shop_in(Path(folder), clock_at())
        shape = result_of(shop.store.write(form))
        stores.traded(shop, 1_000, MORE)
        told = result_of(shop.store.write(newest_changes))
        result_of(shop.store.stop())
    return Fresh(before, shape, told)
