import pytest

from tests.api.client import PEER, Connection, House
from tests.feeds.screens import Screen, handshake
from tests.support import result_of
from ttgateway.feeds import audience
from ttgateway.orders.order import OrderType
from ttgateway.secrets import SESSION


def test_readers_are_counted_until_they_go(house: House) -> None:
    screens = [Screen(house, house.secret), Screen(house)]
    assert len(house.audience) == 2
    for screen in screens:
        screen.end()
    assert len(house.audience) == 0


def test_one_reader_too_many_is_refused_before_it_is_upgraded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "MOST", 1)
    screen = Screen(house, house.secret)
    late = Connection(house.site, PEER)
    late.send(handshake(house.secret))
    late.end()
    late.answer().refuses(429, -903)
    screen.end()
    assert Screen(house, house.secret).code is None


def test_no_reader_is_taken_in_once_the_gateway_stops(house: House) -> None:
    house.audience.stop()
    late = Connection(house.site, PEER)
    late.send(handshake(house.secret))
    late.end()
    late.answer().refuses(503, -904)


def test_a_thousand_readers_are_looked_after_by_one_timer_and_none_by_none(house: House) -> None:
    screens = [Screen(house, house.secret) for _ in range(1_000)]
    assert len(house.timers.getDelayedCalls()) == 1
    result_of(house.gateway.post("1", OrderType.TO_GO, ""))
    assert all(screen.seqs == [1] for screen in screens)
    for screen in screens:
        screen.end()
    assert house.timers.getDelayedCalls() == []


def test_one_reader_that_goes_while_all_are_told_costs_no_other_its_change(house: House) -> None:
    first, second, third = (Screen(house, house.secret) for _ in range(3))
    write = first.transport.write

    def gone(data: bytes) -> None:
        first.transport.write = write  # type: ignore[method-assign]
        second.end()
        write(data)  # type: ignore[no-untyped-call]

    first.transport.write = gone  # type: ignore[method-assign]
    result_of(house.gateway.post("1", OrderType.TO_GO, ""))
    assert (first.seqs, second.seqs, third.seqs) == ([1], [], [1])


def test_a_reader_is_sent_away_when_its_session_ends(house: House) -> None:
    session = result_of(house.gateway.secrets.begin_session(house.gateway.secrets.links.make()))
    stays, goes = Screen(house, house.secret), Screen(house, session.secret)
    house.clock.wall_ahead += SESSION
    house.timers.advance(audience.LOOK_EVERY)
    goes.refused(401, -2, 4401)
    assert stays.code is None
