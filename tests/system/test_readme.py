"""The README's walk, as it stands there: every command in it is run, in its order, on ports and a state of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.daemon import eventually, free_port

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.rst").read_text()
BIN = f"{Path(sys.executable).parent}/"
ENDS_WITHIN = 20.0
AWAY = 2.0
"""Seconds for which the listener is away."""

_BLOCK = re.compile(r"^\.\. code-block:: sh\n\n((?:   .*\n)+)", re.MULTILINE)
_LINE = re.compile(r"^\d\d:\d\d:\d\d +(\d+) ")


class Running:
    """A command that runs in a terminal of its own, as it were; ``text`` is what it has printed."""

    def __init__(self, command: str, output: Path, environment: dict[str, str]) -> None:
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(  # noqa: S603
                ["bash", "-c", f"exec {command}"],  # noqa: S607
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self._output.read_text()

    def seqs(self) -> list[int]:
        """Return the seq of each change that a listener has printed, but for those that it knew."""
        lines = [line for line in self.text.splitlines() if "told before" not in line]
        return [int(found[1]) for line in lines if (found := _LINE.match(line))]

    def has_printed(self, count: int) -> Callable[[], bool]:
        """Return what tells whether so many changes were printed."""
        return lambda: len(self.seqs()) >= count

    def press_ctrl_c(self) -> None:
        """End it as a person does, and see that it ends well."""
        os.killpg(self.process.pid, signal.SIGINT)
        assert self.process.wait(ENDS_WITHIN) == 0, self.text

    def ended(self) -> int:
        return self.process.wait(ENDS_WITHIN)

    def end(self) -> None:
        """Leave nothing behind, whatever has happened: all that it started is in its session."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.process.wait(ENDS_WITHIN)


class Walk:
    """The commands of the README, one after the other, with the ports and the state directory of this test."""

    def __init__(self, folder: Path) -> None:
        self.gateway, self.listener, self.own_listener = free_port(), free_port(), free_port()
        self.environment = {**os.environ, "TTGATEWAY_STATE_DIR": str(folder / "state")}
        self._folder = folder
        self._commands: list[str] = [line.strip() for block in _BLOCK.findall(README) for line in block.splitlines()]
        self._running: list[Running] = []

    def take(self, begins: str) -> str:
        """Return the next command, which begins like this, for where this test may run it."""
        assert self._commands, f"the README has nothing after: {begins}"
        command = self._commands.pop(0)
        assert command.startswith(begins), f"the README goes on with {command!r}, and not with {begins!r}"
        for here, there in (
            (":8000", f":{self.gateway}"),
            ("8990", str(self.own_listener)),
            (".venv/bin/", BIN),
            ("python3 ", f"{sys.executable} "),
        ):
            command = command.replace(here, there)
        return command

    def run(self, command: str) -> str:
        """Run a command to its end, and return what it prints; the script is a file, so that pgrep does not find it."""
        script = self._folder / "script"
        script.write_text(command)
        ran = subprocess.run(  # noqa: S603
            ["bash", script],  # noqa: S607
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ENDS_WITHIN,
            check=False,
        )
        assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def start(self, command: str, more: str = "") -> Running:
        """Start a command that goes on; ``more`` is put at its end."""
        output = self._folder / f"output{len(self._running)}"
        self._running.append(Running(f"{command} {more}", output, self.environment))
        return self._running[-1]

    def make_run(self, command: str) -> Running:
        """Start the gateway, and wait until it serves."""
        making = self.start(command, f"PORT={self.gateway} STATE={self.environment['TTGATEWAY_STATE_DIR']}")
        eventually(lambda: self.serves() or making.process.poll() is not None, 60)
        assert making.process.poll() is None, making.text
        return making

    def serves(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.gateway}/api/v2", timeout=2) as reply:
                return bool(json.load(reply)["status"] == 200)
        except OSError:
            return False

    def listen(self, command: str) -> Running:
        listening = self.start(command, f"--gateway http://127.0.0.1:{self.gateway} --port {self.listener}")
        eventually(lambda: "ORDER" in listening.text or listening.process.poll() is not None)
        assert listening.process.poll() is None, listening.text
        return listening

    def is_over(self) -> bool:
        """Tell whether every command was taken."""
        return not self._commands

    def end(self) -> None:
        for running in self._running:
            running.end()


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    walk = Walk(tmp_path)
    yield walk
    walk.end()


