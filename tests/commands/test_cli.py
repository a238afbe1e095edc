from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ttgateway import __version__
from ttgateway.commands import cli
from ttgateway.commands.cli import main
from ttgateway.commands.terminal.console import CommandFailed

COMMANDS = [
    "allow",
    "backup",
    "button",
    "check",
    "completion",
    "damage",
    "discover",
    "history",
    "listen",
    "listeners",
    "open",
    "orders",
    "restore",
    "simulate",
    "status",
    "tail",
    "token",
]


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout == f"ttgateway {__version__}\n"


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), ["token", "create"], ["token", "revoke"]])
def test_every_command_explains_itself_in_eighty_columns(command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command, "--help"])
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_the_commands_are_those_of_the_manual() -> None:
    assert sorted(main.commands) == COMMANDS


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["dance"]).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, "ttgateway-state"),
        ([], {"TTGATEWAY_STATE_DIR": "elsewhere"}, "elsewhere"),
        (["--state-dir", "here"], {"TTGATEWAY_STATE_DIR": "elsewhere"}, "here"),
    ],
)
def test_the_state_directory_is_the_one_of_make_run_unless_named(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], environment: dict[str, str], expected: str
) -> None:
    asked: list[Path] = []

    def requests(reactor: Any, state_dir: Path) -> Any:
        asked.append(state_dir)
        raise CommandFailed("seen")

    def run(work: Any) -> Any:
        work(None, None).send(None)

    monkeypatch.setattr(cli, "socket_requests", requests)
    monkeypatch.setattr(cli, "run", run)
    result = CliRunner().invoke(main, [*arguments, "token", "list"], env=environment)
    assert (result.exit_code, result.stderr) == (1, "ttgateway: seen\n")
    assert asked == [Path(expected)]
