"""A radio bridge at a real daemon: by Unix socket, by TCP, by a serial line, from the example of the documentation."""

import json
import os
import pty
import socket
import subprocess
import sys
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.system.daemon import Client, Daemon, eventually, free_port

ROOT = Path(__file__).parent.parent.parent
Daemons = Callable[..., Daemon]
Call = Callable[[Daemon], Client]
LONGEST = 20.0
"""Seconds that a bridge waits for a line."""


class Bridge:
    """A bridge on a connection that is there."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(LONGEST)
        self._connection = connection
        self._file: BinaryIO = connection.makefile("rb")

    def say(self, report: dict[str, object]) -> None:
        self._connection.sendall(json.dumps(report).encode() + b"\n")

    def told(self) -> dict[str, Any]:
        """Return the next line that it is told; ``{}`` at the end."""
        return dict(json.loads(self._file.readline() or b"{}"))

    def close(self) -> None:
        self._file.close()
        self._connection.close()


@pytest.fixture
def call() -> Iterator[Callable[[Daemon], Client]]:
    """Make clients of running daemons."""
    made: list[Client] = []

    def make(daemon: Daemon) -> Client:
        made.append(daemon.client())
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def socket_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a path that is short enough for sockets."""
    return tmp_path_factory.mktemp("b")


def bridge_settings(key: str, address: object) -> str:
    return f'[bridge]\n{key} = "{address}"\n'


def dial(path: Path) -> Bridge:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    return Bridge(connection)


def orders(client: Client) -> dict[str, tuple[str, str, bool]]:
    """Return state, table and paging of each active order."""
    items = client.call("GET", "/api/v2/activeorders").fields["items"]
    return {item["name"]: (item["state"], item["locationName"], item["paged"]) for item in items}


def check_serves(client: Client, bridge: Bridge) -> None:
    """Let a tracker start an order, be put on a table, be paged, and be put back."""
    assert bridge.told() == {"pairing": 0}
    bridge.say({"tracker": "66", "event": "started"})
    bridge.say({"tracker": "66", "event": "located", "location": "22"})
    eventually(lambda: orders(client) == {"66": ("located", "22", False)})
    assert client.call("POST", "/api/v2/activeorders/66/page", {}).status == 200
    assert bridge.told() == {"page": "66", "tracking": True}
    bridge.say({"tracker": "66", "event": "cleared"})
    assert bridge.told() == {"unpage": "66"}
    eventually(lambda: orders(client) == {})


def test_a_bridge_connects_to_our_unix_socket(daemons: Daemons, call: Call, socket_folder: Path) -> None:
    path = socket_folder / "bridge.sock"
    daemon = daemons(bridge_settings("listen", f"unix:{path}")).start()
    assert path.stat().st_mode & 0o777 == 0o660
    bridge = dial(path)
    check_serves(call(daemon), bridge)
    daemon.stop()
    assert bridge.told() == {}
    assert not path.exists()
    bridge.close()


def test_a_socket_left_by_a_killed_gateway_is_taken_over_and_pages_are_told_again(
    daemons: Daemons, call: Call, socket_folder: Path
) -> None:
    path = socket_folder / "bridge.sock"
    daemon = daemons(bridge_settings("listen", f"unix:{path}")).start()
    bridge, client = dial(path), call(daemon)
    client.post_order(66)
    client.call("POST", "/api/v2/activeorders/66/page", {})
    daemon.kill()
    bridge.close()
    daemon.start()
    bridge = dial(path)
    assert [bridge.told(), bridge.told()] == [{"page": "66", "tracking": True}, {"pairing": 0}]
    bridge.close()


def test_a_bridge_connects_to_our_port(daemons: Daemons, call: Call) -> None:
    port = free_port()
    daemon = daemons(bridge_settings("listen", f"tcp:127.0.0.1:{port}")).start()
    bridge = Bridge(socket.create_connection(("127.0.0.1", port)))
    check_serves(call(daemon), bridge)
    newer = Bridge(socket.create_connection(("127.0.0.1", port)))
    assert newer.told() == {"pairing": 0}
    newer.say({"tracker": "x", "event": "seen"})
    assert newer.told() == {"error": "Invalid order name. Must be a string of 1 to 10 digits.", "line": 1}
    for each in (bridge, newer):
        each.close()


def test_the_port_of_the_bridge_is_ours_and_no_listener_can_be_there(daemons: Daemons, call: Call) -> None:
    port = free_port()
    client = call(daemons(bridge_settings("listen", f"tcp:127.0.0.1:{port}")).start())
    bridge = Bridge(socket.create_connection(("127.0.0.1", port)))
    reply = client.register(f"http://127.0.0.1:{port}/")
    assert (reply.status, reply.fields["returnCode"]) == (403, -29)
    assert f"127.0.0.1 is this gateway itself, with port {port}" in reply.fields["message"]
    check_serves(client, bridge)  # a connection of ours would have taken the place of the bridge
    bridge.close()


