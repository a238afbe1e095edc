"""``ttgateway check`` as a process of its own: each fault is really planted, and it says what is so and what to do."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.clocks.daemon import library
from tests.system.daemon import Daemon, eventually, free_port
from tests.system.lan import Lan, StoreDaemon, run
from tests.system.listeners import Listener
from ttgateway.clock import MachineClock
from ttgateway.commands.gateway.offline import OfflineTokens
from ttgateway.store import opening

TTGATEWAY = Path(sys.executable).with_name("ttgateway")
ENDS_WITHIN = 30.0

NO_MULTICAST = """table inet t {
 chain c {
  type filter hook input priority 0;
  udp dport 5353 drop
 }
}
"""


class Doctor:
    """Runs the command on one state directory."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.port = free_port()

    def look(
        self, *options: str, inside: Sequence[str] = (), local: bool = True, errors: int = -1, **environment: str
    ) -> tuple[int, dict[str, list[tuple[str, str]]]]:
        """Return the exit code, and what is not well: part to what is so and what to do; with warnings left out.

        ``errors`` is where standard error goes; where that is a pipe, nothing may come.
        """
        where = f"tcp:{self.port}:interface=127.0.0.1" if local else "tcp:8000"
        line = [*inside, str(TTGATEWAY), "--state-dir", str(self.state), "check", "--json", "--listen", where, *options]
        variables, out = {**os.environ, **environment}, subprocess.PIPE
        ended = subprocess.run(  # noqa: S603
            line, check=False, stdout=out, stderr=errors, text=True, timeout=ENDS_WITHIN, env=variables
        )
        assert not ended.stderr, ended.stderr
        found: dict[str, list[tuple[str, str]]] = {}
        for one in json.loads(ended.stdout):
            assert (one["do"] == "") == (one["severity"] == "ok"), one
            if one["severity"] == "fault":
                found.setdefault(one["part"], []).append((one["what"], one["do"]))
        return ended.returncode, found

    def only(self, part: str, *options: str, **how: Any) -> tuple[str, str]:
        """Return the one fault that there is, which must be of ``part``: what is so, and what to do."""
        code, found = self.look(*options, **how)
        assert code == 1
        assert list(found) == [part], found
        [said] = found[part]
        return said


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    """A doctor for a gateway that is well, and does not run."""
    state = tmp_path / "state"
    OfflineTokens(state, MachineClock(), os.urandom).create("pos", key=False)
    return Doctor(state)


def test_where_nothing_is_wrong_the_exit_code_is_0(doctor: Doctor) -> None:
    assert doctor.look() == (0, {})


def test_a_full_disk(doctor: Doctor) -> None:
    copy = f"mount -t tmpfs -o size=1m,mode=700 tmpfs {doctor.state} && cp -a {doctor.state}.whole/. {doctor.state}"
    fill = f"umask 077; head -c 2m /dev/zero > {doctor.state}/fill 2>/dev/null"
    os.rename(doctor.state, f"{doctor.state}.whole")  # noqa: PTH104
    doctor.state.mkdir()
    what, do = doctor.only("disk", inside=["unshare", "-m", "sh", "-c", f'{copy} && {fill}; exec "$@"', "sh"])
    assert what.startswith("the disk is full, 0 MiB are free")
    assert do.startswith("Make room on it")


