"""A gateway on a store's network, under the restrictions of ``etc/ttgateway.service``, as `confining` sets them."""

import json
import os
import re
import socket
import sys
from pathlib import Path

from tests.system import confining
from tests.system.lan import Member, StoreDaemon, run

ROOT = Path(__file__).parents[2]
UNIT = (ROOT / "etc/ttgateway.service").read_text()
UID = 61_234
"""A user whom nobody else is."""


def setting(key: str) -> list[str]:
    """Return the values of a key of the unit, one for each line."""
    return re.findall(rf"^{key}=(.*)$", UNIT, re.MULTILINE)


def calls() -> list[str]:
    """Return the system calls that the unit allows."""
    allowed: set[str] = set()
    for line in setting("SystemCallFilter"):
        groups = _expanded(*line.removeprefix("~").split())
        allowed = allowed - groups if line.startswith("~") else allowed | groups
    return sorted(allowed)


def _expanded(*groups: str) -> set[str]:
    """Return the calls of the groups of systemd, and of the groups in them."""
    said = run("systemd-analyze", "syscall-filter", *groups)
    words = {line.strip() for line in said.splitlines() if line.startswith("    ") and "#" not in line}
    inner = {word for word in words if word.startswith("@")}
    return (words - inner) | (_expanded(*inner) if inner else set())


class ConfinedDaemon(StoreDaemon):
    """A gateway that may do no more than the unit lets it. ``nameserver`` is asked for names."""

    def __init__(self, folder: Path, member: Member, settings: str, nameserver: str) -> None:
        super().__init__(folder, member, settings)
        self._nameserver = nameserver
        folder.chmod(0o755)
        self.state.mkdir(mode=0o700)
        os.chown(self.state, UID, UID)

    def command(self) -> list[str]:
        """Return the command line."""
        into, line = super().command()[:4], super().command()[4:]
        wanted = {
            "command": line,
            "state": str(self.state),
            "show": [place for place in (sys.base_prefix, str(ROOT), str(self.folder)) if not place.startswith("/usr")],
            "nameserver": self._nameserver,
            "uid": UID,
            "files": int(setting("LimitNOFILE")[0]),
            "calls": calls(),
            "families": [getattr(socket, name) for name in setting("RestrictAddressFamilies")[0].split()],
        }
        apart = ["unshare", "--mount", "--ipc", "--propagation", "private"]
        return [*into, *apart, sys.executable, confining.__file__, json.dumps(wanted)]