@pytest.fixture
def bridge_port() -> Iterator[tuple[socket.socket, int]]:
    """A port on which a bridge listens for us."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LONGEST)
        yield server, server.getsockname()[1]


def test_we_connect_to_a_bridge_and_again_when_it_is_lost(
    daemons: Daemons, call: Call, bridge_port: tuple[socket.socket, int]
) -> None:
    server, port = bridge_port
    daemon = daemons(bridge_settings("at", f"tcp:127.0.0.1:{port}")).start()
    for _ in range(2):
        bridge = Bridge(server.accept()[0])
        check_serves(call(daemon), bridge)
        bridge.close()


def test_we_connect_to_a_unix_socket_that_appears_later(daemons: Daemons, call: Call, socket_folder: Path) -> None:
    path = socket_folder / "zigbee.sock"
    daemon = daemons(bridge_settings("at", f"unix:{path}")).start()
    time.sleep(0.5)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        server.settimeout(LONGEST)
        bridge = Bridge(server.accept()[0])
        check_serves(call(daemon), bridge)
        bridge.close()


class SerialBridge(Bridge):
    """A bridge at the other end of a serial line: a pseudo-terminal."""

    def __init__(self, end: int, far_end: int) -> None:
        self._end = end
        self._far_end = far_end  # open until the gateway has opened it, or there would be no line yet
        self._file = os.fdopen(os.dup(end), "rb", buffering=0)

    def say(self, report: dict[str, object]) -> None:
        os.write(self._end, json.dumps(report).encode() + b"\n")

    def close(self) -> None:
        self._file.close()
        os.close(self._end)
        os.close(self._far_end)


def serial_line(link: Path) -> SerialBridge:
    """Return a bridge, and let ``link`` lead to our end of the line to it."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    link.unlink(missing_ok=True)
    link.symlink_to(os.ttyname(theirs))
    return SerialBridge(ours, theirs)


def test_a_bridge_at_a_serial_port_may_be_pulled_out_and_put_in_again(
    daemons: Daemons, call: Call, socket_folder: Path
) -> None:
    link = socket_folder / "ttyUSB0"
    daemon = daemons(bridge_settings("at", f"serial:{link}:115200"))
    bridge = serial_line(link)
    daemon.start()
    check_serves(call(daemon), bridge)
    bridge.close()
    link.unlink()
    eventually(lambda: "No radio bridge at" in daemon.log() or "A radio bridge is gone" in daemon.log())
    time.sleep(0.5)
    bridge = serial_line(link)
    check_serves(call(daemon), bridge)
    daemon.stop()
    bridge.close()


def test_a_bridge_that_floods_and_does_not_read_stops_nobody(daemons: Daemons, call: Call, socket_folder: Path) -> None:
    path = socket_folder / "bridge.sock"
    daemon = daemons(bridge_settings("listen", f"unix:{path}")).start()
    client = call(daemon)
    before = daemon.resident()
    flood = socket.socket(socket.AF_UNIX)
    flood.connect(str(path))
    flood.setblocking(False)
    sent, ends = 0, time.monotonic() + 3
    while time.monotonic() < ends:
        try:
            sent += flood.send(b"nonsense\n" * 1000 + b"x" * 10_000 + b"\n")
        except BlockingIOError:
            time.sleep(0.01)
    assert sent < 5_000_000, "it is read no more once it does not read"
    began = time.monotonic()
    assert client.post_order(1).status == 200
    assert time.monotonic() - began < 1
    assert daemon.resident() - before < 20_000_000
    bridge = dial(path)
    assert bridge.told() == {"pairing": 0}
    bridge.close()
    flood.close()


def test_a_place_where_we_cannot_listen_ends_the_start_with_one_line(daemons: Daemons, socket_folder: Path) -> None:
    path = socket_folder / "nowhere" / "bridge.sock"
    code, lines = daemons(bridge_settings("listen", f"unix:{path}")).run_to_its_end()
    assert code == 69
    [line] = lines
    assert str(path) in line


def test_the_example_of_the_documentation(daemons: Daemons, call: Call, socket_folder: Path) -> None:
    path = socket_folder / "bridge.sock"
    daemon = daemons(bridge_settings("listen", f"unix:{path}")).start()
    client = call(daemon)
    example = subprocess.Popen(  # noqa: S603
        [sys.executable, ROOT / "examples/bridge.py", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert example.stdin is not None
    assert example.stdout is not None
    try:
        told = ['gateway: {"pairing":0}\n']
        for typed in ("66", "66 22"):
            print(typed, file=example.stdin, flush=True)
        eventually(lambda: orders(client) == {"66": ("located", "22", False)})
        client.call("POST", "/api/v2/activeorders/66/page", {})
        told.append('gateway: {"page":"66","tracking":true}\n')
        assert [example.stdout.readline(), example.stdout.readline()] == told
        daemon.stop()
        daemon.start()
        client = call(daemon)
        assert [example.stdout.readline(), example.stdout.readline()] == told[::-1]
        print("66 -", file=example.stdin, flush=True)
        assert example.stdout.readline() == 'gateway: {"unpage":"66"}\n'
        eventually(lambda: orders(client) == {})
    finally:
        example.kill()
        example.wait(LONGEST)
        example.stdin.close()
        example.stdout.close()
