import pytest
from twisted.internet.address import IPv4Address, IPv6Address

from tests.api.server.house import GET, POST, House


def test_strangers_wait_for_their_turn_and_who_shows_a_secret_does_not(house: House) -> None:
    house.site.turns.knows = lambda headers: headers.hasHeader(b"authorization")
    house.site.turns.spend(1.0)
    stranger, known = house.wire(), house.wire(IPv4Address("TCP", "10.0.0.8", 40000))
    stranger.send(GET)
    known.send(GET[:-2] + b"Authorization: Bearer x\r\n\r\n")
    assert known.statuses() == [200]
    assert stranger.statuses() == []
    house.pass_time(0.5)
    assert stranger.statuses() == [200]


def test_a_connection_that_has_shown_a_secret_waits_for_nobody(house: House) -> None:
    house.echo.trusts = True
    wire = house.wire()
    wire.send(GET)
    house.site.turns.spend(1.0)
    wire.send(GET)
    assert wire.statuses() == [200, 200]


@pytest.mark.parametrize(
    ("address", "group"),
    [("fd00::1", "fd00::/64"), ("10.0.0.2", "10.0.0.2"), ("::ffff:10.0.0.2", "10.0.0.2")],
)
def test_what_takes_turns_is_a_network_of_ipv6_addresses_or_one_ipv4_address(
    house: House, address: str, group: str
) -> None:
    assert house.wire(IPv6Address("TCP", address, 40_000)).channel.group == group


def test_the_time_that_strangers_take_is_counted_whatever_they_send(house: House) -> None:
    class Slow:
        def __contains__(self, host: str) -> bool:
            house.clock.rightNow += 1.0  # while the head is judged
            return True

    wire = house.wire()
    wire.channel._hosts = Slow().__contains__
    wire.send(GET)
    late = house.wire()
    late.send(GET)
    assert late.statuses() == []
    house.pass_time(0.5)
    assert late.statuses() == [200]


def test_who_waits_for_its_turn_can_be_cut_off_to_make_room_and_who_is_answered_cannot(house: House) -> None:
    house.echo.waits = True
    house.site.turns.spend(1.0)
    wires = [house.wire() for _ in range(32)]
    for wire in wires:
        wire.send(GET)
    assert house.echo.requests == []
    newcomer = house.wire()
    assert wires[0].transport.disconnected
    wires[0].end()
    house.pass_time(0.5)
    assert len(house.echo.requests) == 31
    house.wire()
    assert newcomer.transport.disconnected  # idle, and so are none of the others
    assert not any(wire.transport.disconnected for wire in wires[1:])


def test_who_hangs_up_while_it_waits_is_not_answered(house: House) -> None:
    house.site.turns.spend(1.0)
    wire = house.wire()
    wire.send(GET)
    wire.end()
    house.pass_time(0.5)
    assert house.echo.requests == []
    assert house.clock.getDelayedCalls() == []


def test_a_pipeline_waits_for_the_turn_of_each_of_its_requests(house: House) -> None:
    house.site.turns.spend(1.0)
    wire = house.wire()
    wire.send(GET * 3)
    assert wire.statuses() == []
    house.pass_time(0.5)
    assert wire.statuses() == [200] * 3


@pytest.mark.parametrize("chunked", [False, True])
def test_nothing_is_kept_of_a_body_that_was_refused(house: House, chunked: bool) -> None:
    wire = house.wire()
    wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n" * chunked)
    wire.send(b"\r\n" * (not chunked) + b"ffff\r\n" + b"x" * 0xFFFF)
    wire.refused(413)
    (request,) = wire.channel.requests
    assert request.content is not None
    assert request.content.read() == b""
    assert wire.channel._transferDecoder is None


def test_what_strangers_send_is_looked_at_in_turn_and_in_slices(house: House) -> None:
    looked_at: list[int] = []
    wire = house.wire()
    look_at = wire.channel.look_at

    def slow(data: bytes) -> None:
        looked_at.append(len(data))
        house.clock.rightNow += 0.005
        look_at(data)

    wire.channel.look_at = slow  # type: ignore[method-assign]
    wire.send(POST + b"Content-Length: 5000\r\n\r\n" + b"x" * 5000)
    assert len(looked_at) == 1
    house.pass_time(1)
    assert max(looked_at) == 1024
    assert wire.statuses() == [200]
    assert house.echo.bodies == [b"x" * 5000]


@pytest.mark.parametrize("name", [b"Authorization", b"authorization"])
def test_who_shows_a_secret_in_a_long_head_waits_for_nobody(house: House, name: bytes) -> None:
    house.site.turns.knows = lambda headers: headers.getRawHeaders(b"authorization") == [b"Bearer x"]
    house.site.turns.spend(1.0)
    wire, wrong = house.wire(), house.wire(IPv4Address("TCP", "10.0.0.8", 40000))
    filler = b"X-Filler: " + b"x" * 2000 + b"\r\n"
    wire.send(GET[:-2] + filler + name + b": Bearer x\r\n\r\n")
    wrong.send(GET[:-2] + filler + name + b": Bearer y\r\n\r\n")
    assert wire.statuses() == [200]
    assert wrong.statuses() == []
    house.pass_time(0.5)
    assert wrong.statuses() == [200]


def test_who_has_shown_a_secret_sends_its_body_without_waiting(house: House) -> None:
    house.site.turns.knows = lambda headers: headers.hasHeader(b"authorization")
    wire = house.wire()
    wire.send(POST + b"Authorization: Bearer x\r\nContent-Length: 5000\r\n\r\n")
    house.site.turns.spend(1.0)
    wire.send(b"x" * 5000)
    assert wire.statuses() == [200]


def test_little_waits_of_a_stranger_that_sends_on_while_it_waits(house: House) -> None:
    house.site.turns.spend(1.0)
    wire = house.wire()
    wire.send(POST + b"Content-Length: 60000\r\n\r\n")
    wire.send(b"x" * 16_384)
    assert wire.transport.producerState == "paused"
    house.pass_time(0.5)
    assert wire.transport.producerState == "producing"
    wire.send(b"x" * (60_000 - 16_384))
    assert wire.statuses() == [200]


def test_of_a_stranger_that_has_gone_nothing_is_looked_at(house: House) -> None:
    house.site.turns.spend(1.0)
    wire = house.wire()
    wire.send(GET)
    assert house.site.turns.waits(wire.channel)
    wire.end()
    assert not house.site.turns.waits(wire.channel)


def test_a_pipeline_that_comes_while_a_request_is_answered_is_answered_in_order(house: House) -> None:
    house.echo.waits = True
    wire = house.wire()
    wire.send(POST + b"Content-Length: 1\r\n\r\na" + POST)
    wire.send(b"Content-Length: 1\r\n\r\nb")
    house.echo.waits = False
    house.echo.answer(b"first\n")
    assert wire.said().index(b"first\n") < wire.said().index(b"<b>\n")
    assert house.echo.bodies == [b"a", b"b"]
