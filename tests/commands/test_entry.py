import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent


def test_the_command_begins_here() -> None:
    settings = ConfigParser()
    settings.read(PROJECT / "setup.cfg")
    assert settings["options.entry_points"]["console_scripts"].strip() == "ttgateway = ttgateway.commands.entry:begin"


def test_what_it_begins_with_does_not_import_the_reactor() -> None:
    look = "import ttgateway.commands.entry, sys; sys.exit('twisted' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0  # noqa: S603
