"""The options of ``twistd ttgateway``, and what the commands take by themselves as it does."""

import sys
from typing import NoReturn

from twisted.python import usage

from ttgateway import __version__

STATE_DIR = "ttgateway-state"
"""The state directory where none is named."""


class Options(usage.Options):
    """The options of ``twistd ttgateway``."""

    synopsis = "[options]"
    longdesc = (
        "An in-store order gateway: tells kitchen displays, pagers and back-office machines of every order change."
    )
    optParameters = [  # noqa: RUF012  # as Twisted wants it
        ["listen", "l", "tcp:8000", "Where to serve the API: a Twisted endpoint description."],
        [
            "state-dir",
            "d",
            STATE_DIR,
            "The folder that holds all that must survive a restart; one gateway each.",
        ],
        ["config", "c", None, "A TOML file with settings; etc/ttgateway.toml explains them."],
    ]

    def opt_version(self) -> NoReturn:
        """Print the version and end."""
        sys.stdout.write(f"ttgateway {__version__}\n")
        raise SystemExit(0)

    @property
    def logs_to_stdout(self) -> bool:
        """Whether twistd was started so that it logs to standard output, in no form that its own options name."""
        twistd = self.parent
        if not twistd or not twistd["nodaemon"]:
            return False
        return twistd["logfile"] in (None, "", "-") and not twistd["syslog"] and not twistd["logger"]
