from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from zeroconf import RecordUpdate
from zeroconf._dns import DNSAddress
from zeroconf._protocol.incoming import DNSIncoming
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.const import _CLASS_IN, _FLAGS_QR_RESPONSE, _TYPE_A, _TYPE_AAAA

from ttgateway.discovery.neighbours import MOST, TELL_EVERY, Neighbours

BORN = 1_000_000.0
"""When records were received, in milliseconds."""


class Air:
    """What is announced, and what is told of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.told: list[str] = []
        self._neighbours = Neighbours(self.told.append, self.clock.seconds)

    def announce(self, *addresses: str, ttl: int = 120, now: float = BORN) -> None:
        updates = []
        for address in map(ip_address, addresses):
            kind = _TYPE_A if address.version == 4 else _TYPE_AAAA
            record = DNSAddress("tablet.local.", kind, _CLASS_IN, ttl, address.packed, created=BORN)
            updates.append(RecordUpdate(record, None))
        self.take(updates, now)

    def take(self, updates: list[RecordUpdate], now: float = BORN) -> None:
        self._neighbours.async_update_records(None, now, updates)  # type: ignore[arg-type]


@pytest.fixture
def air() -> Air:
    return Air()


def test_a_host_that_announces_its_addresses_is_told_with_each(air: Air) -> None:
    air.announce("10.0.0.7", "fd00::7")
    assert air.told == ["10.0.0.7", "fd00::7"]


def test_the_same_is_told_once_in_a_while(air: Air) -> None:
    for _ in range(3):
        air.announce("10.0.0.7")
    air.clock.advance(TELL_EVERY)
    air.announce("10.0.0.7")
    assert air.told == ["10.0.0.7"] * 2


def test_a_goodbye_and_what_has_expired_are_no_signs_of_life(air: Air) -> None:
    air.announce("10.0.0.7", ttl=0)
    air.announce("10.0.0.8", now=BORN + 121_000)
    assert air.told == []


def test_a_flood_of_addresses_is_told_in_part_and_then_the_next(air: Air) -> None:
    flood = [str(ip_address(number)) for number in range(2**24, 2**24 + 2 * MOST)]
    air.announce(*flood)
    assert len(air.told) == MOST
    air.clock.advance(TELL_EVERY)
    air.announce("10.0.0.7")
    assert air.told[MOST:] == ["10.0.0.7"]


QUERY = DNSOutgoing(_FLAGS_QR_RESPONSE)
QUERY.add_answer_at_time(DNSAddress("tablet.local.", _TYPE_A, _CLASS_IN, 120, ip_address("10.0.0.7").packed), 0)
ANSWER = QUERY.packets()[0]


def mutated(places: list[tuple[int, int]], cut: int) -> bytes:
    raw = bytearray(ANSWER)
    for place, byte in places:
        raw[place % len(raw)] = byte
    return bytes(raw[: len(raw) - cut])


PACKETS = st.binary(max_size=200) | st.builds(
    mutated, st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=5), st.integers(0, 40)
)


@given(st.lists(PACKETS, max_size=5))
def test_no_packet_makes_it_raise_and_what_it_tells_are_addresses(packets: list[bytes]) -> None:
    air = Air()
    for packet in packets:
        incoming = DNSIncoming(packet, now=BORN)
        updates = [RecordUpdate(record, None) for record in incoming.answers()]
        air.take(updates)
    assert all(ip_address(told) for told in air.told)
    assert len(air.told) <= MOST


def test_the_packet_that_is_mutated_tells_of_an_address() -> None:
    air = Air()
    air.take([RecordUpdate(record, None) for record in DNSIncoming(ANSWER, now=BORN).answers()])
    assert air.told == ["10.0.0.7"]
