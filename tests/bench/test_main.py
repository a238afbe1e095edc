"""The command line."""

from pathlib import Path

import pytest

from bench.__main__ import DOCS, options
from bench.options import Options


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ([], Options(out=DOCS)),
        (["--only", "floor", "memory"], Options(only=("floor", "memory"))),
        (["--quick"], Options(rounds=1, seconds=0.3, listeners=(1,), quick=True)),
        (["--quick", "--listeners", "2", "3"], Options(rounds=1, seconds=0.3, listeners=(2, 3), quick=True)),
        (["--only", "floor", "--out", "x"], Options(only=("floor",), out=Path("x"))),
        (["--rounds", "2", "--seconds", "0.5"], Options(rounds=2, seconds=0.5, out=DOCS)),
    ],
)
def test_what_is_not_said_is_as_usual(words: list[str], read: Options) -> None:
    assert options(words) == read


def test_nobody_else_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(["--only", "nobody"])
    assert "invalid choice: 'nobody'" in capsys.readouterr().err
