"""The benchmark: that it measures, and not how much."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from tests.bench import rst

ROOT = Path(__file__).parents[2]


def test_ours_and_the_floor_are_measured_and_keep_all(tmp_path: Path) -> None:
    words = ["--quick", "--only", "ttgateway", "floor", "floor-direct", "--out", str(tmp_path)]
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "bench", *words], cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    assert "yes each listener got each change, once and in order" in ended.stderr
    page = (tmp_path / "performance.rst").read_text()
    shown = rst.shown(page)
    assert all(name in shown for name in ("ttgateway", "floor", "floor-direct"))
    assert shown.count("0 / 0 / 0 of") == 3
    ElementTree.parse(tmp_path / "performance.svg")  # noqa: S314
