import socket
from typing import Any

import pytest
from zeroconf._protocol.incoming import DNSIncoming

from ttgateway.discovery.announcement import SERVICE
from ttgateway.discovery.probe import unsendable


class Socket:
    """A UDP socket that can send from 10.0.0.5 alone."""

    sent: list[tuple[bytes, tuple[str, int]]]

    def __init__(self, *kind: object) -> None:
        self.source = ""

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        assert (level, option) == (socket.IPPROTO_IP, socket.IP_MULTICAST_IF)
        self.source = socket.inet_ntoa(value)

    def sendto(self, data: bytes, to: tuple[str, int]) -> None:
        if self.source != "10.0.0.5":
            raise PermissionError(1, "Operation not permitted")
        Socket.sent.append((data, to))


@pytest.fixture(autouse=True)
def sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    Socket.sent = []
    monkeypatch.setattr(socket, "socket", Socket)


def test_where_one_address_can_send_it_is_well_and_a_query_for_gateways_was_sent() -> None:
    assert unsendable(["10.0.0.6", "10.0.0.5"]) == ""
    [(data, to)] = Socket.sent
    assert to == ("224.0.0.251", 5353)
    query: Any = DNSIncoming(data)
    assert (query.valid, query.is_query()) == (True, True)
    assert [question.name for question in query.questions] == [SERVICE]


def test_where_none_can_each_is_named_with_why() -> None:
    why = unsendable(["10.0.0.6", "10.0.0.7"])
    assert why == "10.0.0.6: operation not permitted; 10.0.0.7: operation not permitted"


def test_where_there_is_none_nothing_is_said() -> None:
    assert unsendable([]) == ""
