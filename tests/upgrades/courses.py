"""What is done to a store while the process may be killed at any point, and what must be so whenever it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.upgrades.acts import backed_up, copied_while_it_runs, edited, older_goes_on, opened, restored
from tests.upgrades.checks import (
    NEWEST,
    OLDER_COPY,
    TOLD,
    copy_is_whole,
    held,
    old_or_new,
    own_copies_are_whole,
    upgraded,
)
from tests.upgrades.stores import Rows, make
from ttgateway.store.copies.backups import MOST_BACKUPS
from ttgateway.store.opening import FILE
from ttgateway.store.pages import version_unverified


class Course(msgspec.Struct, frozen=True):
    """One course: ``prepare`` makes what is there before, ``act`` may be killed, ``check`` raises if all is not well.

    Each gets the folder that it works in; ``check`` is given, too, what ``know`` returned of what was prepared.
    Where nothing was killed, ``done`` must hold: what was asked for was done.
    """

    name: str
    prepare: Callable[[Path], None]
    act: Callable[[Path], None]
    know: Callable[[Path], Any]
    check: Callable[[Path, Any], None]
    done: Callable[[Path], bool]


def upgrade(version: int, *, clean: bool) -> Course:
    """An older store is opened by this version."""
    return Course(
        name=f"upgrade-{version}-{'stopped' if clean else 'killed'}",
        prepare=lambda folder: make(folder, version, clean=clean),
        act=opened,
        know=lambda folder: held(folder / FILE),
        check=lambda folder, before: upgraded(folder, before, version),
        done=lambda folder: version_unverified(str(folder / FILE)) == NEWEST,
    )


def back_and_forth(version: int) -> Course:
    """An upgrade was killed, and the older version goes on; later this one is installed again."""

    def check(folder: Path, before: Rows) -> None:
        if not older_goes_on(folder / FILE, version):
            return
        before = held(folder / FILE)
        upgraded(folder, before, version)

    return msgspec.structs.replace(upgrade(version, clean=False), name=f"back-and-forth-{version}", check=check)


def going_back(version: int, *, clean: bool) -> Course:
    """A copy of some version is restored over a store of ours."""

    def prepare(folder: Path) -> None:
        make(folder, NEWEST, clean=clean)
        gone_on = "DELETE FROM tokens WHERE name = 'till'; DELETE FROM orders WHERE name = '3'"
        edited(folder, f"{gone_on}; UPDATE gateway SET trimmed = {TOLD}", clean=clean)  # noqa: S608
        (folder / "copies").mkdir()
        make(folder / "copies", version, clean=True)

    return Course(
        name=f"restore-{version}-over-{'stopped' if clean else 'killed'}",
        prepare=prepare,
        act=restored,
        know=lambda folder: (held(folder / FILE), held(folder / "copies" / FILE)),
        check=lambda folder, known: old_or_new(folder, *known),
        done=lambda folder: (folder / "replaced" / "1" / FILE).exists(),
    )


def backing_up(*, clean: bool) -> Course:
    """A copy is written over an older one, while no gateway runs."""

    def prepare(folder: Path) -> None:
        make(folder, NEWEST, clean=clean)
        (folder / "copy.db").write_bytes(OLDER_COPY)

    return Course(
        name=f"backup-{'stopped' if clean else 'killed'}",
        prepare=prepare,
        act=backed_up,
        know=lambda folder: held(folder / FILE),
        check=copy_is_whole,
        done=lambda folder: (folder / "copy.db").read_bytes() != OLDER_COPY,
    )


def own_backup() -> Course:
    """The gateway makes one of its own copies, and one that was asked for."""
    return Course(
        name="own-backup",
        prepare=lambda folder: make(folder, NEWEST, clean=True),
        act=copied_while_it_runs,
        know=lambda folder: held(folder / FILE),
        check=own_copies_are_whole,
        done=lambda folder: len(list(folder.glob("backups/?.db"))) == MOST_BACKUPS,
    )


def courses() -> list[Course]:
    """Return all courses."""
    older = range(1, NEWEST)
    return [
        *(upgrade(version, clean=clean) for version in older for clean in (True, False)),
        *(back_and_forth(version) for version in older),
        *(going_back(version, clean=clean) for version in (*older, NEWEST) for clean in (True, False)),
        backing_up(clean=True),
        backing_up(clean=False),
        own_backup(),
    ]
