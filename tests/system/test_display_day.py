"""A kitchen display's whole day against the daemon, on a network that has a name service of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_kitchen_display_has_its_whole_day(tmp_path: Path) -> None:
    own = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    line = [*own, sys.executable, "-m", "tests.system.display_day", str(tmp_path)]
    ended = subprocess.run(line, check=False, cwd=ROOT, capture_output=True, text=True, timeout=110)  # noqa: S603
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}\n{_log(tmp_path)}"


def _log(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("log"))
