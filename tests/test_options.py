from typing import Any, cast

import pytest

from ttgateway.options import Options

FOREGROUND: dict[str, Any] = {"nodaemon": True, "logfile": None, "syslog": 0, "logger": None}


def under(twistd: dict[str, Any] | None) -> Options:
    options = Options()  # type: ignore[no-untyped-call]
    options.parent = cast(Any, twistd)
    return options


@pytest.mark.parametrize("named", [{}, {"logfile": "-"}, {"logfile": ""}])
def test_in_the_foreground_the_log_goes_to_standard_output(named: dict[str, Any]) -> None:
    assert under({**FOREGROUND, **named}).logs_to_stdout


@pytest.mark.parametrize("named", [{"nodaemon": 0}, {"logfile": "x.log"}, {"syslog": 1}, {"logger": print}])
def test_where_twistd_is_told_of_another_log_it_does_not(named: dict[str, Any]) -> None:
    assert not under({**FOREGROUND, **named}).logs_to_stdout


def test_without_twistd_it_does_not() -> None:
    assert not under(None).logs_to_stdout
