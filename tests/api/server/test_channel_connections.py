from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from tests.api.server.house import GET, GONE, House, Wire


def test_one_peer_cannot_take_all_connections(house: House) -> None:
    wires = [house.wire() for _ in range(40)]
    assert [wire.transport.disconnected for wire in wires] == [True] * 8 + [False] * 32
    assert len(house.site.connections) == 32


def test_a_newcomer_is_closed_where_all_are_being_answered(house: House) -> None:
    house.echo.waits = True
    wires = [house.wire() for _ in range(32)]
    for wire in wires:
        wire.send(GET)
    late = house.wire()
    late.send(GET)
    assert late.transport.disconnected
    assert len(house.echo.requests) == 32
    house.echo.answer()
    house.wire()
    assert [wire.transport.disconnected for wire in wires] == [False] * 31 + [True]


def test_a_valid_secret_takes_its_connection_out_of_the_count(house: House) -> None:
    house.echo.trusts = True
    trusted = house.wire()
    trusted.send(GET)
    for _ in range(100):
        house.wire()
    assert not trusted.transport.disconnected
    assert len(house.site.connections) == 33
    assert house.site.connections.untrusted == 32


def test_unix_sockets_are_not_counted(house: House) -> None:
    wires = [house.wire(UNIXAddress("/run/ttgateway.sock")) for _ in range(100)]
    wires[0].send(GET)
    assert wires[0].statuses() == [200]
    assert house.site.connections.untrusted == 0


def test_saying_something_about_a_connection_that_has_ended_does_nothing(house: House) -> None:
    house.echo.waits = True
    wire = house.wire()
    wire.send(GET)
    wire.end()
    house.echo.requests[0].trust()
    house.echo.requests[0].no_deadline()
    assert len(house.site.connections) == 0
    assert house.clock.getDelayedCalls() == []


class Upgraded(Protocol):
    def __init__(self) -> None:
        self.got = b""
        self.lost = False

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def connectionLost(self, reason: Failure = GONE) -> None:
        self.lost = True


def upgraded(house: House, wire: Wire) -> Upgraded:
    house.echo.waits = True
    wire.send(GET)
    protocol = Upgraded()
    as_protocol: IProtocol = protocol
    wire.channel._protocolUpgradeForWebsockets(as_protocol)  # as twisted.web.websocket does
    return protocol


def test_a_websocket_has_no_deadline_of_ours_and_gives_its_place_back(house: House) -> None:
    wire = house.wire()
    protocol = upgraded(house, wire)
    house.pass_time(200)
    wire.send(b"frame")
    assert protocol.got == b"frame"
    assert not wire.transport.disconnecting
    assert house.clock.getDelayedCalls() == []
    wire.end()
    assert protocol.lost
    assert len(house.site.connections) == 0


def test_a_websocket_that_shows_no_secret_can_be_cut_off_and_one_that_does_cannot(house: House) -> None:
    mute, honest = house.wire(), house.wire()
    upgraded(house, mute)
    upgraded(house, honest)
    house.echo.requests[-1].trust()
    for _ in range(32):
        house.wire()
    assert mute.transport.disconnected
    assert not honest.transport.disconnected
