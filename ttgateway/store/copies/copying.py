"""A whole copy of an open store, made while others write to it."""

import os
from collections.abc import Callable
from pathlib import Path

import apsw

from ttgateway.store import pages

AT_ONCE = 1_024
"""Pages of 4 KiB that are read and synced before the copier looks whether it should go on."""


def copy(
    connection: apsw.Connection, target: Path, go_on: Callable[[int, int], None] = lambda done, pages: None
) -> None:
    """Write a whole copy of the store to ``target``: there is either all of it or nothing, and it is synced.

    It is made of one instant, while others write: in small steps, each of them synced, or the last sync would hold up
    those of the commits. After each, ``go_on`` is told how many pages of how many are done; what it raises ends it.
    """
    fresh = target.with_name(target.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)  # as the store itself
    try:
        _copy_pages(connection, fresh, go_on)
        fresh.replace(target)
    except BaseException:
        for path in fresh.parent.glob(f"{fresh.name}*"):
            path.unlink()
        raise
    sync(target.parent)


def _copy_pages(connection: apsw.Connection, fresh: Path, go_on: Callable[[int, int], None]) -> None:
    destination = pages.connect(str(fresh))
    try:
        with destination.backup("main", connection, "main") as backup:
            while not backup.done:
                backup.step(AT_ONCE)
                sync(fresh)
                go_on(backup.page_count - backup.remaining, backup.page_count)
    finally:
        destination.close()
    sync(fresh)


def sync(path: Path) -> None:
    """Wait until the file or the folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
