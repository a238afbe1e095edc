"""Going back to a copy of the store, in the state directory of a gateway that does not run.

The copy is brought into a folder of its own (``restoring``): checked, upgraded, given another epoch and a ``seq`` above
all that was ever told. When all of it is there and on the disk, the folder is renamed to ``restored``. That decides:
before it, the old store is there, whole; from then on, the new one serves. What is left to do (the old store goes to
``replaced``, the new one gets its name) `finish` does, now or at the next start.
"""

import contextlib
import errno
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import apsw
import msgspec

from ttgateway.orders.moment import Moment
from ttgateway.store import pages
from ttgateway.store.copies.contents import NO_STORE, Contents, checked, store_version
from ttgateway.store.copies.copying import copy, sync
from ttgateway.store.damage import recovery, salvage
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.disk import BACKUPS, numbered
from ttgateway.store.opening import FILE, StoreUnusable, close, open_file
from ttgateway.store.tables import openings

RESTORING = "restoring"
RESTORED = "restored"
REPLACED = "replaced"

_BESIDE = ("", "-wal", "-shm")


class Restored(msgspec.Struct, frozen=True):
    """What came of it.

    ``contents`` is what serves now, and ``was_schema`` the version of the copy. ``aside`` is where the replaced store
    is kept (``None``: there was none), ``lost`` how many of its newest changes are not in the copy (``None``: that
    cannot be told), ``present_tokens`` whether the secrets are those of the replaced store.
    """

    contents: Contents
    was_schema: int
    lost: int | None
    present_tokens: bool
    aside: Path | None = None


def restore(directory: Path, backup: Path, boot: str, now: Moment, steps: Sequence[str]) -> Restored:
    """Put the copy at ``backup`` in the place of the store in ``directory``, under the lock of the directory.

    ``steps`` is our schema, and ``boot`` and ``now`` are as for `open_file`. Raises `StoreUnusable` (no store, newer
    than ours, not readable, no room) and `DamagedStoreError`; the present store is then as it was.
    """
    finish(directory)
    scratch = directory / RESTORING
    try:
        _bring(backup, scratch)
        made = _prepared(directory, scratch / FILE, backup, boot, now, steps)
        for path in (scratch / FILE, scratch):
            sync(path)
        scratch.rename(directory / RESTORED)
    except (DamagedStoreError, StoreUnusable, OSError, apsw.Error) as error:
        raise _judged(error, directory) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    sync(directory)
    return msgspec.structs.replace(made, aside=finish(directory))


def put_back(directory: Path, connection: apsw.Connection) -> None:
    """Let what an open store holds be the store in ``directory``, where its own file has lost its name there.

    What lies in its place goes to ``replaced``, with the log that has no file any more. As with `restore`, a crash
    leaves all of it or what was there. Raises ``OSError``, ``apsw.Error`` and `StoreUnusable`.
    """
    scratch = directory / RESTORING
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    copy(connection, scratch / FILE)
    sync(scratch)
    scratch.rename(directory / RESTORED)
    sync(directory)
    finish(directory)


def _judged(error: Exception, directory: Path) -> Exception:
    """Return what to raise for ``error``: a disk without room must not pass for a copy that cannot be read."""
    full = _of_full_disk(error)
    if full is not None:
        return StoreUnusable(f"{directory}: its disk has no room for the copy ({_told(full)}); make some there", 73)
    if isinstance(error, OSError | apsw.Error):
        return StoreUnusable(f"{directory}: cannot be written: {_told(error)}", 73)
    return error


def _of_full_disk(error: BaseException | None) -> BaseException | None:
    """Return what says of a full disk that it is the reason of ``error``; ``None``: it is not."""
    if error is None:
        return None
    full = isinstance(error, apsw.FullError) or getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE
    if full or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)):
        return error
    return _of_full_disk(error.__context__)


def _told(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error)


def finish(directory: Path) -> Path | None:
    """Finish a restore that was interrupted, if it was decided; else forget it. Raises `StoreUnusable`.

    Returns where the store is that was replaced just now; ``None`` where there was none. To be called, under the lock,
    before the store in ``directory`` is opened.
    """
    try:
        return _finished(directory)
    except OSError as error:
        raise StoreUnusable(f"{directory}: a restore cannot be finished: {error.strerror}", 73) from None