@pytest.mark.timeout(180)
def test_the_walk(walk: Walk) -> None:
    make_run = walk.take("make run")
    making = walk.make_run(make_run)
    assert "-m pytest" in walk.run(f"{walk.take('make test')} --dry-run")  # what is running just now

    link = walk.run(f"{walk.take('.venv/bin/ttgateway open')} --print")
    assert link.startswith(f"http://127.0.0.1:{walk.gateway}/#open=")

    first = walk.listen(walk.take(".venv/bin/ttgateway listen --keep"))
    floor = walk.start(
        walk.take(".venv/bin/ttgateway simulate"), f"--gateway http://127.0.0.1:{walk.gateway} --speed 600"
    )
    eventually(first.has_printed(10))
    first.press_ctrl_c()
    assert "stays registered" in first.text

    time.sleep(AWAY)
    shown = walk.run(walk.take(".venv/bin/ttgateway listeners")).splitlines()
    assert f"http://127.0.0.1:{walk.listener}/" in shown[1]
    assert int(shown[1].split()[4]) > 0, shown
    second = walk.listen(walk.take(".venv/bin/ttgateway listen --keep"))
    eventually(second.has_printed(30))

    walk.run(walk.take("kill -9 "))
    assert making.ended() != 0
    before = len(second.seqs())
    making = walk.make_run(make_run)
    eventually(second.has_printed(before + 20))
    floor.press_ctrl_c()
    assert "changes in" in floor.text
    last = _last_seq(walk)
    eventually(lambda: second.seqs()[-1] == last)
    second.press_ctrl_c()
    for listening in (first, second):
        assert listening.seqs() == sorted(set(listening.seqs()))
    assert {*first.seqs(), *second.seqs()} == set(range(1, last + 1))
    assert len(first.seqs()) + len(second.seqs()) <= last + 1  # the one under way at the Ctrl-C may have come again

    from_own_software(walk)
    assert walk.is_over()
    walk.run(f"kill -TERM $(pgrep -f 'ttgateway --listen tcp:{walk.gateway}')")
    assert making.ended() == 0, making.text


def from_own_software(walk: Walk) -> None:
    """Walk through the second part: a token, a listener of one's own, and orders by curl."""
    walk.environment["TOKEN"] = walk.run(f'{walk.take("TOKEN=")}; echo "$TOKEN"').strip()
    assert re.fullmatch("[0-9a-f]{48}", walk.environment["TOKEN"])
    listener = walk.start(walk.take("python3 examples/short_listener.py"))
    eventually(lambda: _answers(walk.own_listener))
    for code in (1005, 5, 5, 6):
        reply = json.loads(walk.run(walk.take("curl ")))
        assert (reply["status"], reply["returnCode"]) == (200, code)
    eventually(lambda: len(listener.text.splitlines()) == 3)
    told = [line.split()[1:] for line in listener.text.splitlines()]
    assert told == [
        ["ORDER_CREATED", "66", "started"],
        ["ORDER_MODIFIED", "66", "located"],
        ["ORDER_MODIFIED", "66", "cleared"],
    ]
    assert json.loads(walk.run(walk.take("curl -u")))["message"].startswith("Registered client at: ")
    assert json.loads(walk.run(walk.take("curl -s")))["openapi"].startswith("3.1")
    missed = json.loads(walk.run(walk.take("curl -H")))
    assert (missed["returnCode"], [change["seq"] for change in missed["items"]]) == (902, [1, 2])
    assert "Revoked" in walk.run(walk.take(".venv/bin/ttgateway token revoke"))


def test_the_command_tells_what_it_can_do(walk: Walk) -> None:
    shown = walk.run(f"{BIN}ttgateway --help")
    for command in set(re.findall(r"ttgateway ([a-z]+) ?", " ".join(_BLOCK.findall(README)))) - {"--listen"}:
        assert re.search(rf"^  {command} ", shown, re.MULTILINE), command


def test_each_file_that_it_names_is_there() -> None:
    for name in re.findall(r"``((?:docs|etc)/[^`]*?|[A-Z]+(?:\.rst)?)``", README):
        assert name == "SEQ" or name.startswith("docs/_build") or (ROOT / name).exists(), name


def _answers(port: int) -> bool:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=2):  # noqa: S310
            return True
    except OSError:
        return False


def _last_seq(walk: Walk) -> int:
    """Return the seq of the newest change: what the listener was told and what waits for it, as it came first."""
    shown = walk.run(f"{BIN}ttgateway listeners --json")
    (listener,) = json.loads(shown)
    return int(listener["delivered"]) + int(listener["pending"])
