"""A page of the documentation, walked through as a reader does: ``python -m tests.docs.walk PAGE FOLDER``.

It goes on in namespaces of its own, so that ports, processes and paths are those of the page, whatever runs beside.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.docs.pages import ROOT, Block, blocks
from tests.docs.terminal import Terminal, Wrong, shows

_INSIDE = "TTGATEWAY_WALK_INSIDE"
_SERVING = re.compile(r"make run|twistd .*--listen tcp:(?P<port>\d+)")
SETTLES = 0.3
"""Seconds after which a command that goes on, and of which the page shows nothing, is taken to run."""


class Walk:
    """One walk through a page; ``folder`` is empty, and becomes like a clone of the project."""

    def __init__(self, folder: Path) -> None:
        self._clone = folder / "clone"
        self._clone.mkdir()
        for path in ROOT.iterdir():
            if path.name not in (".git", "ttgateway-state"):
                (self._clone / path.name).symlink_to(path)
        self._scratch = folder
        self._terminals: dict[str, Terminal] = {}

    def terminal(self, name: str) -> Terminal:
        """Return the terminal of this name, opened now if it is a new one."""
        if name not in self._terminals:
            self._terminals[name] = Terminal(name, self._clone, self._scratch / f"terminal{len(self._terminals)}")
        return self._terminals[name]

    def take(self, block: Block) -> None:
        """Do what a block is for; raise `Wrong` if that comes to something else than the page says."""
        for mark in block.marks:
            if mark.startswith("after "):
                self.terminal("hidden").run(mark.removeprefix("after "))
            elif mark.startswith("Ctrl-C in "):
                self.terminal(mark.removeprefix("Ctrl-C in ")).press_ctrl_c()
            elif mark.startswith("Ctrl-D in "):
                self.terminal(mark.removeprefix("Ctrl-D in ")).press_ctrl_d()
            elif mark.startswith("with "):
                self._start(self.terminal(mark), mark.removeprefix("with "), "")
        showing = next((mark.removesuffix(" shows") for mark in block.marks if mark.endswith(" shows")), None)
        path, typed = block.mark("file "), block.mark("type in ")
        if path is not None:
            (self._clone / path).write_text(block.text + "\n")
        elif typed is not None:
            self.terminal(typed).type(block.text)
        elif showing is not None:
            self.terminal(showing).shows(block.text)
        elif block.language in ("sh", "console") and not (block.mark("not run, ") or block.mark("run by ")):
            self._run(block, block.mark("in "))

    def _run(self, block: Block, name: str | None) -> None:
        terminal = self.terminal(name or "main")
        for command, expected in commands(block):
            if name is not None:
                self._start(terminal, command, expected)
                continue
            printed = terminal.run(command, strict=block.language == "sh")
            if expected and not shows(printed, expected):
                raise Wrong(f"{command}\nshould show:\n{expected}\nbut shows:\n{printed}")

    def _start(self, terminal: Terminal, command: str, expected: str) -> None:
        """Start a command that goes on, and wait until it does its work."""
        before = len(terminal.printed)
        terminal.start(command)
        if expected:
            terminal.shows(expected, before)
        if serving := _SERVING.search(command):
            self.terminal("waiting").run(
                f"until curl -s -o /dev/null http://127.0.0.1:{serving['port'] or 8000}/api/v2; do sleep 0.1; done"
            )
        elif not expected:
            time.sleep(SETTLES)

    def end(self) -> None:
        """Leave nothing behind."""
        for terminal in self._terminals.values():
            terminal.end()


def commands(block: Block) -> list[tuple[str, str]]:
    """Return the commands of a block, each with what it prints by the page: ``""`` where the page does not say."""
    if block.language == "sh":
        return [(block.text, "")]
    found: list[tuple[str, str]] = []
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        ends = next((n for n, line in enumerate(lines[1:], 1) if not line.startswith("> ")), len(lines))
        command = [lines[0], *(line.removeprefix("> ") for line in lines[1:ends])]
        found.append(("\n".join(command), "\n".join(lines[ends:])))
    return found


def walk(page: Path, folder: Path) -> int:
    """Walk through a page; return 0 if all is as it says, else say what is not."""
    walk = Walk(folder)
    block = None
    try:
        for block in blocks(page):
            walk.take(block)
        for terminal in walk._terminals.values():
            if "Traceback" in terminal.printed:
                raise Wrong(terminal.printed)
    except Wrong as wrong:
        print(f"{block.place if block else page}: {wrong}")
        for name, terminal in walk._terminals.items():
            print(f"\n[{name}]\n{terminal.printed[-1500:]}")
        return 1
    finally:
        walk.end()
    return 0


def main(page: str, folder: str) -> int:
    """Go into namespaces of our own, and walk there."""
    if os.environ.get(_INSIDE) != "1":
        os.environ[_INSIDE] = "1"
        own = [] if os.geteuid() == 0 else ["--map-root-user"]
        spaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        os.execvp("unshare", ["unshare", *own, *spaces, sys.executable, "-m", "tests.docs.walk", page, folder])  # noqa: S606, S607
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)  # noqa: S607
    return walk(Path(page), Path(folder))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
