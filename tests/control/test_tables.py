import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttgateway.control.tables import LONGEST, age, plain, table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table(("A", "NUMBER"), [("long", "1"), ("x", "12345678")], numbers="NUMBER") == (
        "A       NUMBER\nlong         1\nx     12345678"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (245, "4:05"), (7380, "2:03:00"), (3 * 86400, "3 d"), (-5, "0 s")],
)
def test_an_age_reads_well(seconds: float, text: str) -> None:
    assert age(seconds) == text


@given(st.text() | st.none() | st.integers())
def test_nothing_reaches_the_terminal_as_a_command(value: object) -> None:
    text = plain(value)
    assert text.isprintable()
    assert len(text) <= LONGEST
