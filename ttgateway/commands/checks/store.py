"""The store: does it open, is its schema one that we know, is all of it what was written?

Of a running gateway only it can tell. The file of one that does not run is read here, under the gateway's own lock,
whole, and without a write: after an unclean stop through its log, which only its owner may do.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec

from ttgateway.commands.checks.finding import Findings, fault, ok
from ttgateway.openings import Entries, load
from ttgateway.store import opening, pages
from ttgateway.store.copies.contents import Contents, NoDatabase, checked, look
from ttgateway.store.damage.findings import noted_damage
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.disk import BACKUPS
from ttgateway.store.opening import StoreUnusable
from ttgateway.store.tables import listeners

PART = "store"

_SEEN = "ttgateway damage shows it, ttgateway damage --seen lets the health be well again"
_MENDS = (
    "Start the gateway: it saves what can be read, beside its newest backup, and keeps the damaged file in corrupt/."
    " Look at the disk: dmesg, smartctl"
)


class Kept(msgspec.Struct, frozen=True):
    """What the store of a gateway that does not run knows: its id, when it was written (Unix time), whom it tells."""

    id: str
    wall: float
    urls: tuple[str, ...]
    opened: Entries


def told(view: dict[str, Any]) -> Findings:
    """Return what the running gateway says of its store."""
    status = view["status"]
    if status["check"]["store"] == "mending":
        do = "Look at the disk and at the gateway's log: journalctl -u ttgateway"
        return [fault(PART, "the last commit failed, or the file cannot be read; that is tried each second", do)]
    if status["damage"]:
        return [fault(PART, f"it has lost something: {status['damage']}", _SEEN)]
    return [ok(PART, f"sound wherever it was read; seq {status['lastSeq']} was the last change")]


def read(state_dir: Path) -> tuple[Findings, Kept | None]:
    """Return what is found of the store of a gateway that does not run, and what it knows. Blocks."""
    path = state_dir / opening.FILE
    if not path.exists():
        return _nothing(state_dir), None
    try:
        path.open("rb").close()  # SQLite does not say why it cannot
        with _still(state_dir), _opened(path) as (db, contents):
            return _sound(db, contents), _kept(db, contents)
    except _InUse:
        do = "Look at its log; if it hangs, restart it: systemctl restart ttgateway"
        return [fault(PART, "a gateway holds the state directory, but does not answer on its control socket", do)], None
    except DamagedStoreError as error:
        return [fault(PART, f"{path} is damaged: {error}", _MENDS)], None
    except NoDatabase:
        return [fault(PART, f"{path} is damaged: it is no store of a ttgateway any more", _MENDS)], None
    except IsADirectoryError:
        do = f"Move it away: mv {path} {state_dir / 'moved-away'}; then restore a copy: ttgateway restore FILE"
        return [fault(PART, f"{path} is a directory", do)], None
    except StoreUnusable as error:
        return [fault(PART, str(error), _way_out(state_dir, error))], None
    except (apsw.Error, OSError) as error:
        if pages.is_damage(error):
            return [fault(PART, f"{path} is damaged: {error}", _MENDS)], None
        why = str(getattr(error, "strerror", None) or error).lower()
        return [fault(PART, f"{path} cannot be read: {why}", f"chmod 600 {path}, or run this as its owner")], None


def held(state_dir: Path) -> tuple[Findings, bool]:
    """Tell whether a gateway, or a command like this, holds the state directory, or may for all that we can see."""
    try:
        with _still(state_dir):
            return [], False
    except (_InUse, OSError):
        return [], True


class _InUse(Exception):
    """A gateway runs, or a command like this."""


@contextlib.contextmanager
def _still(state_dir: Path) -> Iterator[None]:
    """Keep gateways from the store meanwhile; no file is made for that. Raises `_InUse`."""
    try:
        held = os.open(state_dir / opening.LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # none has ever run
        yield
        return
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            raise _InUse from None
        yield
    finally:
        os.close(held)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[apsw.Connection, Contents]]:
    """Give a connection to the store, and what it holds, once all of it was checked."""
    log = path.with_name(f"{path.name}-wal")
    if not (log.exists() and log.stat().st_size):
        contents = look(path, opening.schema())
        with contextlib.closing(pages.connect_unchanging(path)) as look_only:
            if contents.schema < opening.CHECKSUMS_SINCE:
                pages.read_unverified(look_only)
            yield look_only, contents
        return
    if path.stat().st_uid != os.geteuid():  # what SQLite makes beside it would be another's
        raise PermissionError(1, "after an unclean stop only its owner can look at it")
    no_checksums, db = opening.has_no_checksums(str(path)), pages.connect(str(path))
    try:
        if no_checksums:
            pages.read_unverified(db)
        yield db, checked(db, path, opening.schema())
    finally:
        opening.leave(db)


def _nothing(state_dir: Path) -> Findings:
    if (state_dir / BACKUPS).is_dir():
        do = f"ttgateway restore {state_dir / BACKUPS / 'N.db'}, with the newest N; or name another --state-dir"
        return [fault(PART, f"{state_dir / opening.FILE} is missing, but there are backups of it", do)]
    return [ok(PART, "there is none yet: the first start makes it")]


def _sound(db: apsw.Connection, contents: Contents) -> Findings:
    newest = len(opening.schema())
    if contents.schema < newest:
        what = f"schema {contents.schema}: the next start upgrades it to {newest}, and keeps a copy"
        return [ok(PART, what)]
    lost = noted_damage(db)
    if lost:
        return [fault(PART, f"it has lost something: {lost}", _SEEN)]
    return [ok(PART, f"every page and row is sound; schema {contents.schema}, seq {contents.seq} was the last change")]


def _kept(db: apsw.Connection, contents: Contents) -> Kept | None:
    if contents.schema < len(opening.schema()):
        return None
    wall = float(db.execute("SELECT wall FROM gateway").get)
    urls = tuple(listener.url for listener, _ in listeners.load(db))
    return Kept(id=contents.id, wall=wall, urls=urls, opened=load(db))


def _way_out(state_dir: Path, error: StoreUnusable) -> str:
    if error.code == opening.NEWER:
        copies = sorted(state_dir.glob("before-schema-*.db"))
        back = f", or go back: ttgateway restore {copies[-1]}" if copies else ""
        return f"Install the newer version again{back}"
    return "Name the gateway's own state directory with --state-dir, or restore a copy: ttgateway restore FILE"
