import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent


def test_the_command_begins_here() -> None:
    settings = ConfigParser()
    settings.read(PROJECT / "setup.cfg")
    assert settings["options.entry_points"]["console_scripts"].strip() == "ttgateway = ttgateway.commands.entry:begin"


def test_what_it_begins_with_does_not_import_the_reactor() -> None:
    look = "import ttgateway.commands.entry, sys; sys.exit('twisted' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0  # noqa: S603


def interrupted_while_importing(module: str, before: str = "") -> "subprocess.CompletedProcess[str]":
    """Press Ctrl-C at the moment when a command imports ``module``."""
    script = f"""
import os, signal, sys
{before}
class Press:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Press())
sys.argv = ["ttgateway", "--version"]
from ttgateway.commands.entry import begin
begin()
"""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize("module", ["ttgateway.commands.terminal.streams", "twisted.internet.defer"])
def test_ctrl_c_while_it_is_still_being_loaded_is_one_line(module: str) -> None:
    ended = interrupted_while_importing(module)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "ttgateway: interrupted\n")


def test_who_asked_for_no_interrupts_gets_none() -> None:
    ended = interrupted_while_importing("twisted.internet.defer", "signal.signal(signal.SIGINT, signal.SIG_IGN)")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_twisted_finds_the_signal_as_it_wants_it() -> None:
    look = (
        "import signal, ttgateway.commands.cli as cli, ttgateway.commands.entry as entry;"
        "cli.main = lambda: print(signal.getsignal(signal.SIGINT) is signal.default_int_handler);"
        "entry.begin()"
    )
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, check=False).stdout == b"True\n"  # noqa: S603