def test_a_wrong_clock(doctor: Doctor) -> None:
    faked = {"LD_PRELOAD": library(), "FAKETIME": "@2000-01-01 00:00:00", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    what, do = doctor.only("clock", **faked)
    assert what.endswith("UTC: it was never set")
    assert do == "Set it: timedatectl set-ntp true, or by hand: timedatectl set-time"


def test_a_taken_port_a_newer_schema_and_a_file_with_secrets_that_all_can_read(doctor: Doctor) -> None:
    path = doctor.state / "ttgateway.db"
    db = opening.connect(str(path))
    db.pragma("user_version", 99)
    db.close()
    path.chmod(0o644)
    with socket.create_server(("127.0.0.1", doctor.port)):
        code, found = doctor.look()
    assert (code, sorted(found)) == (1, ["port", "state", "store"])
    [(what, do)] = found["port"]
    assert what.startswith(f"port {doctor.port} is taken by ")
    assert what.endswith(f" (pid {os.getpid()})")
    assert do.startswith("End ")
    assert found["state"] == [(f"{path} can be read by others (mode 644)", f"chmod 600 {path}")]
    [(what, do)] = found["store"]
    assert "was written by a newer ttgateway (schema 99" in what
    assert do == "Install the newer version again"


def test_files_that_cannot_be_read(doctor: Doctor, tmp_path: Path) -> None:
    """Root reads everything, unless it gives that right away."""
    settings, store = tmp_path / "settings.toml", doctor.state / "ttgateway.db"
    settings.touch()
    for path in (settings, store):
        path.chmod(0o000)
    plain = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    code, found = doctor.look("--config", str(settings), inside=plain)
    assert (code, sorted(found)) == (1, ["settings", "state", "store"])
    [(what, do)] = found["settings"]
    assert what.startswith(f"{settings}: cannot be read: ")
    assert "Permission denied" in what
    assert f"chmod 644 {settings}" in do
    assert found["state"] == [(f"{store} cannot be used by its owner (mode 0)", f"chmod 600 {store}")]
    assert found["store"] == [
        (f"{store} cannot be read: permission denied", f"chmod 600 {store}, or run this as its owner")
    ]


@pytest.fixture
def told_apart(daemons: Callable[..., Daemon], listen: Callable[..., Listener]) -> tuple[Daemon, str, str]:
    """A gateway with one listener that is well, one that is dead, and one that the settings do not allow any more."""
    daemon = daemons('[callbacks]\nallow = ["127.83.1.0/24 port 9100"]').start()
    dead, healthy, forbidden = listen(), listen(), listen(host="127.83.1.2", port=9100)
    client = daemon.client()
    for listener in (dead, healthy, forbidden):
        assert client.register(listener.url).status == 200
    client.close()
    dead.close()
    daemon.stop()
    daemon.settings.write_text("[callbacks]\nallow = []\n")
    return daemon, dead.url, forbidden.url


def test_a_dead_listener_one_that_may_not_be_called_and_a_gateway_that_hangs(
    told_apart: tuple[Daemon, str, str],
) -> None:
    daemon, dead, forbidden = told_apart
    doctor = Doctor(daemon.state)
    why = f"{forbidden} gets nothing: port 9100 belongs to another kind of service, and not called"
    what, do = doctor.only("listener", "--config", str(daemon.settings))
    assert what == why
    assert do.startswith("Let it be called: ttgateway allow 127.83.1.2/32 port 9100; or forget it: ")

    daemon.start()
    code, found = doctor.look()
    assert (code, list(found)) == (1, ["listener"])
    assert [what for what, _ in found["listener"]] == [f"{dead} gets nothing: nothing listens there", why]

    daemon.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    screen, terminal = os.openpty()
    try:
        code, found = doctor.look(errors=terminal)
        assert b"\x1b[Kchecking: 3 s\r" in os.read(screen, 65_536)
    finally:
        os.close(screen)
        os.close(terminal)
        daemon.process.send_signal(signal.SIGCONT)
    assert time.monotonic() - began < 20
    assert code == 1
    assert "does not answer" in found["gateway"][0][0]
    assert "does not answer" in found["store"][0][0]
    pid = daemon.process.pid
    assert [what for what, _ in found["port"]] == [
        f"port {daemon.port}: the gateway (pid {pid}) holds it, but cannot be asked"
    ]


@pytest.fixture
def lan(tmp_path: Path) -> Iterator[Lan]:
    """A network."""
    lan = Lan(tmp_path)
    try:
        yield lan.open(watched=False)
    finally:
        lan.close()


def test_a_network_without_multicast_and_two_gateways_of_one_name(lan: Lan, tmp_path: Path, doctor: Doctor) -> None:
    alone = lan.join()
    daemons = [StoreDaemon(tmp_path / one.name, one) for one in (lan.join("10.77.0.11"), lan.join("10.77.0.12"))]
    try:
        for daemon in daemons:
            daemon.folder.mkdir()
            daemon.begin()
        eventually(lambda: all("Announced on the network as" in one.log() for one in daemons), 20.0)
        first, here = Doctor(daemons[0].state), ["ip", "netns", "exec", lan.namespaces[2]]
        what, do = first.only("network", inside=here)
        assert what == "another gateway is called ttgateway as well: at 10.77.0.12, port 8000"
        assert do == 'Give one of the two another name: name = "ttgateway 2" in its settings; then restart it'
        run(*here, "nft", NO_MULTICAST)
        what, do = first.only("network", inside=here)
        assert what.startswith("the gateway is announced as ttgateway")
        assert what.endswith(", but nobody hears it")
        assert do.startswith("Let UDP port 5353 through")
        what, do = doctor.only("network", inside=["ip", "netns", "exec", alone.name], local=False)
        assert what == "this machine has no network: no client finds the gateway"
        assert do == "Connect it: ip address"
    finally:
        for daemon in daemons:
            daemon.end()
