"""What is done to a store while it is recorded: days of work, and the moments that are dangerous."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import apsw

from tests.crashstates.notes import Replaced
from tests.crashstates.till import Till
from ttgateway.orders.order import ClearedReason, OrderType
from ttgateway.settings import Journal as Limits
from ttgateway.store import opening, pages
from ttgateway.store.copies import restore
from ttgateway.store.damage import salvage

CHECKSUMS_SINCE = 3
"""The schema from which on a store's pages have checksums."""

MEANWHILE = 50
"""Points of the log between a restore and the next start: the power may well be cut there."""

FEW = Limits(keep_days=1, keep_changes=40, keep_pending=60, history_days=1)

ALL = Limits()

SOME = Limits(keep_changes=150, keep_pending=150)


def work(till: Till, steps: int) -> None:
    """Do what a gateway does, in an order that chance decides."""
    for _ in range(steps):
        _step(till)
        till.pass_time(till.random.choice((0.0, 0.01, 0.2)))
    till.pass_time(0.1)


def _step(till: Till) -> None:
    random = till.random
    kind = random.choices(
        ("order", "burst", "deliver", "park", "register", "unregister", "issue", "revoke", "set", "checkpoint"),
        (50, 10, 25, 4, 3, 1, 3, 2, 3, 2),
    )[0]
    known = sorted(till.listeners)
    if kind == "order":
        _order(till)
    elif kind == "burst":
        till.slowly(partial(_orders, till, random.randint(2, 8)))
    elif kind in ("deliver", "park") and known:
        till.deliver(random.choice(known), kind == "park")
    elif kind == "register":
        till.register(random.randint(2, 6))
    elif kind == "unregister" and len(known) > 2:
        till.unregister(random.choice(known))
    elif kind == "issue":
        till.issue_token()
    elif kind == "revoke" and till.tokens:
        till.revoke_token(random.choice(till.tokens))
    elif kind == "set":
        till.set(random.choice(("timezone", "target", "theme")), str(random.random()))
    elif kind == "checkpoint":
        till.checkpoint(random.choice(("PASSIVE", "FULL", "RESTART")))


def _orders(till: Till, number: int) -> None:
    for _ in range(number):
        _order(till)


def _order(till: Till) -> None:
    orders, random = till.orders, till.random
    name = str(random.randint(1, 15))
    active = [order.name for order in orders.all()]
    kind = random.random()
    if name in active and kind < 0.3:
        till.order(lambda at: orders.clear(name, ClearedReason.TRACKER, at))
    elif name in active and kind < 0.5:
        till.order(lambda at: orders.page(name, at))
    else:
        till.order(lambda at: orders.post(name, OrderType.ON_PREMISE, str(random.randint(1, 99)), at))


def first_day(till: Till) -> None:
    """A store is made, used, stopped, and opened again."""
    till.open()
    work(till, 60)
    till.stop()
    till.open()
    work(till, 10)


def long_day(till: Till) -> None:
    """So much is written that SQLite puts the log into the file by itself, and begins it anew, more than once."""
    till.open()
    for _ in range(3):
        work(till, 150)
        till.upkeep()


def many_days(till: Till) -> None:
    """Many processes, some of which end cleanly; the file is trimmed, and backups are made of it."""
    for _ in range(12):
        till.open()
        work(till, till.random.randint(0, 20))
        if till.random.random() < 0.6:
            till.upkeep()
        till.pass_time(till.random.choice((0.0, 50_000.0)))
        if till.random.random() < 0.5:
            till.stop()
        else:
            till.kill()


def short_days(till: Till) -> None:
    """Many processes with little to write, each of which is killed: what is torn lies at the head of the log."""
    for _ in range(15):
        till.open()
        for _ in range(till.random.randint(1, 3)):
            _order(till)
        till.kill()


def full_disk(till: Till) -> None:
    """Commits fail while they are written, in between others."""
    till.open()
    for number in range(20):
        work(till, 5)
        error = apsw.FullError("planted") if number % 2 else apsw.IOError("planted")
        partly = number % 3 == 0
        till.recording.fail("xWrite", error, ending="-wal", after=till.random.randint(0, 2), times=1, partly=partly)
        _order(till)
        till.recording.mend()
        till.pass_time(1.5)


