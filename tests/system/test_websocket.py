"""WebSockets of a real daemon, with a client that others have written."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.system.daemon import Client, Daemon, eventually
from tests.system.sealed import Sealed, trusting

SOON = 10.0


@contextmanager
def opened(daemon: Daemon, secret: str = "", **how: Any) -> Iterator[ClientConnection]:
    """Open a WebSocket that shows ``secret`` at the handshake."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    with connect(f"ws://127.0.0.1:{daemon.port}/api/v2/websocket", additional_headers=headers, **how) as socket:
        yield socket


def told(socket: ClientConnection) -> Any:
    """Return the next message."""
    return json.loads(socket.recv(timeout=SOON))


def closed(socket: ClientConnection) -> int:
    """Wait for the close, and return its code."""
    with pytest.raises(ConnectionClosed) as ended:
        socket.recv(timeout=SOON)
    assert ended.value.rcvd is not None, "the connection was reset"
    return ended.value.rcvd.code


def test_a_display_gets_the_list_and_then_each_change(daemon: Daemon, client: Client) -> None:
    client.post_order(102)
    with opened(daemon, daemon.secret) as at_once, opened(daemon) as later:
        later.send(json.dumps({"accesstoken": daemon.secret}))
        for socket in (at_once, later):
            listed = told(socket)
            assert (listed["type"], listed["count"], listed["items"][0]["name"]) == ("ACTIVE_ORDERS", 1, "102")
        client.post_order(102, "8")
        client.clear_order(102)
        for socket in (at_once, later):
            changes = [told(socket), told(socket)]
            assert [(change["seq"], change["state"]) for change in changes] == [(2, "located"), (3, "cleared")]


def test_changes_come_without_a_gap_however_many_there_are_when_a_display_connects(
    daemon: Daemon, client: Client
) -> None:
    for name in range(100):
        client.post_order(name)
        with opened(daemon, daemon.secret) as socket:
            client.post_order(name, "1")
            listed = told(socket)
            assert listed["count"] == name + 1
            last = 2 * name + 1 + (listed["items"][-1]["state"] == "located")
            while last < 2 * (name + 1):
                last += 1
                assert told(socket)["seq"] == last


def test_whatever_is_wrong_is_told_before_the_close(daemon: Daemon) -> None:
    with opened(daemon, "f" * 48) as socket:
        assert told(socket)["returnCode"] == -2
        assert closed(socket) == 4401
    with opened(daemon) as socket:
        socket.send("no json")
        assert told(socket)["returnCode"] == -31
        assert closed(socket) == 4400


def test_a_revoked_secret_ends_the_websocket(daemon: Daemon, client: Client) -> None:
    other = daemon.control("POST", "/tokens", {"name": "other"})["secret"]
    with opened(daemon, other) as theirs, opened(daemon, daemon.secret) as ours:
        assert told(theirs)["count"] == told(ours)["count"] == 0
        daemon.control("DELETE", "/tokens/other")
        assert told(theirs)["returnCode"] == -2
        assert closed(theirs) == 4401
        client.post_order(1)
        assert told(ours)["seq"] == 1


def test_a_stranger_that_sends_megabytes_is_told_why_it_may_not_and_costs_nothing(daemon: Daemon) -> None:
    before = daemon.resident()
    with opened(daemon) as socket:
        socket.send(b"x" * 65_536)
        assert told(socket)["returnCode"] == -31
        assert closed(socket) == 1009
    with opened(daemon) as socket, pytest.raises(ConnectionClosed):
        for _ in range(1_000):
            socket.send(b"x" * 65_536)
    assert daemon.resident() - before < 4 * 2**20


def test_a_stop_tells_displays_at_once_and_after_it_they_take_the_list_again(daemon: Daemon, client: Client) -> None:
    client.post_order(7)
    with opened(daemon, daemon.secret) as socket, opened(daemon) as stranger:
        told(socket)
        began = time.monotonic()
        daemon.terminate()
        assert (closed(socket), closed(stranger)) == (1001, 1001)
        assert time.monotonic() - began < 2.0
        daemon.wait()
        assert time.monotonic() - began < 5.0
    client.close()
    daemon.start()
    with opened(daemon, daemon.secret) as socket:
        assert told(socket)["items"][0]["name"] == "7"
        client.clear_order(7)
        assert told(socket)["seq"] == 2


def test_over_tls_it_is_the_same(tmp_path: Path) -> None:
    daemon = Sealed(tmp_path)
    context = trusting()
    try:
        address = f"wss://127.0.0.1:{daemon.start().port}/api/v2/websocket"
        with connect(address, ssl=context) as stranger:
            stranger.send("no json")
            assert told(stranger)["returnCode"] == -31
            assert closed(stranger) == 4400
        with connect(address, ssl=context) as display:
            display.send(json.dumps({"accesstoken": daemon.secret}))
            assert told(display)["count"] == 0
            daemon.terminate()
            assert closed(display) == 1001
        daemon.wait()
        assert not daemon.complaints(), daemon.log()
    finally:
        daemon.end()


def open_files(daemon: Daemon) -> int:
    """Return how many files and sockets the daemon has open."""
    return len(list(Path(f"/proc/{daemon.process.pid}/fd").iterdir()))


def test_a_display_that_vanishes_leaves_nothing(daemon: Daemon, client: Client) -> None:
    files = open_files(daemon)
    for _ in range(20):
        with opened(daemon, daemon.secret) as socket:
            told(socket)
            socket.socket.close()
    client.post_order(1)
    eventually(lambda: open_files(daemon) <= files + 1)