def _finished(directory: Path) -> Path | None:
    restored, aside = directory / RESTORED, None
    if (restored / FILE).exists():
        if any(directory.glob(f"{FILE}*")):
            aside = recovery.set_aside(directory, REPLACED)
            # The old log must not be found beside the new file: it would be taken for its log.
            for path in (aside, aside.parent, directory):
                sync(path)
        _unmark(directory / recovery.CORRUPT)  # a recovery that was under way has nothing to recover any more
        (restored / FILE).rename(directory / FILE)
        sync(directory)
    for folder in (restored, directory / RESTORING):
        if folder.exists():
            shutil.rmtree(folder)
    _unmark(directory / REPLACED)
    return aside


def _unmark(folder: Path) -> None:
    newest = recovery.newest(folder)
    if newest is not None and (newest / recovery.UNFINISHED).exists():
        (newest / recovery.UNFINISHED).unlink()
        sync(newest)


def _bring(backup: Path, scratch: Path) -> None:
    """Copy the files of the copy, a store that was replaced has a log too; raise `StoreUnusable`."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    try:
        for beside in _BESIDE:
            path = backup.with_name(backup.name + beside)
            if not beside or path.exists():
                (scratch / (FILE + beside)).touch(mode=0o600)
                shutil.copyfile(path, scratch / (FILE + beside))
    except OSError as error:
        raise StoreUnusable(f"{error.filename or backup}: {error.strerror}", 66) from None


def _prepared(directory: Path, file: Path, backup: Path, boot: str, now: Moment, steps: Sequence[str]) -> Restored:
    """Make of a copy what can serve in ``directory``; return what it will be, its file closed and complete."""
    try:
        was_schema = _first_look(file, steps)
        db = open_file(str(file), boot, now, steps)
    except StoreUnusable as error:
        raise StoreUnusable(str(error).replace(str(file), str(backup)), error.code) from None
    try:
        checked(db, file, steps)
        with _present(directory) as present, db:
            seqs, lost, kept = list(_backed_up(directory)), None, False
            if present is not None:
                seqs.append(recovery.told(present))
            if present is not None and _of_one_gateway(present, db):
                lost = _lost(present, db)
                # A secret that was revoked since the copy was made must not open anything again.
                kept = salvage.copy_whole(present, db, "tokens") is not None
                with contextlib.suppress(apsw.Error, ValueError):  # nor a network be called that was closed again
                    _keep_openings(present, db)
            recovery.renew(db, max(seqs, default=0))
        contents = checked(db, file, steps)
    finally:
        close(db, now)
    return Restored(contents, was_schema, lost, kept)


def _keep_openings(present: apsw.Connection, db: apsw.Connection) -> None:
    """Let ``db`` have the openings of ``present``; one that has the same is not touched."""
    opened = openings.load(present)
    if opened != openings.load(db):
        openings.saving(opened)(db)


def _first_look(file: Path, steps: Sequence[str]) -> int:
    """Return the schema of a copy, before anything is written to it."""
    db = salvage.opened_as_it_is(file)
    if db is None:
        raise StoreUnusable(f"{file}: is no store of a ttgateway", NO_STORE)
    try:
        return store_version(db, file, steps)
    except apsw.Error as error:
        raise DamagedStoreError(str(error)) from None
    finally:
        db.close()


@contextlib.contextmanager
def _present(directory: Path) -> Iterator[apsw.Connection | None]:
    """Open the store that is to be replaced, to read what can be read of it; nothing of it is changed."""
    aside = recovery.newest(directory / recovery.CORRUPT)
    path = directory / FILE
    if aside is not None and (aside / recovery.UNFINISHED).exists() and (aside / FILE).exists():
        path = aside / FILE
    db = salvage.opened_as_it_is(path) if path.exists() else None
    try:
        yield db
    finally:
        if db is not None:
            db.close()


def _of_one_gateway(one: apsw.Connection, other: apsw.Connection) -> bool:
    query = "SELECT id FROM gateway"
    try:
        return bool(one.execute(query).get == other.execute(query).get)
    except (apsw.Error, UnicodeDecodeError):
        return False


def _lost(present: apsw.Connection, copy: apsw.Connection) -> int | None:
    """Return how many of the newest changes are not in the copy; ``None`` where they cannot be read."""
    lost = 0
    try:
        for seq, crc in present.execute("SELECT seq, crc FROM changes ORDER BY seq DESC"):
            if copy.execute("SELECT 1 FROM changes WHERE seq = ? AND crc = ?", (seq, crc)).get:
                break
            lost += 1
    except apsw.Error:
        return None
    return lost


def _backed_up(directory: Path) -> list[int]:
    """Return the highest seq of each of our own backups: what they know was told, whatever became of the store."""
    found = []
    for path in numbered(directory / BACKUPS, ".db"):
        with contextlib.suppress(apsw.Error), contextlib.closing(pages.connect_unchanging(path)) as db:
            found.append(recovery.told(db))
    return found
