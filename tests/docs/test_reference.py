"""The reference holds all that there is: what is made from the code, and what is written by hand."""

import importlib.util
import re
from types import ModuleType
from typing import Any

import click
import pytest

from tests.docs.pages import ROOT
from ttgateway.api.codes import ERRORS, Ack
from ttgateway.commands.cli import main

HEADERS = (ROOT / "docs/reference/headers.rst").read_text()


@pytest.fixture(scope="module")
def made() -> ModuleType:
    """The extension that makes the reference."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs/extensions/reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lines_of(directive: Any) -> str:
    return "\n".join(directive.lines(None))


def test_every_command_and_option_is_told(made: ModuleType) -> None:
    text = lines_of(made.Commands)
    for name, command in main.commands.items():
        assert f"\nttgateway {name}\n" in text
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.opts[0] in text
    assert "\nttgateway listeners replay\n" in text


def test_every_path_is_told_with_what_it_replies(made: ModuleType) -> None:
    text = lines_of(made.Endpoints)
    assert "   * - ``POST /api/v2/register``\n" in text
    assert re.search(
        r"``DELETE /api/v2/activeorders/\{key\}/page``\n +- .*\n +- yes\n +- 200: 7, 1002, 1003$", text, re.M
    )
    assert re.search(r"``GET /healthz``\n +- .*\n +- no\n", text)


def test_every_error_and_acknowledgement_is_told(made: ModuleType) -> None:
    errors = lines_of(made.ReturnCodes)
    for status, code in ERRORS.values():
        assert f"   * - {code}\n     - {status}\n" in errors
    assert all(f"   * - {int(ack)}\n" in lines_of(made.Acknowledgements) for ack in Ack)


def test_every_header_of_a_delivery_is_told() -> None:
    source = (ROOT / "ttgateway/notifier/attempts/request.py").read_text()
    sent = set(re.findall(r"((?:webhook|ttgateway)-[a-z]+): ", source))
    assert len(sent) == 6
    assert all(f"``{name}``" in HEADERS for name in sent)
