"""Terminals, as it were: each has a shell's variables of its own, and what goes on in one is ended by Ctrl-C."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.system.daemon import eventually

LONGEST = 30.0
"""Seconds that a command may take, or that is waited for a line."""

_VARYING = (
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b[0-9a-f]{48}\b"), "TOKEN"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]"), ""),
    (re.compile(r"\b\d\d:\d\d(:\d\d)?\b"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)?\s(ms|s|min|h|GB|MB|kB)\b"), "AMOUNT"),
    (re.compile(r"\s+"), " "),
)


class Wrong(Exception):
    """A page shows something else than what happens."""


def leveled(line: str) -> str:
    """Return a line without what is another at each run: ids, times, amounts with a unit, the width of columns."""
    for varying, name in _VARYING:
        line = varying.sub(name, line)
    return line.strip()


def shows(printed: str, expected: str) -> bool:
    """Tell whether ``printed`` begins with the lines of ``expected``; ``...`` there stands for anything."""
    parts = []
    for line in expected.splitlines():
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*".join(map(re.escape, leveled(line).split("..."))) + r"\n")
    return re.match("".join(parts), "\n".join(map(leveled, printed.splitlines())) + "\n") is not None


class Terminal:
    """One terminal of a walk, in ``folder``; ``name`` is for people, ``files`` how the names of its files begin."""

    def __init__(self, name: str, folder: Path, files: Path) -> None:
        self.name = name
        self._folder = folder
        self._files = files
        self._variables = files.with_suffix(".variables")
        self._script = files.with_suffix(".script")
        self._output = files.with_suffix(".output")
        self._output.touch()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def printed(self) -> str:
        """All that it has printed, what is typed not among it."""
        return self._output.read_text("utf-8", "replace")

    def run(self, command: str, *, strict: bool = False) -> str:
        """Run a command to its end, and return what it printed; raise `Wrong` where it fails.

        ``strict``: a script, in which no command and no HTTP request may fail.
        """
        before = len(self.printed)
        home = self._files.with_suffix(".home")
        home.mkdir(exist_ok=True)
        (home / ".curlrc").write_text("fail-with-body\n" if strict else "")
        command = f"CURL_HOME={home}\n{'set -e' if strict else ''}\n{command}"
        self.start(command)
        assert self._process is not None
        try:
            code = self._process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            raise Wrong(f"does not end: {command}\n{self.printed[before:]}") from None
        self._done()
        printed = self.printed[before:]
        if code:
            raise Wrong(f"exit code {code}: {command}\n{printed}")
        return printed

    def start(self, command: str) -> None:
        """Start a command that goes on; raise `Wrong` where something runs here already."""
        if self._process is not None and self._process.poll() is None:
            raise Wrong(f"something runs in the terminal {self.name} already, before: {command}")
        kept = self._variables
        self._script.write_text(f"set -a; [ ! -e {kept} ] || . {kept}; trap 'export -p >{kept}' EXIT\n{command}\n")
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603
                ["bash", self._script],  # noqa: S607
                cwd=self._folder,
                env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin:/sbin"},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def type(self, text: str) -> None:
        """Type lines into what goes on here."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode() + b"\n")
        self._process.stdin.flush()

    def shows(self, expected: str, after: int = 0) -> None:
        """Wait until these lines stand one after the other in what was printed; raise `Wrong` if they never do."""

        def is_there() -> bool:
            lines = self.printed[after:].splitlines()
            return any(shows("\n".join(lines[first:]), expected) for first in range(len(lines)))

        try:
            eventually(is_there, LONGEST, 0.05)
        except AssertionError:
            raise Wrong(f"the terminal {self.name} never shows:\n{expected}\nbut:\n{self.printed[after:]}") from None

    def press_ctrl_d(self) -> None:
        """End the input of what goes on, and so that; raise `Wrong` if it does not end."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._ends("Ctrl-D")

    def press_ctrl_c(self) -> None:
        """End what goes on, as a person does; raise `Wrong` if that does not work."""
        if self._process is None or self._process.poll() is not None:
            raise Wrong(f"nothing runs in the terminal {self.name}:\n{self.printed}")
        os.killpg(self._process.pid, signal.SIGINT)
        self._ends("Ctrl-C")

    def _ends(self, key: str) -> None:
        assert self._process is not None
        try:
            self._process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            raise Wrong(f"{key} does not end what runs in the terminal {self.name}") from None
        self._done()

    def end(self) -> None:
        """Leave nothing behind."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(LONGEST)
            self._done()

    def _done(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process = None
