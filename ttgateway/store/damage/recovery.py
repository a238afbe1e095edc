"""A damaged store: its files are moved aside, what can be read is saved, and nobody is told that nothing happened."""

import contextlib
import shutil
import uuid
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path

import apsw
import msgspec

from ttgateway.orders.change import ChangeType, change_of
from ttgateway.orders.moment import Moment
from ttgateway.store import age
from ttgateway.store.copies.copying import sync
from ttgateway.store.damage.retold import retell
from ttgateway.store.damage.salvage import opened_as_it_is, salvage, sound_orders
from ttgateway.store.damage.soundness import DamagedStoreError, verify
from ttgateway.store.disk import BACKUPS, numbered
from ttgateway.store.opening import FILE, StoreUnusable, close, open_file
from ttgateway.store.tables import orders, preferences
from ttgateway.store.tables.entry import COLUMNS, entry_of

MOST_KEPT = 3
"""How many damaged stores are kept for inspection."""

SEQ_MARGIN = 10_000
"""How far the seq jumps: above all that was ever told, although the newest changes may be unreadable."""

UNLIKELY = 1 << 50
"""No gateway comes to such a seq: it is a flipped bit."""

CORRUPT = "corrupt"
RESCUED = "rescued.db"
UNFINISHED = "unfinished"


def check_finished(directory: Path) -> None:
    """Raise `DamagedStoreError` where a recovery was interrupted: what lies there is not what was saved."""
    aside = newest(directory / CORRUPT)
    if aside is not None and (aside / UNFINISHED).exists():
        raise DamagedStoreError("its recovery was interrupted")


def recover(directory: Path, boot: str, now: Moment, zone: tzinfo, steps: Sequence[str], why: str) -> apsw.Connection:
    """Return a store that serves in place of the damaged one in ``directory``.

    The newest good backup serves, or else a fresh file; every readable row of the damaged file is brought over; the
    journal gets a new epoch, and each listener is due a snapshot. ``why`` is kept for the operator. The new file gets
    its name when it is complete; until then the next start recovers anew.
    """
    aside = set_aside(directory, CORRUPT)
    source = opened_as_it_is(aside / FILE)
    was = _last_known(source)
    then = was or _Known(None, boot, now.uptime, now.wall, UNLIKELY)
    rescued = directory / RESCUED
    _restore(directory, rescued, then, steps)
    connection = open_file(str(rescued), then.boot, then.moment(), steps)
    with connection:
        saved = salvage(source, connection)
        connection.execute(
            "UPDATE gateway SET id = coalesce(?, id), damage = ?",
            (then.id, f"{why}; the damaged files are in {aside}; {saved}"),
        )
        trimmed = max(then.trimmed, int(connection.execute("SELECT trimmed FROM gateway").get))
        retell(connection, sound_orders(str(aside / FILE)), then.moment(), trimmed)
        renew(connection)
        if was is None:  # of which boot the ages were is not known
            age.guess(connection, now)
        _complete(connection, then.moment(), preferences.zone(connection, zone))
    close(connection, then.moment())
    rescued.rename(directory / FILE)
    sync(directory)  # or the mark might be gone after a power cut, and the store too
    (aside / UNFINISHED).unlink()
    sync(aside)  # or the next start might recover anew, over what is written from now on
    return open_file(str(directory / FILE), boot, now, steps)


class _Known(msgspec.Struct, frozen=True):
    """Which gateway a store was of, and when it was last written: on this scale are the ages of its orders.

    Up to ``trimmed`` its journal has forgotten what has ended.
    """

    id: str | None
    boot: str
    uptime: float
    wall: float
    trimmed: int

    def moment(self) -> Moment:
        return Moment(wall=self.wall, uptime=self.uptime)


def _last_known(source: apsw.Connection | None) -> _Known | None:
    if source is None:
        return None
    try:
        row = source.execute(f"SELECT {', '.join(_Known.__struct_fields__)} FROM gateway").get  # noqa: S608
        return msgspec.convert(dict(zip(_Known.__struct_fields__, row, strict=True)), _Known) if row else None
    except (apsw.Error, ValueError):
        return None