def upgrade(till: Till) -> None:
    """A file of an older gateway is opened for the first time, used, and opened again."""
    till.open()
    work(till, 5)
    till.stop()
    till.open()


def recovery(till: Till) -> None:
    """A damaged file is opened, and what could be saved is used."""
    till.open()
    work(till, 5)


def going_back(till: Till) -> None:
    """A backup is restored, and what was restored is used."""
    directory = till.recording.directory
    restore.restore(directory, directory / "backups" / "1.db", till.clock.boot, till.clock.now(), opening.schema())
    for _ in range(MEANWHILE):
        till.recording.note(Replaced())
    till.open()
    work(till, 5)


@dataclass(frozen=True)
class Scenario:
    """What lies in a directory at first, and what is then done. ``weight`` is its share of the states.

    ``fresh``: there is no store at first; ``damaged``: there is one that a recovery must be made of; ``replaced``:
    another store is put in its place.
    """

    prepare: Callable[[Till], None]
    run: Callable[[Till], None]
    weight: int
    fresh: bool = False
    damaged: bool = False
    replaced: bool = False
    limits: Limits = ALL


def _nothing(till: Till) -> None:
    """There is no store yet."""


def _used(till: Till) -> None:
    till.open()
    work(till, 60)
    till.upkeep()
    work(till, 20)
    till.stop()


def _older(till: Till, version: int, killed: bool) -> None:
    """Leave a file of an older schema, with what a present store has that the older one knew, too."""
    _used(till)
    directory = till.recording.directory
    present = apsw.Connection(str(directory / opening.FILE))
    file = directory / "older.db"
    older = apsw.Connection(str(file), vfs="recording") if version < CHECKSUMS_SINCE else pages.connect(str(file))
    older.pragma("journal_mode", "WAL")
    for step in opening.schema()[:version]:
        older.execute(step)
    older.pragma("user_version", version)
    with older:
        for table in ("gateway", "listeners", *salvage.SOUND):
            names = sorted(salvage._columns(present, table) & salvage._columns(older, table))
            rows = present.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall() if names else []  # noqa: S608
            marks = ", ".join("?" * len(names))
            older.executemany(f"REPLACE INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)  # noqa: S608
        older.execute("UPDATE gateway SET clean = ?", (not killed,))
    present.close()
    if killed:
        opening.leave(older)
    else:
        older.close()
    shutil.rmtree(directory / "backups")
    for beside in ("", "-wal"):
        (directory / (opening.FILE + beside)).unlink(missing_ok=True)
        if (directory / f"older.db{beside}").exists():
            (directory / f"older.db{beside}").rename(directory / (opening.FILE + beside))


def _damaged(till: Till, backup: bool) -> None:
    """Leave a file in which a page of the journal was damaged while it lay there."""
    _used(till)
    directory = till.recording.directory
    if not backup:
        shutil.rmtree(directory / "backups")
    path = directory / opening.FILE
    data = bytearray(path.read_bytes())
    db = apsw.Connection(str(path))
    page = int(db.execute("SELECT pageno FROM dbstat WHERE name = 'changes' AND pagetype = 'leaf' LIMIT 1").get)
    db.close()
    at = page * 4096 - 100
    data[at] ^= 0x10
    path.write_bytes(data)


SCENARIOS = {
    "first-day": Scenario(_nothing, first_day, 25, fresh=True),
    "long-day": Scenario(_used, long_day, 15, limits=SOME),
    "many-days": Scenario(_used, many_days, 30, limits=FEW),
    "short-days": Scenario(_nothing, short_days, 15, fresh=True),
    "full-disk": Scenario(_used, full_disk, 6),
    "upgrade-1": Scenario(partial(_older, version=1, killed=False), upgrade, 6),
    "upgrade-2": Scenario(partial(_older, version=2, killed=True), upgrade, 6),
    "going-back": Scenario(_used, going_back, 6, replaced=True),
    "recovery": Scenario(partial(_damaged, backup=False), recovery, 6, damaged=True),
    "recovery-backup": Scenario(partial(_damaged, backup=True), recovery, 6, damaged=True),
}
