"""Who hangs up before the disk has written leaves the gateway's memory and its file agreeing."""

from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from twisted.internet.defer import ensureDeferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site

from tests.notifier.network import fake_network
from tests.support import FakeClock, OnDemand, memory_gateway, memory_store, result_of
from ttgateway.control.server import control_resource
from ttgateway.control.surroundings import Surroundings
from ttgateway.registry import Registration

T = TypeVar("T")


class House:
    """A gateway on a slow disk, and its control socket."""

    def __init__(self) -> None:
        self.timers, self.disk = Clock(), OnDemand()
        clock = FakeClock(self.timers)
        self.store = memory_store(self.timers, clock=clock, executor=self.disk)
        self.gateway = memory_gateway(self.store, clock)
        around = Surroundings(network=fake_network(self.timers), serves=list, config="", presence=lambda: None)
        self.site = Site(control_resource(self.gateway, around))

    def settled(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what ``work`` comes to once the disk has written."""
        done = ensureDeferred(work)
        self.settle()
        return result_of(done)

    def settle(self) -> None:
        while self.disk.waiting:
            self.disk.step()
            self.timers.advance(0.01)

    def ask_and_hang_up(self, request: bytes) -> None:
        channel = self.site.buildProtocol(None)
        channel.makeConnection(StringTransport())
        channel.dataReceived(request)
        assert self.disk.waiting
        channel.connectionLost(Failure(ConnectionDone()))
        self.settle()

    def count(self, table: str) -> int:
        return int(self.store._connections[1].execute(f"SELECT count(*) FROM {table}").get)  # noqa: S608


@pytest.fixture
def house() -> House:
    return House()


def test_a_token_that_is_revoked_opens_nothing(house: House) -> None:
    secret = house.settled(house.gateway.secrets.create("kitchen")).secret
    house.ask_and_hang_up(b"DELETE /tokens/kitchen HTTP/1.1\r\nHost: daemon\r\n\r\n")
    assert house.count("tokens") == 0
    assert not house.gateway.secrets.opens(secret)


def test_a_token_that_is_made_can_be_seen_and_revoked(house: House) -> None:
    body = b'{"name": "kitchen"}'
    house.ask_and_hang_up(b"POST /tokens HTTP/1.1\r\nHost: daemon\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert house.count("tokens") == 1
    assert [token.name for token in house.gateway.secrets.all()] == ["kitchen"]


def test_a_listener_that_is_removed_is_told_nothing_more(house: House) -> None:
    listener = house.settled(house.gateway.registry.register(Registration(url="http://10.0.0.9/", api=2, caller="")))
    house.ask_and_hang_up(b"DELETE /listeners/%s HTTP/1.1\r\nHost: daemon\r\n\r\n" % listener.id.encode())
    assert house.count("listeners") == 0
    assert house.gateway.registry.all() == []
