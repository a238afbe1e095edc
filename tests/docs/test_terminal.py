from pathlib import Path

import pytest

from tests.docs.pages import Block
from tests.docs.terminal import Terminal, Wrong, shows
from tests.docs.walk import commands


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("a\nb\n", "a"),
        ("a\nb\nc\n", "a\n...\nc"),
        ('{"a":1,"b":2}', '{"a":1,...}'),
        ("A   B\n  1 2\n", "A B\n 1   2"),
        ("12:00:01  3 s  up\n", "09:30:59  11.2 min  up"),
        ("id 0123456789ab", "id ba9876543210"),
    ],
)
def test_it_shows_what_a_page_says(printed: str, expected: str) -> None:
    assert shows(printed, expected)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("b\na\n", "a"),
        ("a\nb\n", "a\n...\nc"),
        ('{"a":2,"b":2}', '{"a":1,...}'),
        ("healthy", "down"),
        ("ab", "a"),
        ("", "a"),
        ("1 x", "2 x"),
    ],
)
def test_it_shows_something_else(printed: str, expected: str) -> None:
    assert not shows(printed, expected)


def test_commands_are_told_from_what_they_print() -> None:
    text = "$ one \\\n> more\nout\n$ two"
    assert commands(Block("p", 1, "console", text, ())) == [("one \\\nmore", "out"), ("two", "")]
    assert commands(Block("p", 1, "sh", "a\nb", ())) == [("a\nb", "")]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal("a", tmp_path, tmp_path / "a")


def test_variables_stay_from_one_command_to_the_next(terminal: Terminal) -> None:
    terminal.run("A=1")
    assert terminal.run('echo "$A"') == "1\n"


def test_a_command_that_fails_is_wrong(terminal: Terminal) -> None:
    with pytest.raises(Wrong, match="exit code 3"):
        terminal.run("exit 3")
    assert terminal.run("false; echo went on") == "went on\n"
    with pytest.raises(Wrong):
        terminal.run("false; echo went on", strict=True)


def test_what_goes_on_is_ended_by_ctrl_c_and_keeps_its_variables(terminal: Terminal) -> None:
    terminal.start("B=2; echo ready; cat")
    terminal.shows("ready")
    with pytest.raises(Wrong, match="something runs"):
        terminal.start("true")
    terminal.type("typed")
    terminal.shows("typed")
    terminal.press_ctrl_c()
    assert terminal.run('echo "$B"') == "2\n"


def test_what_reads_is_ended_by_ctrl_d(terminal: Terminal) -> None:
    terminal.start("cat; echo over")
    terminal.press_ctrl_d()
    terminal.shows("over")


def test_ctrl_c_where_nothing_runs_is_wrong(terminal: Terminal) -> None:
    terminal.run("true")
    with pytest.raises(Wrong, match="nothing runs"):
        terminal.press_ctrl_c()
