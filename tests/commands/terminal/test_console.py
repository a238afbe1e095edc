import os
from pathlib import Path

import pytest

from ttgateway.commands.terminal.console import CommandFailed, notice, warning


def test_what_fails_is_one_line_on_standard_error_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    failed = CommandFailed("the gateway is not there")
    failed.show()
    assert failed.exit_code == 1
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "ttgateway: the gateway is not there\n")


def test_what_is_no_result_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    notice("fine")
    warning("not fine")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "fine\n!! not fine\n")


def test_what_cannot_be_said_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stderr", full)
        notice("fine")
        warning("not fine")
        CommandFailed("the gateway is not there").show()
        monkeypatch.undo()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())  # what waits in it goes there
