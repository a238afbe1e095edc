import sys
from io import StringIO

import pytest

from ttgateway.commands.terminal import busy as module
from ttgateway.commands.terminal.busy import AFTER, Busy, busy


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_shown_of_what_is_quick() -> None:
    terminal = Terminal()
    line = Busy("copying", terminal)
    line.show(AFTER - 0.1)
    line.end()
    assert terminal.getvalue() == ""


def test_what_takes_longer_is_one_line_that_changes_and_leaves_no_trace() -> None:
    terminal = Terminal()
    line = Busy("copying", terminal)
    line.show(1.2)
    line.text = "checking"
    line.show(62.0)
    line.end()
    line.end()
    assert terminal.getvalue() == "\r\x1b[Kcopying: 1 s\r\x1b[Kchecking: 1:02\r\x1b[K"


def test_a_terminal_that_has_gone_is_no_reason_to_fail() -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    line = Busy("copying", Gone())
    line.show(2.0)
    line.end()


def test_a_thread_shows_it_on_a_terminal_while_the_work_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(module, "AFTER", 0.0)
    monkeypatch.setattr(module, "EVERY", 0.0)
    with busy("copying"):
        while "copying: 0 s" not in terminal.getvalue():
            pass
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_elsewhere_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    file = StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    monkeypatch.setattr(module, "AFTER", 0.0)
    with busy("copying") as line:
        line.text = "checking"
    assert file.getvalue() == ""
