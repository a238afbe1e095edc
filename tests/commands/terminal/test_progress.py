import errno
from io import StringIO

from twisted.internet.task import Clock

from ttgateway.commands.terminal.progress import ELSEWHERE, ON_TERMINAL, Progress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class Gone(Terminal):
    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_a_terminal_has_one_line_that_changes_but_not_too_often() -> None:
    clock, terminal = Clock(), Terminal()
    progress = Progress(terminal, clock.seconds)
    progress.show("1 change")
    progress.show("2 changes")
    clock.advance(ON_TERMINAL)
    progress.show("3 changes")
    assert terminal.getvalue() == "\r\x1b[K1 change\r\x1b[K3 changes"


def test_a_note_stays_on_a_terminal() -> None:
    terminal = Terminal()
    progress = Progress(terminal, Clock().seconds)
    progress.show("1 change")
    progress.note("trouble")
    progress.end()
    assert terminal.getvalue() == "\r\x1b[K1 change\r\x1b[Ktrouble\n"


def test_elsewhere_there_is_a_line_now_and_then() -> None:
    clock, file = Clock(), StringIO()
    progress = Progress(file, clock.seconds)
    for number in range(100):
        progress.show(f"{number} changes")
        clock.advance(ELSEWHERE / 40)
    assert file.getvalue() == "40 changes\n80 changes\n"


def test_a_terminal_that_has_gone_stops_nothing() -> None:
    progress = Progress(Gone(), Clock().seconds)
    progress.note("trouble")
    progress.show("1 change")
    progress.end()
