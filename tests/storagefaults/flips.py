"""Closed stores whose files are damaged by chance, thousands of them, each opened by the real code."""

import random
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import msgspec

from tests.storagefaults.damages import KINDS, TARGETS, damage
from tests.storagefaults.stores import QUERIES, Left, Rows, all_left, rows_of
from tests.store.files import clock_at, shop_in
from tests.support import result_of
from ttgateway.refusals import NotNow
from ttgateway.store.damage import soundness
from ttgateway.store.opening import StoreUnusable
from ttgateway.store.store import Store

INTACT, TOLD, FOUND = "intact", "told at the start", "found when read, and told at the start after"


@dataclass
class Counts:
    """How many cases ended in which way, by what was left and how it was damaged, and those that broke the promise."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    cases: int = 0


class BrokenPromise(Exception):
    """What was acknowledged is gone, or not what was written, and nobody was told."""


def run(seed: int, seconds: float, only: int | None = None) -> Counts:
    """Damage and open for so many seconds; or only the case with this number."""
    counts = Counts()
    folder = Path(tempfile.mkdtemp(prefix="ttgateway-flips-", dir="/dev/shm"))  # many small files, in memory
    try:
        left = all_left(folder / "left")
        ends = time.monotonic() + seconds
        number = 0 if only is None else only
        while time.monotonic() < ends and len(counts.failures) < 10:
            _case(folder / "case", left, f"{seed}/{number}", counts)
            number += 1
            if only is not None:
                break
    finally:
        shutil.rmtree(folder)
    return counts


def _case(directory: Path, left: list[Left], name: str, counts: Counts) -> None:
    chance = random.Random(name)  # noqa: S311
    store = chance.choice(left)
    kind, target = chance.choice(list(KINDS)), chance.choice(list(TARGETS))
    lost_log = not store.indexed and kind in ("truncated", "zeros")  # without its index nobody can tell how far it went
    if store.large and kind == "swapped":  # each page has its checksum, and nobody reads them all
        kind = "bits"
    if target in ("log", "both") and (store.clean or lost_log):  # a clean stop leaves no log
        target = "file"
    store.put(directory)
    done = damage(chance, directory, kind, target)
    counts.cases += 1
    try:
        counts.ended[(store.name, _outcome(directory, store))] += 1
    except Exception as error:  # a traceback is a broken promise as well
        counts.failures.append(f"case {name.partition('/')[2]}, {store.name}: {done}: {type(error).__name__}: {error}")


def _outcome(directory: Path, left: Left) -> str:
    """Open the store, and read all of it; return in which way it has kept the promise."""
    try:
        with mock.patch.object(soundness, "CHECKED_EACH_TIME", 0 if left.large else soundness.CHECKED_EACH_TIME):
            store = shop_in(directory, clock_at()).store
    except StoreUnusable as error:
        raise BrokenPromise(f"the gateway does not start: {error}") from error
    try:
        if store.damage:
            _check_told(store, directory, left)
            return TOLD
        if _read_all(store, left):
            return INTACT
    finally:
        result_of(store.stop())
    if not left.large:
        raise BrokenPromise("the start has not seen it")
    store = shop_in(directory, clock_at()).store
    try:
        _check_told(store, directory, left)
    finally:
        result_of(store.stop())
    return FOUND


def _read_all(store: Store, left: Left) -> bool:
    """Compare all that can be read with what was acknowledged; return whether all can be."""
    for table, query in QUERIES.items():
        try:
            rows = result_of(store.read(lambda db, query=query: list(db.execute(query))))  # type: ignore[misc]
        except NotNow:
            if not store.findings.damaged or not store.damage:
                raise BrokenPromise("damaged pages were read, and nobody is told") from None
            return False
        # After a power cut nobody can tell a last transaction that is torn from one that was damaged.
        if rows != left.rows[table] and (left.indexed or rows != left.before_last[table]):
            raise BrokenPromise(f"{table} differ: {_difference(rows, left.rows[table])}")
    return True


def _check_told(store: Store, directory: Path, left: Left) -> None:
    """Fail unless the store says that it was damaged, in every way; and what it has is what was written."""
    if not store.damage or not list((directory / "corrupt").glob("*/*")):
        raise BrokenPromise("nothing is said of the damage")
    if store.epoch == left.epoch or not all(how_far.snapshot_due for _, how_far in store.listeners):
        raise BrokenPromise("no new epoch, or a listener without a snapshot")
    if store.journal.last <= left.rows["changes"][-1][0]:  # type: ignore[operator]
        raise BrokenPromise("a seq may be given out again")
    _check_rows(result_of(store.read(rows_of)), left.rows)


def _check_rows(rows: Rows, written: Rows) -> None:
    """Fail where there is something that was never written. (A change that was lost is made anew of its order.)"""
    known = {row[0]: row for row in written["changes"]}
    for row in rows["changes"]:
        if row != known.get(row[0]) and (row[0] not in known or _tells(row) != _tells(known[row[0]])):
            raise BrokenPromise(f"a change that was never made: {row!r}")
    tells = {_tells(row) for row in written["changes"]}
    if strange := [order for order in rows["orders"] if tuple(order[n] for n in (6, 0, 1, 4, 3)) not in tells]:
        raise BrokenPromise(f"orders as no change has told them: {strange[:3]}")
    settings = {row[0]: row[1] for row in written["settings"]}
    if any(settings.get(key, value) != value for key, value in rows["settings"]):  # nobody asks for other keys
        raise BrokenPromise(f"settings that nobody made: {rows['settings']}")
    if strange := [row for row in rows["parked"] if row not in written["parked"]]:
        raise BrokenPromise(f"parked changes that were never written: {strange}")
    # A secret's hash in which a bit has changed is that of no secret: it opens nothing, to nobody.
    kinds = {row[0]: row[2] for row in written["tokens"]}
    if strange := [row for row in rows["tokens"] if row[2] != kinds.get(row[0], row[2])]:
        raise BrokenPromise(f"tokens of another kind than was written: {strange}")
    urls = {row[1] for row in written["listeners"]}
    if not {row[1] for row in rows["listeners"]} <= urls:
        raise BrokenPromise("a listener that never registered")


def _tells(change: tuple[object, ...]) -> tuple[object, ...]:
    body = change[4]
    assert isinstance(body, bytes)
    fields = msgspec.json.decode(body)
    return tuple(fields[name] for name in ("seq", "uuid", "name", "state", "locationName"))


def _difference(rows: list[tuple[object, ...]], written: list[tuple[object, ...]]) -> str:
    missing = [row for row in written if row not in rows]
    strange = [row for row in rows if row not in written]
    return f"{len(missing)} missing, {len(strange)} strange, such as {(missing + strange)[:1]}"
