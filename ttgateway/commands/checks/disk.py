"""The disk of the state directory: is there room, and may it be written?"""

import os
from pathlib import Path

from ttgateway.commands.checks.finding import Finding, Findings, fault, ok, warning
from ttgateway.commands.terminal.tables import size
from ttgateway.health import SCARCE
from ttgateway.store.disk import LEAST_FREE

PART = "disk"

SOON = 4 * LEAST_FREE
"""Bytes free below which somebody should make room before there is none."""


def look(state_dir: Path) -> tuple[Findings, None]:
    """Return what is found of the room on the disk. Blocks."""
    there = next(path for path in (state_dir, *state_dir.absolute().parents) if path.exists())
    stat = os.statvfs(there)
    if stat.f_flag & os.ST_RDONLY:
        what = f"the disk of {there} is mounted to be read only"
        return [fault(PART, what, "Mount it to be written; look at dmesg")], None
    if stat.f_files and not stat.f_favail:
        return [fault(PART, f"the disk of {there} has no room for another file (inodes)", _room(state_dir))], None
    return [judged(stat.f_bavail * stat.f_frsize, state_dir)], None


def judged(free: int, state_dir: Path) -> Finding:
    """Return what ``free`` bytes on the disk mean."""
    left = f"{size(free)} are free"
    if free < SCARCE:
        what = f"the disk is full, {left}: orders are refused, and even changes to active ones may not be kept"
        return fault(PART, what, _room(state_dir))
    if free < LEAST_FREE:
        what = f"the disk is nearly full, {left}: no new order is taken below {size(LEAST_FREE)}"
        return fault(PART, what, _room(state_dir))
    if free < SOON:
        what = f"{left}; below {size(LEAST_FREE)} no new order is taken"
        return warning(PART, what, _room(state_dir))
    return ok(PART, left)


def _room(state_dir: Path) -> str:
    old = [name for name in ("replaced", "corrupt") if (state_dir / name).is_dir()]
    names = " and ".join(str(state_dir / name) for name in old)
    return f"Make room on it; {names} hold old stores" if old else "Make room on it; the gateway goes on by itself then"
