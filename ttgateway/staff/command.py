"""The command that opens the staff page, as somebody at this machine has to type it."""

import shlex
import shutil
import sys
from pathlib import Path

from ttgateway.options import STATE_DIR


def open_command(directory: Path, program: Path | None = None, folder: Path | None = None) -> str:
    """Return the command for the gateway whose state is in ``directory``.

    ``program`` is the command of this installation, ``folder`` the one in which the gateway was started, against which
    ``directory`` counts; they are found where they are not given.
    """
    program = program or Path(sys.executable).with_name("ttgateway")
    folder = folder or Path.cwd()
    words = [_spelled(program, folder)]
    if folder / directory != folder / STATE_DIR:
        words += ["--state-dir", str(directory)]
    return shlex.join([*words, "open"])


def _spelled(program: Path, folder: Path) -> str:
    """Return the shortest way to call ``program`` from ``folder``."""
    found = shutil.which("ttgateway")
    if found is not None and Path(found) == program:
        return "ttgateway"
    return str(program.relative_to(folder)) if program.is_relative_to(folder) else str(program)
