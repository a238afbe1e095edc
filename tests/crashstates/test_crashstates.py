"""The short forms; ``make crashstates`` runs the long ones."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--states", "200"], 0, "ok"),
        (
            ["--mutants", "--mutant", "announce-first", "--scenario", "first-day"],
            0,
            "(answered before the commit): caught",
        ),
    ],
)
def test_states_after_a_power_cut(arguments: list[str], code: int, says: str) -> None:
    command = [sys.executable, "-m", "tests.crashstates", "--seed", "1", "--jobs", "1", *arguments]
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert says in done.stdout
