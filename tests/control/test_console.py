import pytest

from ttgateway.control.console import CommandFailed, notice, warning


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
