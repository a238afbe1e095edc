import pytest
from twisted.internet.interfaces import INegotiated, ITCPTransport
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from zope.interface import directlyProvides

from tests.api.client import House
from tests.feeds.screens import Screen
from ttgateway.closing import LINGER, MOST_DROPPED
from ttgateway.feeds.frames import close_frame
from ttgateway.feeds.line import (
    BURST,
    MOST_FROM_STRANGERS,
    MOST_MESSAGE,
    SLICE,
    WORK,
    Line,
)
from ttgateway.feeds.websocket import Feed

SPACES = " " * 1_000


def test_a_stranger_may_send_one_kibibyte_in_all_whatever_it_sends(house: House) -> None:
    for event in (TextMessage("x" * 122, message_finished=False), Ping(b"x" * 122)):  # 128 bytes with the framing
        screen = Screen(house)
        for _ in range(MOST_FROM_STRANGERS // 128):
            screen.send(event)
        assert screen.code is None
        screen.raw(b"\x89")
        screen.refused(413, -31, 1009)


def test_what_a_stranger_sends_too_much_of_is_not_even_looked_at(house: House) -> None:
    screen = Screen(house)
    screen.say({"accesstoken": house.secret, "more": SPACES})
    screen.refused(413, -31, 1009)
    assert len(screen.told) == 1


def test_who_has_shown_a_secret_may_send_messages_of_64_kib_and_no_longer_ones(house: House) -> None:
    screen = Screen(house, house.secret)
    longest = '{"a": "' + "x" * (MOST_MESSAGE - 9) + '"}'
    assert len(longest) == MOST_MESSAGE
    screen.say(longest)
    assert screen.code is None
    house.timers.pump([1.0] * 10)
    screen.say(longest + " ")
    screen.refused(413, -31, 1009)


def test_a_message_without_end_is_refused_when_it_is_too_long_and_not_when_it_ends(house: House) -> None:
    for piece in (TextMessage(SPACES, message_finished=False), BytesMessage(SPACES.encode(), message_finished=False)):
        screen = Screen(house, house.secret)
        for _ in range(MOST_MESSAGE // len(SPACES)):
            screen.send(piece)
        assert screen.code is None
        screen.send(piece)
        screen.refused(413, -31, 1009)


def test_messages_in_short_order_are_too_many_at_some_point(house: House) -> None:
    screen = Screen(house, house.secret)
    message = {"a": SPACES}
    for _ in range(int(BURST) // 1_018):
        screen.say(message)
    assert screen.code is None
    screen.say(message)
    screen.refused(429, -903, 4429)


def test_pings_and_the_smallest_frames_are_too_many_at_some_point_too(house: House) -> None:
    for flood in (b"\x89\x80" + bytes(4), b"\x8a\x80" + bytes(4), b"\x81\x82" + bytes(4) + b"{}"):
        screen = Screen(house, house.secret)
        for _ in range(int(BURST) // len(flood)):
            screen.raw(flood)
        assert screen.code is None
        screen.raw(flood)
        screen.refused(429, -903, 4429)


def test_messages_at_a_steady_pace_are_never_too_many(house: House) -> None:
    screen = Screen(house, house.secret)
    for _ in range(200):
        screen.send(Ping(SPACES[:100].encode()))
        screen.say({"a": SPACES * 7})
        house.timers.advance(1.0)
    assert screen.code is None
    assert screen.pongs == 200


PING = b"\x89\x80" + bytes(4)


def test_what_comes_is_looked_at_in_turn_and_nothing_more_is_read_before(house: House) -> None:
    screen = Screen(house, house.secret)
    house.site.turns.spend(1.0)
    screen.raw(PING * 1_000)
    assert screen.pongs == 0
    assert screen.transport.producerState == "paused"
    house.timers.advance(1.0)
    assert screen.pongs == 1_000
    assert screen.transport.producerState == "producing"
    screen.say({})
    assert screen.code is None


@pytest.mark.parametrize("known", [True, False])
def test_addresses_of_one_ipv6_network_have_one_turn_together(
    house: House, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    looked: list[object] = []
    look = Line._look_at_a_slice

    def look_and_note(line: Line) -> None:
        looked.append(line._channel)
        look(line)

    monkeypatch.setattr(Line, "_look_at_a_slice", look_and_note)
    screens = [Screen(house, house.secret if known else None, peer=peer) for peer in ("fd00::1", "fd00::2", "fd01::1")]
    house.site.turns.spend(1.0)
    for screen in screens:
        screen.raw(PING)
    house.timers.advance(1.0)
    first, second, other = (screen.connection.channel for screen in screens)
    assert looked == [first, other, second]
    for screen in screens:
        screen.end()


def test_a_flood_takes_its_share_of_the_time_and_no_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    look = Line._look_at_a_slice

    def look_slowly(line: Line) -> None:
        look(line)
        house.timers.rightNow += 0.002

    monkeypatch.setattr(Line, "_look_at_a_slice", look_slowly)
    screen = Screen(house, house.secret)
    screen.raw(PING * 10_000)
    assert 0 < screen.pongs <= 6 * SLICE // len(PING)
    while screen.pongs < 10_000:
        before, then = screen.pongs, house.timers.seconds()
        house.timers.advance(0.001)
        assert screen.pongs - before <= 6 * SLICE // len(PING), then
    screen.end()


def test_what_is_small_but_costs_much_is_too_much(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer_slowly(feed: Feed, message: str) -> None:
        house.timers.rightNow += 0.001

    screen = Screen(house, house.secret)
    monkeypatch.setattr(Feed, "textMessageReceived", answer_slowly)
    for _ in range(int(BURST / WORK / 0.001)):
        screen.say({})
        house.timers.advance(0.1)
    assert screen.code is None
    for _ in range(int(BURST / WORK / 0.001) + 1):
        screen.say({})
        house.timers.advance(0.0025)
    screen.refused(429, -903, 4429)


def test_who_goes_or_is_refused_while_it_waits_is_looked_at_no_more(house: House) -> None:
    gone, refused = Screen(house, house.secret), Screen(house, house.secret)
    house.site.turns.spend(1.0)
    gone.raw(PING)
    refused.raw(PING)
    gone.end()
    refused.raw(PING * int(BURST))
    refused.refused(429, -903, 4429)
    assert refused.transport.producerState == "producing"  # to drop what still comes
    house.timers.advance(1.0)
    assert refused.pongs == 0
    assert len(house.site.turns) == 0


def test_one_that_neither_reads_nor_has_its_turn_is_read_again_after_both(house: House) -> None:
    for turn_first in (True, False):
        screen = Screen(house, house.secret)
        house.site.turns.spend(1.0)
        screen.raw(PING)
        screen.stall()
        steps = [lambda: house.timers.advance(1.0), screen.read_on]
        for step in steps if turn_first else reversed(steps):
            assert screen.transport.producerState == "paused"
            step()
        assert screen.transport.producerState == "producing"


def test_what_came_while_the_handshake_waited_for_its_turn_is_read(house: House) -> None:
    house.site.turns.spend(1.0)
    screen = Screen(house)
    screen.show(house.secret)
    screen.raw(PING)
    assert screen.transport.value() == b""
    house.timers.advance(1.0)
    assert screen.told[0]["type"] == "ACTIVE_ORDERS"
    assert screen.pongs == 1


def test_a_flood_that_came_with_the_handshake_is_refused_and_its_end_is_noticed(house: House) -> None:
    house.site.turns.spend(1.0)
    screen = Screen(house)
    screen.raw(PING * 12_000)  # so much that the channel reads no more
    assert screen.transport.producerState == "paused"
    house.timers.advance(1.0)
    screen.refused(413, -31, 1009)
    assert screen.transport.producerState == "producing"


def test_who_floods_on_after_the_end_is_read_no_more_and_cut_off_soon(house: House) -> None:
    screen = Screen(house, house.secret)
    paused: list[bool] = []
    screen.transport.pauseProducing = lambda: paused.append(True)  # type: ignore[method-assign]
    screen.raw(b"\xff" * 4)
    assert screen.code == 1002
    screen.raw(b"x" * MOST_DROPPED)
    assert paused == []
    screen.raw(b"x")
    assert paused == [True]
    assert not screen.cut_off
    house.timers.pump([1.0] * int(LINGER + 1))
    assert screen.cut_off


def test_who_does_not_read_is_not_read_either(house: House) -> None:
    screen = Screen(house, house.secret)
    screen.stall()
    assert screen.transport.producerState == "paused"
    house.timers.pump([1.0] * 29)
    screen.read_on()
    assert screen.transport.producerState == "producing"
    house.timers.pump([1.0] * 29)
    assert not screen.cut_off
    assert screen.code is None


def test_only_our_half_is_closed_so_that_a_peer_that_still_sends_can_read_why(house: House) -> None:
    screen = Screen(house, house.secret)
    closings: list[bool] = []
    directlyProvides(screen.transport, ITCPTransport)
    screen.transport.loseWriteConnection = lambda: closings.append(True)  # type: ignore[attr-defined]
    screen.say("no json")
    for _ in range(200):
        screen.say({"a": SPACES})
    assert closings == [True]
    assert not screen.transport.disconnecting
    assert not screen.cut_off
    house.timers.pump([1.0] * 5)
    assert screen.cut_off


@pytest.mark.parametrize("after", [Ping(b"x"), CloseConnection(1000), TextMessage("no json"), BytesMessage(b"x")])
def test_nothing_is_said_after_the_close_to_what_came_along_with_the_reason_for_it(house: House, after: Event) -> None:
    screen = Screen(house, house.secret)
    screen.send_together(TextMessage("no json"), after)
    assert bytes(screen.transport.value()).endswith(close_frame(4400))


def test_over_tls_the_whole_is_closed_for_tls_closes_in_halves_itself(house: House) -> None:
    screen = Screen(house, house.secret)
    directlyProvides(screen.transport, ITCPTransport, INegotiated)
    screen.say("no json")
    screen.refused(400, -31, 4400)


def test_what_was_written_before_the_end_is_waited_for_without_us(house: House) -> None:
    screen = Screen(house, house.secret)
    assert screen.transport.producer is not None
    screen.say("no json")
    assert screen.transport.producer is None
