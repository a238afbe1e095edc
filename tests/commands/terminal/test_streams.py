import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TextIO

import pytest

from ttgateway.commands.terminal.streams import open_closed, printing


def test_each_closed_stream_gets_its_number_back(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, int]] = []

    def closed(number: int) -> None:
        raise OSError(9, "Bad file descriptor")

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", sys.stdout)
        patch.setattr(os, "fstat", closed)
        patch.setattr(os, "open", lambda path, how: opened.append((path, how)))
        open_closed()
    assert opened == [(os.devnull, os.O_RDONLY), (os.devnull, os.O_RDONLY), (os.devnull, os.O_WRONLY)]


def test_streams_that_are_open_stay_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_now() -> tuple[object, ...]:
        return sys.stdout.encoding, sys.stdout.errors, sys.stderr, len(list(Path("/proc/self/fd").iterdir()))

    monkeypatch.setattr(sys, "stdout", sys.stdout)  # to be put back
    before = open_now()
    open_closed()
    assert open_now() == before


def test_output_is_buffered_though_python_was_asked_for_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb", buffering=0) as raw:
        unbuffered = io.TextIOWrapper(raw, write_through=True)
        monkeypatch.setattr(sys, "stdout", unbuffered)
        open_closed()
        assert isinstance(sys.stdout.buffer, io.BufferedWriter)


def test_what_python_took_for_closed_can_be_printed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        patch.setattr(sys, "stderr", None)
        open_closed()
        numbers = sys.stdout.fileno(), sys.stderr.fileno()
    assert numbers == (1, 2)


@pytest.fixture
def full() -> Iterator[TextIO]:
    """A file on a disk without room."""
    with Path("/dev/full").open("w") as full:
        yield full
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())  # what waits in it goes there


def test_output_that_cannot_be_written_is_one_line_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], full: TextIO
) -> None:
    monkeypatch.setattr(sys, "stdout", full)
    with pytest.raises(SystemExit) as ended, printing():
        print("a result", flush=True)
    full.flush()  # as Python does at its exit
    assert ended.value.code == 1
    assert capsys.readouterr().err == "ttgateway: standard output cannot be written: No space left on device\n"


@contextlib.contextmanager
def standard_output(path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str = "utf-8") -> Iterator[None]:
    """Let the process begin with its standard output at ``path``, in this encoding."""
    outside = os.dup(1)
    with path.open("wb") as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", SimpleNamespace(encoding=encoding, errors="strict"))
        os.dup2(file.fileno(), 1)
        try:
            open_closed()
            yield
        finally:
            os.dup2(outside, 1)
            os.close(outside)


def test_output_of_many_lines_that_cannot_be_written_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with standard_output(Path("/dev/full"), monkeypatch), pytest.raises(SystemExit) as ended, printing():
        print("a result\n" * 10_000)  # more than waits in any buffer
    assert ended.value.code == 1
    assert capsys.readouterr().err == "ttgateway: standard output cannot be written: No space left on device\n"


def test_what_the_terminal_has_no_character_for_is_escaped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with standard_output(tmp_path / "out", monkeypatch, "latin-1"), printing():
        print("Café 日本")
    assert (tmp_path / "out").read_bytes() == "Café ".encode("latin-1") + b"\\u65e5\\u672c\n"


def test_what_else_fails_is_not_taken_for_it() -> None:
    with pytest.raises(PermissionError), printing():
        raise PermissionError


def test_errors_that_cannot_be_written_change_no_exit_code(monkeypatch: pytest.MonkeyPatch, full: TextIO) -> None:
    monkeypatch.setattr(sys, "stderr", full)
    with printing(), pytest.raises(OSError, match="No space left"):
        print("an error", file=sys.stderr, flush=True)
    full.flush()
