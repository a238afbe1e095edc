from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import succeed
from twisted.internet.protocol import Factory

from tests.support import result_of
from ttgateway.listening import NotedEndpoint, with_waiting_room


class Port:
    def __init__(self, address: Any) -> None:
        self.address = address

    def getHost(self) -> Any:  # noqa: N802  # Twisted's name
        return self.address


class Endpoint:
    """An endpoint that listens where it is told to."""

    def __init__(self, *addresses: Any) -> None:
        self.addresses = list(addresses)

    def listen(self, factory: Any) -> Any:
        return succeed(Port(self.addresses.pop(0)))


def listening(*addresses: Any) -> NotedEndpoint:
    noted = NotedEndpoint(Endpoint(*addresses))  # type: ignore[arg-type]
    for address in addresses:
        port: Any = result_of(noted.listen(Factory()))
        assert port.getHost() is address
    return noted


LOOPBACK = IPv4Address("TCP", "127.0.0.1", 8000)
LOOPBACK_6 = IPv6Address("TCP", "::1", 8001)
EVERYWHERE = IPv4Address("TCP", "0.0.0.0", 8000)  # noqa: S104
STORE = IPv4Address("TCP", "10.0.0.1", 8002)
SOCKET = UNIXAddress("/run/ttgateway.sock")


def test_it_notes_every_port_that_it_was_given() -> None:
    assert listening(LOOPBACK, LOOPBACK_6, SOCKET).ports == {8000, 8001}


@pytest.mark.parametrize("addresses", [(LOOPBACK,), (LOOPBACK_6,), (SOCKET,), (LOOPBACK, SOCKET)])
def test_loopback_and_sockets_are_for_this_machine_only(addresses: tuple[Any, ...]) -> None:
    assert listening(*addresses).is_local()


@pytest.mark.parametrize("addresses", [(EVERYWHERE,), (STORE,), (LOOPBACK, STORE), (SOCKET, EVERYWHERE)])
def test_any_other_address_is_for_others_too(addresses: tuple[Any, ...]) -> None:
    assert not listening(*addresses).is_local()


def test_what_does_not_listen_yet_is_not_taken_for_local() -> None:
    assert not listening().is_local()


def test_it_says_where_it_listens() -> None:
    assert str(listening(LOOPBACK)) == "http://127.0.0.1:8000/"
    assert "ttgateway.sock" in str(listening(SOCKET))


def test_the_addresses_of_tcp_are_known() -> None:
    assert listening(EVERYWHERE, UNIXAddress(b"/run/api.sock"), LOOPBACK_6).tcp == [("0.0.0.0", 8000), ("::1", 8001)]  # noqa: S104


@pytest.mark.parametrize(
    ("listen", "with_room"),
    [
        ("tcp:8000", "tcp:8000:backlog=256"),
        ("tcp:8000:interface=127.0.0.1", "tcp:8000:interface=127.0.0.1:backlog=256"),
        ("ssl:8000:privateKey=a", "ssl:8000:privateKey=a:backlog=256"),
        ("tcp:8000:backlog=5", "tcp:8000:backlog=5"),
        ("unix:/run/x", "unix:/run/x"),
        ("systemd:domain=INET:index=0", "systemd:domain=INET:index=0"),
    ],
)
def test_more_may_wait_to_be_accepted_than_twisted_lets(listen: str, with_room: str) -> None:
    assert with_waiting_room(listen) == with_room
