"""The short form of the upgrades that are killed at every step; the long one is ``python -m tests.upgrades``."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)
ROOT = Path(__file__).parents[2]


def test_upgrades_restores_and_backups_that_are_killed_leave_the_old_or_the_new() -> None:
    command = [sys.executable, "-m", "tests.upgrades", "--points", "2"]
    ended = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=240)  # noqa: S603
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_kill_that_was_survived_by_nothing_is_told_with_the_command_that_replays_it() -> None:
    command = [sys.executable, "-m", "tests.upgrades", "--course", "backup-killed", "--point", "100000"]
    ended = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=240)  # noqa: S603
    assert ended.returncode == 1
    assert "Again: python -m tests.upgrades --course backup-killed --point 100000" in ended.stdout
