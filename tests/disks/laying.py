"""From a directory to its image, and back."""

import shutil
from pathlib import Path
from typing import Final

from tests.disks.medium import Image

IGNORED: Final = ("lock", "ballast")
"""What the state directory holds beside the store; it stays as it is."""

INDEX: Final = "-shm"
"""How the index of a log is called that SQLite keeps in shared memory."""


def is_ignored(path: str) -> bool:
    """Return whether a file is no part of an image: the above, and SQLite's shared memory, which no disk holds."""
    return path in IGNORED or path.endswith(INDEX)


def image_in(directory: Path) -> Image:
    """Return what lies in ``directory``."""
    image = Image()
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.is_dir():
            image.folders.add(name)
        elif path.is_file() and not is_ignored(name):
            image.files[name] = path.read_bytes()
    return image


def lay_out(image: Image, directory: Path) -> None:
    """Have ``image`` lie in ``directory``, in new files: who has the old ones open, has what lies nowhere."""
    for path in directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in IGNORED:
            path.unlink()
    for name in sorted(image.folders):
        (directory / name).mkdir(exist_ok=True)
    for name, data in image.files.items():
        path = directory / name
        path.touch(mode=0o600)
        path.write_bytes(data)
