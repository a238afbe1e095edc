import socket
from pathlib import Path
from typing import Any

from twisted.internet.testing import MemoryReactorClock

from tests.bridge.air import Bridge, Shop
from ttgateway.bridge.connections import Connections
from ttgateway.bridge.listening import SOCKET_MODE, Listening
from ttgateway.settings import StreamAddress


class Listened:
    """A gateway that listens for its bridge, on a network in memory."""

    def __init__(self, address: StreamAddress) -> None:
        self.shop = Shop()
        self.reactor: Any = MemoryReactorClock()
        self.service = Listening(address, self.shop.gateway, self.reactor)
        self.service.startService()

    @property
    def connections(self) -> Connections:
        """Who makes the connections at the one place where it listens."""
        connections = (self.reactor.tcpServers + self.reactor.unixServers)[0][1]
        assert isinstance(connections, Connections)
        return connections


def test_it_listens_at_an_address_and_a_port() -> None:
    [server] = Listened(StreamAddress("tcp", "127.0.0.1", 7007)).reactor.tcpServers
    assert (server[0], server[3]) == (7007, "127.0.0.1")


def test_it_listens_at_a_path_that_its_group_may_open(tmp_path: Path) -> None:
    path = str(tmp_path / "b.sock")
    [server] = Listened(StreamAddress("unix", path)).reactor.unixServers
    assert (server[0], server[3]) == (path, SOCKET_MODE)


def test_a_socket_that_was_left_behind_gives_way_and_a_file_does_not(tmp_path: Path) -> None:
    left, kept = tmp_path / "left.sock", tmp_path / "kept"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))
    kept.write_text("mine")
    for path in (left, kept):
        Listened(StreamAddress("unix", str(path)))
    assert [path.exists() for path in (left, kept)] == [False, True]


def test_starting_twice_listens_once() -> None:
    listened = Listened(StreamAddress("tcp", "127.0.0.1", 7007))
    listened.service.startService()
    assert len(listened.reactor.tcpServers) == 1


def test_stopping_ends_the_connection() -> None:
    listened = Listened(StreamAddress("tcp", "127.0.0.1", 7007))
    bridge = Bridge(listened.connections)
    assert listened.shop.gateway.radio.connected is True
    listened.service.stopService()
    assert bridge.transport.lost
    assert listened.shop.gateway.radio.connected is False
