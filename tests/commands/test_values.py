from ipaddress import ip_network
from typing import Any

import click
import pytest

from ttgateway.commands.terminal.console import CommandFailed
from ttgateway.commands.values import Allowed, Checked, Duration, ListenerURL, SigningSecret, TimeOfDay

SECRET = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (TimeOfDay(), "11:30", 41_400.0),
        (TimeOfDay(), "0:00", 0.0),
        (TimeOfDay(), "23:59", 86_340.0),
        (Duration(), "90", 90.0),
        (Duration(), "1.5s", 1.5),
        (Duration(), "10m", 600.0),
        (Duration(), "10 min", 600.0),
        (Duration(), "2h", 7200.0),
        (SigningSecret(), SECRET, SECRET),
        (SigningSecret(), "", ""),
        (Allowed(), "203.0.113.0/24", (ip_network("203.0.113.0/24"), None)),
        (Allowed(), "203.0.113.7/32 port 8080", (ip_network("203.0.113.7/32"), 8080)),
    ],
)
def test_what_is_right_is_converted_and_what_was_converted_stays(
    kind: click.ParamType[Any], text: str, value: object
) -> None:
    assert kind.convert(text, None, None) == value
    if isinstance(value, float):
        assert kind.convert(value, None, None) == value


def test_a_text_is_taken_as_it_is_or_refused_in_one_line_that_names_the_option() -> None:
    kind, option = Checked("number", int), click.Option(["--some"])
    assert kind.convert("7", option, None) == "7"
    with pytest.raises(CommandFailed, match=r"^--some: invalid literal") as refusal:
        kind.convert("x", option, None)
    assert refusal.value.exit_code == 2


def test_a_listener_is_given_as_it_would_register() -> None:
    assert str(ListenerURL().convert("http://LocalHost:8990", None, None)) == "http://localhost:8990/"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((TimeOfDay(), text) for text in ("24:00", "12:60", "noon", "1200", "-1:00", "")),
        *((Duration(), text) for text in ("0", "-1", "soon", "1d", "", "1h30")),
        *((SigningSecret(), text) for text in ("secret", "whsec_short")),
        *((ListenerURL(), text) for text in ("127.0.0.1:80", "ftp://x/", "http://u@x/")),
        *((Allowed(), text) for text in ("x", "10.0.0.1/8", "10.0.0.0/8 port x")),
    ],
)
def test_what_is_wrong_is_a_usage_error(kind: click.ParamType[Any], text: str) -> None:
    with pytest.raises(click.BadParameter):
        kind.convert(text, None, None)
