"""Reads what is written in reStructuredText."""

import docutils.core  # type: ignore[import-untyped]
import docutils.nodes  # type: ignore[import-untyped]


def shown(text: str) -> str:
    """Return the words of ``text``; a fault in it is an error."""
    return str(_read(text).astext())


def rows(text: str) -> list[list[str]]:
    """Return the cells of the tables in ``text``."""
    return [[entry.astext() for entry in row.children] for row in _read(text).findall(docutils.nodes.row)]


def _read(text: str) -> docutils.nodes.document:
    return docutils.core.publish_doctree(text, settings_overrides={"halt_level": 2})