def set_aside(directory: Path, kept_in: str) -> Path:
    """Move the store's files to ``<kept_in>/<number>`` (the clock may be wrong: no date) and return that folder.

    It is marked as `UNFINISHED` until something serves in their place; the newest `MOST_KEPT` such folders stay.
    """
    folder = directory / kept_in
    folder.mkdir(exist_ok=True)
    aside = newest(folder)
    if aside is None or not (aside / UNFINISHED).exists():
        marked = folder / "new"
        marked.mkdir(exist_ok=True)
        (marked / UNFINISHED).touch()
        aside = marked.rename(folder / str(int(aside.name) + 1 if aside else 1))  # never a folder without its mark
    for path in directory.glob(f"{FILE}*"):
        if not (aside / path.name).exists():
            path.rename(aside / path.name)
    for old in numbered(folder)[:-MOST_KEPT]:
        shutil.rmtree(old)
    return aside


def newest(folder: Path) -> Path | None:
    """Return the folder with the highest number in ``folder``; ``None`` where there is none."""
    return next(reversed(numbered(folder)), None)


def renew(connection: apsw.Connection, elsewhere: int = 0) -> None:
    """Let a journal that lost or forgot something be another one: so that nobody takes it for what it was told.

    It gets a new epoch, and a ``seq`` above all that can have been told, by what it holds itself and what was found
    ``elsewhere``; each listener is due a snapshot, and waits for as many changes as before: in between there are none.
    """
    last = told(connection)
    highest = max(last, elsewhere) + SEQ_MARGIN
    jump = highest - last
    connection.execute("UPDATE gateway SET epoch = ?, trimmed = ?", (uuid.uuid4().hex[:12], highest))
    connection.execute(
        "UPDATE listeners SET snapshot_due = 1, base = base + ?, cursor = min(cursor + ?, ?)", (jump, jump, highest)
    )


def _restore(directory: Path, target: Path, then: _Known, steps: Sequence[str]) -> None:
    """Write the newest backup that is sound to ``target``, if there is one."""
    _remove(target)
    for backup in reversed(numbered(directory / BACKUPS, ".db")):
        target.touch(mode=0o600)  # before there is anything in it
        shutil.copyfile(backup, target)
        with contextlib.suppress(DamagedStoreError, StoreUnusable):
            connection = open_file(str(target), then.boot, then.moment(), steps)
            try:
                verify(connection)
                return
            finally:
                connection.close()
        _remove(target)


def _remove(store: Path) -> None:
    for path in store.parent.glob(f"{store.name}*"):
        path.unlink()


def told(connection: apsw.Connection) -> int:
    """Return the highest seq that any row knows of that can be read: no higher one can have been told."""
    seqs = [0]
    for column, table in _SEQS:
        query = f"SELECT coalesce(max({column}), 0) FROM {table} WHERE {column} < ?"  # noqa: S608
        with contextlib.suppress(apsw.Error):
            seqs.append(int(connection.execute(query, (UNLIKELY,)).get))
    return max(seqs)


_SEQS = (("trimmed", "gateway"), ("seq", "changes"), ("cursor", "listeners"), ("seq", "orders"), ("seq", "parked"))


def _complete(connection: apsw.Connection, now: Moment, zone: tzinfo) -> None:
    """Leave one active order a name, and each with a newest change: a snapshot is made of these."""
    connection.execute(
        "UPDATE orders SET state = 'cleared', cleared = ?, cleared_reason = 'AUTOMATIC'"
        " WHERE cleared IS NULL AND EXISTS (SELECT 1 FROM orders AS newer"
        " WHERE newer.name = orders.name AND newer.cleared IS NULL AND newer.seq > orders.seq)",
        (now.wall,),
    )
    standing = orders.standing(connection).orders
    have = {row[0] for row in connection.execute("SELECT seq FROM changes")}
    for order in standing:
        if order.seq not in have:
            entry = entry_of(change_of(order, ChangeType.MODIFIED, now, zone), now.wall)
            connection.execute(f"INSERT OR IGNORE INTO changes ({COLUMNS}) VALUES (?,?,?,?,?,?)", entry.row())  # noqa: S608
