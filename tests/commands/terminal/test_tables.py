import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttgateway.commands.terminal.tables import LONGEST, age, facts, moment, plain, size, table


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


def test_facts_stand_below_each_other_and_what_is_empty_is_left_out() -> None:
    assert facts({"state": "down", "lost": "", "last success": "never"}) == "state         down\nlast success  never"


def test_a_moment_is_shown_without_its_letter() -> None:
    assert (moment("2016-09-22T19:08:52"), moment(None)) == ("2016-09-22 19:08:52", "")


def test_a_size_is_shown_in_one_unit_whatever_it_is() -> None:
    assert (size(0), size(64 << 20), size(9214 << 20)) == ("0 MiB", "64 MiB", "9,214 MiB")
