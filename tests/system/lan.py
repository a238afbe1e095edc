"""A store's network of its own: namespaces on one bridge, and an avahi that looks around on it. Needs root."""

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.system.daemon import Daemon, eventually

TTGATEWAY = Path(sys.executable).with_name("ttgateway")

SERVICE = "_tracker-http._tcp"

PORT = 8000

_BUS = """<busconfig><type>system</type><listen>unix:path={bus}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/><allow user="*"/>
</policy></busconfig>"""

_AVAHI = """[server]
host-name=watcher
use-ipv4=yes
use-ipv6=no
allow-interfaces=br0
disallow-other-stacks=no
ratelimit-interval-usec=0
[publish]
disable-publishing=yes
"""


class Announced(NamedTuple):
    """One service as avahi resolves it."""

    name: str
    host: str
    address: str
    port: str
    text: str


def run(*command: str, within: float = 20.0) -> str:
    """Run a command of the system to its end; return what it printed, and fail the test if it fails."""
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=within)  # noqa: S603
    assert ended.returncode == 0, f"{command}: {ended.stderr}"
    return ended.stdout


class Member:
    """A machine on the network: a namespace with one interface, ``lan0``."""

    def __init__(self, lan: "Lan", number: int) -> None:
        self.name = f"{lan.name}-{number}"
        self._lan = lan.name
        self._port = f"port{number}"
        run("ip", "netns", "add", self.name)
        lan.namespaces.append(self.name)
        peer = ["peer", "name", self._port, "netns", lan.name]
        run("ip", "link", "add", "lan0", "netns", self.name, "type", "veth", *peer)
        run("ip", "-n", lan.name, "link", "set", self._port, "master", "br0", "up")
        for interface in ("lo", "lan0"):
            run("ip", "-n", self.name, "link", "set", interface, "up")

    def separate(self) -> None:
        """Be where nobody hears us; the cable stays plugged in."""
        run("ip", "-n", self._lan, "link", "set", self._port, "nomaster")

    def rejoin(self) -> None:
        """Be on the network again."""
        run("ip", "-n", self._lan, "link", "set", self._port, "master", "br0")

    def take(self, address: str) -> None:
        """Have ``address``, and no other."""
        run("ip", "-n", self.name, "addr", "flush", "dev", "lan0", "scope", "global")
        run("ip", "-n", self.name, "addr", "add", f"{address}/24", "dev", "lan0")


class Lan:
    """The bridge, and the namespace in which avahi looks around; its members come by `join`."""

    def __init__(self, folder: Path) -> None:
        self.name = f"ttg{os.getpid()}x{random.randrange(10_000)}"  # noqa: S311
        self.namespaces: list[str] = []
        self._folder = folder
        self._bus = f"unix:path={folder / 'bus'}"
        self._processes: list[subprocess.Popen[bytes]] = []

    def open(self, *, watched: bool = True) -> "Lan":
        """Make it all; avahi only where it is ``watched``."""
        run("ip", "netns", "add", self.name)
        self.namespaces.append(self.name)
        run("ip", "-n", self.name, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        run("ip", "-n", self.name, "addr", "add", "10.77.0.1/24", "dev", "br0")
        for interface in ("lo", "br0"):
            run("ip", "-n", self.name, "link", "set", interface, "up")
        if watched:
            self._start_avahi()
        return self

    def close(self) -> None:
        """Leave nothing behind."""
        for process in self._processes:
            process.kill()
            process.wait(10)
        for namespace in self.namespaces:
            subprocess.run(["ip", "netns", "del", namespace], check=False, timeout=20)  # noqa: S603, S607

    def join(self, address: str = "") -> Member:
        """Return a new machine on the network; without an address, if none is named."""
        member = Member(self, len(self.namespaces))
        if address:
            member.take(address)
        return member

    def start(self, *command: str, where: str = "") -> "subprocess.Popen[bytes]":
        """Begin a command in one of the namespaces; it is ended with the network."""
        line, nowhere = ["ip", "netns", "exec", where or self.name, *command], subprocess.DEVNULL
        process = subprocess.Popen(line, stdin=nowhere, stdout=nowhere, stderr=nowhere)  # noqa: S603
        self._processes.append(process)
        return process

    def found(self) -> list[Announced]:
        """Return what avahi finds, by name."""
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self._bus}
        line = ["ip", "netns", "exec", self.name, "avahi-browse", "-rpt", SERVICE]
        ended = subprocess.run(  # noqa: S603
            line, check=False, env=environment, capture_output=True, text=True, timeout=20
        )
        assert ended.returncode == 0, ended.stderr
        rows = [row.split(";") for row in ended.stdout.splitlines() if row.startswith("=")]
        return sorted(Announced(row[3], *row[6:10]) for row in rows)

    def places(self) -> list[tuple[str, str]]:
        """Return the names and the addresses that avahi finds."""
        return [(one.name, one.address) for one in self.found()]

    def discover(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run ``ttgateway discover`` where avahi looks around."""
        line = ["ip", "netns", "exec", self.name, str(TTGATEWAY), "discover", *arguments]
        return subprocess.run(line, check=False, capture_output=True, text=True, timeout=30, cwd=self._folder)  # noqa: S603

    def _start_avahi(self) -> None:
        """Start avahi on a bus of its own, and with a /run of its own: the machine's are not touched."""
        bus, avahi = self._folder / "bus.conf", self._folder / "avahi.conf"
        bus.write_text(_BUS.format(bus=self._folder / "bus"))
        avahi.write_text(_AVAHI)
        self.start("dbus-daemon", f"--config-file={bus}", "--nofork", "--nopidfile")
        eventually((self._folder / "bus").exists)
        script = (
            f"mount -t tmpfs run /run && mkdir /run/avahi-daemon && export DBUS_SYSTEM_BUS_ADDRESS={self._bus} && "
            f"exec avahi-daemon -f {avahi} --no-drop-root --no-chroot --no-rlimits"
        )
        self.start("sh", "-c", script)  # ip netns exec gives it a mount namespace
        eventually(self._looks_around)

    def _looks_around(self) -> bool:
        try:
            return self.found() == []
        except AssertionError:
            return False


class StoreDaemon(Daemon):
    """A gateway on a member of the network, as a store has it: on all addresses, port 8000."""

    def __init__(self, folder: Path, member: Member, settings: str = "") -> None:
        super().__init__(folder, settings)
        self._member = member

    def command(self) -> list[str]:
        """Return the command line."""
        line = super().command()
        line[line.index("--listen") + 1] = f"tcp:{PORT}"
        return ["ip", "netns", "exec", self._member.name, *line]

    def serves(self) -> bool:
        """Tell whether it answers, on its control socket: its port is in another network."""
        assert self.process.poll() is None, f"the daemon ended by itself: {self.log()[-2000:]}"
        try:
            return bool(self.control("GET", "/orders") == [])
        except OSError:
            return False
