import os
import pty
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionAborted
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import implementer

from tests.bridge.air import UNIX, Line, Shop
from tests.support import result_of
from ttgateway.bridge.dialling import LATEST, SOONEST, Dialling, connect_to
from ttgateway.settings import StreamAddress


class Network:
    """Where the bridge is, or is not."""

    def __init__(self) -> None:
        self.tries: list[tuple[Factory, Deferred[Any]]] = []

    def connect(self, factory: Factory) -> Deferred[Any]:
        result: Deferred[Any] = Deferred()
        self.tries.append((factory, result))
        return result

    def fail(self) -> None:
        self.tries[-1][1].errback(ConnectError())

    def succeed(self) -> Line:
        factory, result = self.tries[-1]
        line = Line()
        line.connection = connection = factory.buildProtocol(UNIX)  # type: ignore[assignment]
        assert connection is not None
        connection.makeConnection(line)
        result.callback(connection)
        return line


class Dialled:
    """A gateway that connects to its bridge, with jitter in the middle."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.network = Network()
        self.service = Dialling(
            self.network.connect, "unix:/run/b.sock", self.shop.gateway, self.shop.timers, lambda: 0.5
        )
        self.service.startService()

    def wait(self) -> float:
        """Return after how many seconds it tries again, and let it."""
        [call] = self.shop.timers.getDelayedCalls()
        wait = call.getTime() - self.shop.timers.seconds()
        tries = len(self.network.tries)
        self.shop.timers.advance(wait)
        assert len(self.network.tries) == tries + 1
        return round(wait, 3)

    @property
    def connected(self) -> bool | None:
        return self.shop.gateway.radio.connected


@pytest.fixture
def dialled() -> Iterator[Dialled]:
    dialled = Dialled()
    yield dialled
    if dialled.service.running:
        dialled.service.stopService()


@pytest.fixture
def warnings() -> Iterator[list[LogEvent]]:
    """What is logged as a warning during the test."""
    told: list[LogEvent] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        if event["log_level"] is LogLevel.warn:
            told.append(event)

    globalLogPublisher.addObserver(observe)
    yield told
    globalLogPublisher.removeObserver(observe)


def test_it_connects_when_it_starts_and_tells_how_things_stand(dialled: Dialled) -> None:
    assert dialled.connected is False
    line = dialled.network.succeed()
    assert dialled.connected is True
    assert line.value() == b'{"pairing":0}\n'


def test_it_tries_for_ever_and_less_and_less_often(dialled: Dialled) -> None:
    waits = []
    for _ in range(9):
        dialled.network.fail()
        waits.append(dialled.wait())
    assert waits == [SOONEST, 0.4, 0.8, 1.6, 3.2, 6.4, LATEST, LATEST, LATEST]
    dialled.network.succeed()
    assert dialled.connected is True


def test_a_bridge_that_was_there_for_a_while_is_tried_soon_when_it_is_lost(dialled: Dialled) -> None:
    for _ in range(5):
        dialled.network.fail()
        dialled.wait()
    line = dialled.network.succeed()
    dialled.shop.timers.advance(LATEST)
    line.lose(ConnectionAborted())
    assert dialled.connected is False
    assert dialled.wait() == SOONEST


def test_a_bridge_that_hangs_up_at_once_is_tried_less_and_less_often(dialled: Dialled) -> None:
    waits = []
    for _ in range(4):
        dialled.network.succeed().lose(ConnectionAborted())
        waits.append(dialled.wait())
    assert waits == [SOONEST, 0.4, 0.8, 1.6]


def test_an_outage_is_logged_once(dialled: Dialled, warnings: list[LogEvent]) -> None:
    for _ in range(5):
        dialled.network.fail()
        dialled.wait()
    assert [warning["at"] for warning in warnings] == ["unix:/run/b.sock"]


def test_stopping_gives_up_a_wait(dialled: Dialled) -> None:
    dialled.network.fail()
    dialled.service.stopService()
    assert dialled.shop.timers.getDelayedCalls() == []


def test_stopping_gives_up_a_try(dialled: Dialled) -> None:
    dialled.service.stopService()
    assert dialled.network.tries[0][1].called
    assert dialled.shop.timers.getDelayedCalls() == []


def test_stopping_ends_the_connection_and_makes_no_other(dialled: Dialled) -> None:
    line = dialled.network.succeed()
    dialled.service.stopService()
    assert line.lost
    assert (dialled.connected, dialled.shop.timers.getDelayedCalls()) == (False, [])


@pytest.mark.parametrize(
    ("address", "called"),
    [
        (StreamAddress("tcp", "127.0.0.1", 7007), ("127.0.0.1", 7007)),
        (StreamAddress("tcp", "::1", 7007), ("::1", 7007)),
    ],
)
def test_tcp_is_dialled_at_its_address(address: StreamAddress, called: tuple[str, int]) -> None:
    reactor = MemoryReactorClock()
    pending = connect_to(address, reactor)(Factory())
    [client] = reactor.tcpClients
    assert client[:2] == called
    pending.addErrback(lambda _: None).cancel()


def test_a_unix_socket_is_dialled_at_its_path() -> None:
    reactor = MemoryReactorClock()
    pending = connect_to(StreamAddress("unix", "/run/b.sock"), reactor)(Factory())
    [client] = reactor.unixClients
    assert UNIXAddress(client[0]) == UNIXAddress("/run/b.sock")
    pending.addErrback(lambda _: None).cancel()


@pytest.mark.parametrize("device", ["/dev/null", "/nowhere/ttyUSB0"])
def test_a_serial_port_that_cannot_be_opened_is_a_try_that_failed(device: str) -> None:
    shop = Shop()
    pending = connect_to(StreamAddress("serial", device, 9600), MemoryReactorClock())(shop.connections)
    with pytest.raises(OSError, match=r".+"):
        result_of(pending)
    assert shop.ends == 0


def test_a_serial_port_is_closed_at_once_and_ends_one_time() -> None:
    shop, reactor = Shop(), MemoryReactorClock()
    ours, theirs = pty.openpty()
    try:
        result_of(connect_to(StreamAddress("serial", os.ttyname(theirs), 115_200), reactor)(shop.connections))
        assert shop.gateway.radio.connected is True
        assert len(reactor.getReaders()) == 1
        shop.bridge()  # a newer one
        assert reactor.getReaders() == []
        reactor.advance(0)
        assert (shop.ends, shop.gateway.radio.connected) == (1, True)
    finally:
        os.close(ours)
        os.close(theirs)
