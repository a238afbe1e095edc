import pkgutil
import re
from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.pages import Block, blocks

PAGE = """
A page
======

.. walk: in first
.. walk: after true

.. code-block:: console
   :caption: Start

   $ one

     indented

.. walk: run by tests/x.py

A paragraph
of two lines::

    plain

* An item::

    within

  and more of it.

.. walk: lost

This announces nothing.

.. literalinclude:: ../x.py
   :language: python

Text.
"""


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Block]:
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    page = tmp_path / "page.rst"
    page.write_text(PAGE)
    return blocks(page)


def test_each_block_is_found_with_its_language_and_its_text(found: list[Block]) -> None:
    assert [(block.language, block.text) for block in found] == [
        ("console", "$ one\n\n  indented"),
        ("", "plain"),
        ("", "within"),
        ("file", "../x.py"),
    ]


def test_marks_belong_to_the_block_or_to_the_paragraph_that_announces_it(found: list[Block]) -> None:
    assert [block.marks for block in found] == [("in first", "after true"), ("run by tests/x.py",), (), ()]
    assert found[0].mark("in ") == "first"
    assert found[0].mark("run by ") is None


def test_a_block_tells_where_it_stands(found: list[Block]) -> None:
    assert found[0].place == "page.rst:8"


@pytest.mark.parametrize("page", pages.pages(), ids=lambda page: str(page.relative_to(pages.ROOT)))
def test_each_module_and_test_that_a_page_names_is_there(page: Path) -> None:
    homes = [pages.ROOT / "ttgateway", pages.ROOT / "tests", pages.ROOT]
    named = re.findall(r"``((?:[a-z_]+/)+[a-z_]+)(?:\.py)?``", page.read_text("utf-8"))
    ours = [name for name in named if any((home / name.split("/")[0]).is_dir() for home in homes)]
    there = [name for name in ours for home in homes if (home / f"{name}.py").exists() or (home / name).exists()]
    made = ["docs/_build/html"]  # by make docs
    assert [name for name in ours if name not in there + made] == []


@pytest.mark.parametrize("page", pages.pages(), ids=lambda page: str(page.relative_to(pages.ROOT)))
def test_each_class_that_a_page_names_with_its_module_is_there(page: Path) -> None:
    package = pages.ROOT / "ttgateway"
    for name in re.findall(r"``(?:ttgateway\.)?((?:[a-z_]+\.)+[A-Z]\w+)``", page.read_text("utf-8")):
        first = name.split(".")[0]
        if (package / first).is_dir() or (package / f"{first}.py").exists():
            pkgutil.resolve_name(f"ttgateway.{name}")
