"""Ways to damage a file: each does so by chance, and returns in words what it did."""

import random
from collections.abc import Callable
from pathlib import Path

from ttgateway.store.opening import FILE

PAGE = 4096
FRAME = PAGE + 24
LOG_HEADER = 32

Damage = Callable[[random.Random, Path], str]


def flip(chance: random.Random, path: Path) -> str:
    """Flip one to three bits."""
    raw = bytearray(path.read_bytes())
    where = []
    for _ in range(chance.randint(1, 3) if raw else 0):
        at, bit = chance.randrange(len(raw)), chance.randrange(8)
        raw[at] ^= 1 << bit
        where.append(f"{at}.{bit}")
    path.write_bytes(raw)
    return f"bits {' '.join(where)} of {path.name} flipped"


def flip_in_body(chance: random.Random, path: Path) -> str:
    """Flip one bit within the text of a change."""
    raw = bytearray(path.read_bytes())
    found = raw.find(b'{"type":', chance.randrange(len(raw))) if raw else -1
    if found < 0:
        return flip(chance, path)
    at, bit = min(len(raw) - 1, found + chance.randrange(200)), chance.randrange(8)
    raw[at] ^= 1 << bit
    path.write_bytes(raw)
    return f"bit {at}.{bit} of {path.name} flipped, in a change"


def zero(chance: random.Random, path: Path) -> str:
    """Write a run of zeros."""
    raw = bytearray(path.read_bytes())
    at = chance.randrange(max(1, len(raw)))
    size = min(len(raw) - at, chance.choice([16, 512, PAGE, 4 * PAGE]))
    raw[at : at + size] = bytes(size)
    path.write_bytes(raw)
    return f"{size} zeros at {at} of {path.name}"


def overwrite(chance: random.Random, path: Path) -> str:
    """Write what a disk may return in place of a sector."""
    raw = bytearray(path.read_bytes())
    at = 512 * chance.randrange(max(1, len(raw) // 512))
    size = min(512, len(raw) - at)
    raw[at : at + size] = chance.randbytes(size)
    path.write_bytes(raw)
    return f"a sector of noise at {at} of {path.name}"


def swap(chance: random.Random, path: Path) -> str:
    """Let two pages, or two frames of the log, change places."""
    raw = bytearray(path.read_bytes())
    head, step = (LOG_HEADER, FRAME) if path.name.endswith("-wal") else (0, PAGE)
    count = (len(raw) - head) // step
    if count < 2:
        return flip(chance, path)
    one, other = (head + step * number for number in chance.sample(range(count), 2))
    raw[one : one + step], raw[other : other + step] = raw[other : other + step], raw[one : one + step]
    path.write_bytes(raw)
    return f"{step} bytes at {one} and {other} of {path.name} swapped"


def truncate(chance: random.Random, path: Path) -> str:
    """Cut the file off: anywhere, at a page, or whole."""
    size = path.stat().st_size
    to = chance.choice([0, chance.randrange(size + 1), PAGE * chance.randrange(size // PAGE + 1)])
    with path.open("r+b") as file:
        file.truncate(to)
    return f"{path.name} cut off at {to} of {size}"


KINDS: dict[str, Damage] = {
    "bits": flip,
    "bits of changes": flip_in_body,
    "zeros": zero,
    "noise": overwrite,
    "swapped": swap,
    "truncated": truncate,
}

TARGETS: dict[str, tuple[str, ...]] = {
    "file": (FILE,),
    "log": (f"{FILE}-wal",),
    "both": (FILE, f"{FILE}-wal"),
    "file and backup": (FILE, "backups/1.db"),
}


def damage(chance: random.Random, directory: Path, kind: str, target: str) -> str:
    """Damage the files of a store; return what was done."""
    paths = [directory / name for name in TARGETS[target]]
    return "; ".join(KINDS[kind](chance, path) for path in paths if path.exists())
