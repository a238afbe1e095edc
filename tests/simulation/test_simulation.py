"""A few seeds, in processes of their own: the disk that forgets must be there before any database is opened."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def simulate(*arguments: str, hashes: str = "0") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": hashes}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110, check=False)  # noqa: S603


def test_thirty_seeds_break_no_rule() -> None:
    ended = simulate("--seeds", "30", "--jobs", "1")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "30 runs (seeds 0 to 29)" in ended.stdout


def test_a_seed_replays_exactly_whatever_the_order_of_hashes() -> None:
    first, second = simulate("--seed", "18", hashes="1"), simulate("--seed", "18", hashes="2")
    assert first.returncode == 0, first.stdout[-2_000:] + first.stderr
    assert first.stdout == second.stdout
    assert re.search(r"^trace [0-9a-f]{16}$", first.stdout, re.MULTILINE)
