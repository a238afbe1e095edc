"""Tables."""

import pytest

from bench.report import table
from tests.bench import rst


def test_a_table_is_one_for_docutils() -> None:
    text = table(("who", "how much"), [("``a``", 1), ("", "**no**")])
    assert rst.rows(text) == [["who", "how much"], ["a", "1"], ["", "no"]]


def test_a_row_has_as_many_cells_as_the_header() -> None:
    with pytest.raises(ValueError, match="1 cells under a header of 2"):
        table(("a", "b"), [("c",)])
