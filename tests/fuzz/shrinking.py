"""Making a script that breaks something small, and keeping it in a file."""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.fuzz.scripts import Script

WITHIN = 30.0
"""Seconds that this may take."""


class Kept(msgspec.Struct, kw_only=True):
    """What stands in the file."""

    seed: str
    failure: str
    scripts: tuple[Script, ...]


def shrunk(scripts: tuple[Script, ...], fails: Callable[[tuple[Script, ...]], str]) -> tuple[Script, ...]:
    """Return as little of ``scripts`` as ``fails`` still tells of; all of them where only they together do."""
    ends = time.monotonic() + WITHIN
    for script in scripts:
        if fails((script,)):
            return (_smaller(script, fails, ends),)
    return scripts


def _smaller(script: Script, fails: Callable[[tuple[Script, ...]], str], ends: float) -> Script:
    """Leave out the cuts, then ever smaller stretches of bytes, for as long as it still fails."""

    def tried(candidate: Script) -> bool:
        return time.monotonic() < ends and bool(fails((candidate,)))

    bare = msgspec.structs.replace(script, asked=None)
    script = bare if tried(bare) else script
    uncut = msgspec.structs.replace(script, cuts=())
    script = uncut if tried(uncut) else script
    size = len(script.data) // 2 if script.asked is None else 0  # fewer bytes would be another request
    while size and time.monotonic() < ends:
        at = 0
        while at < len(script.data):
            candidate = msgspec.structs.replace(script, data=script.data[:at] + script.data[at + size :])
            if tried(candidate):
                script = candidate
            else:
                at += size
        size //= 2
    return script


def keep(folder: Path, seed: str, failure: str, scripts: tuple[Script, ...]) -> Path:
    """Write what failed to a file; return its path."""
    path = folder / f"ttgateway-fuzz-{seed.replace('/', '-')}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(Kept(seed=seed, failure=failure, scripts=scripts))))
    return path


def kept(path: Path) -> Kept:
    """Return what was kept in a file."""
    return msgspec.json.decode(path.read_bytes(), type=Kept)
