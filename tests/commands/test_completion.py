import shutil
import subprocess

import pytest
from click.testing import CliRunner

from ttgateway.commands.cli import main


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_calls_this_command(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert "_TTGATEWAY_COMPLETE" in result.stdout
    assert "ttgateway" in result.stdout


def test_a_shell_that_nobody_knows_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["completion", "cmd"]).exit_code == 2


def test_bash_can_read_its_script() -> None:
    bash = shutil.which("bash")
    assert bash is not None
    script = CliRunner().invoke(main, ["completion", "bash"]).stdout
    subprocess.run([bash, "-n"], input=script, text=True, check=True, timeout=10)  # noqa: S603


@pytest.mark.parametrize(
    ("words", "expected"),
    [("ttgateway li", {"listen", "listeners"}), ("ttgateway listeners re", {"remove", "resync", "replay"})],
)
def test_what_it_asks_for_is_answered_with_the_commands_that_begin_so(words: str, expected: set[str]) -> None:
    asked = {"_TTGATEWAY_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    answered = CliRunner().invoke(main, [], prog_name="ttgateway", env=asked).stdout
    assert {line.partition(",")[2] for line in answered.split()} == expected
