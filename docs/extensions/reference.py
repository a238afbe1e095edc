"""What the reference takes from the code itself when it is built, so that it is always true.

``.. commands::`` is the whole command line, ``.. endpoints::`` the table of the API's paths, ``.. returncodes::`` that
of its errors, ``.. acknowledgements::`` that of what it says it has done.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import click
from docutils.nodes import Node  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tests.api.client import House
from ttgateway.api.codes import Ack
from ttgateway.api.document.openapi import error_table
from ttgateway.commands.cli import main

_TITLES = '-."'


class Made(ABC, SphinxDirective):
    """A directive that stands for the reStructuredText that ``lines`` yields."""

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """Yield the lines."""

    def run(self) -> list[Node]:
        """Return what the lines come to."""
        return self.parse_text_to_nodes("\n".join(self.lines()), allow_section_headings=True)


class Commands(Made):
    """Each command, with its own commands after it."""

    def lines(self) -> Iterator[str]:
        """Yield a section for each command."""
        yield from described(main, click.Context(main, info_name="ttgateway"), 0)


class Endpoints(Made):
    """Each path and method of the API, from the OpenAPI document that a gateway serves."""

    def lines(self) -> Iterator[str]:
        """Yield a table for each part of the API."""
        document = json.loads(House().get("/api/openapi.json").body)
        rows: dict[str, list[tuple[str, ...]]] = {}
        for path, methods in document["paths"].items():
            for method, held in methods.items():
                part = held["tags"][0].partition(" ")[0]
                rows.setdefault(part, []).append((f"``{method.upper()} {path}``", *_told(held)))
        for part, name in (("v2", "Version 2"), ("v1", "Version 1"), ("watching", "Watching")):
            yield from (name, "-" * len(name), "")
            yield from table(
                ("method, path", "what it does", "secret", "success"), sorted(rows[part], key=_by_path), "36 36 10 18"
            )


class ReturnCodes(Made):
    """What can be wrong."""

    def lines(self) -> Iterator[str]:
        """Yield the table."""
        rows = [
            (str(code), str(status), " ".join(text.partition("\n\n")[0].split()))
            for code, status, text in error_table()
        ]
        yield from table(("returnCode", "status", "what is wrong"), rows, "15 10 75")


class Acknowledgements(Made):
    """What was done, where there is nothing to show."""

    def lines(self) -> Iterator[str]:
        """Yield the table."""
        rows = [(str(int(ack)), ack.name.replace("_", " ").capitalize() + ".") for ack in Ack]
        yield from table(("returnCode", "what was done"), rows, "15 85")


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], widths: str) -> Iterator[str]:
    """Yield a table; the fields are reStructuredText in one line."""
    yield from (".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", "")
    for row in (heads, *rows):
        for number, field in enumerate(row):
            yield f"   {'  ' if number else '* '}- {field}"
    yield ""


def described(command: click.Command, context: click.Context, depth: int) -> Iterator[str]:
    """Yield a section for a command, and after it one for each of its own commands."""
    name = context.command_path
    usage = context.command.get_usage(context).removeprefix("Usage: ")
    yield from (name, _TITLES[depth] * len(name), "", ".. code-block:: text", "", f"   {' '.join(usage.split())}", "")
    yield from (plain(command.help or ""), "", f".. program:: {name}", "")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1] and "--help" not in record[0]:
            yield from (f".. option:: {record[0].replace(' / ', ', ')}", "", f"   {plain(record[1])}", "")
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            inner = command.commands[word]
            yield from described(inner, click.Context(inner, info_name=word, parent=context), depth + 1)


def plain(text: str) -> str:
    """Return text as reStructuredText that means just that, with its paragraphs."""
    return re.sub(r"([*`_|\\])", r"\\\1", re.sub(r"[ \t]*\n[ \t]*", "\n", text.replace("\b", "").strip()))


def _by_path(row: tuple[str, ...]) -> tuple[str, str]:
    method, _, path = row[0].strip("`").partition(" ")
    return path, method


def _told(held: dict[str, Any]) -> tuple[str, str, str]:
    """Return of an operation what it does, whether it wants a secret, and with what success is replied."""
    successes = []
    for status, response in held["responses"].items():
        if status == "default":
            continue
        numbers = next(iter(response["content"].values()))["schema"].get("allOf", [{}])[0]
        codes = numbers.get("properties", {}).get("returnCode", {}).get("enum", [])
        successes.append(f"{status}: {', '.join(map(str, codes))}" if codes else status)
    return plain(held["summary"]), "no" if held.get("security") == [] else "yes", "; ".join(successes)


def setup(app: Sphinx) -> dict[str, bool]:
    """Let pages use the directives."""
    for name, directive in (
        ("commands", Commands),
        ("endpoints", Endpoints),
        ("returncodes", ReturnCodes),
        ("acknowledgements", Acknowledgements),
    ):
        app.add_directive(name, directive)
    return {"parallel_read_safe": True}
