from twisted.internet.interfaces import INegotiated, ITCPTransport
from wsproto.events import BytesMessage, Ping, TextMessage
from zope.interface import directlyProvides

from tests.api.client import House
from tests.feeds.screens import Screen
from ttgateway.feeds.line import BURST, MOST_FROM_STRANGERS, MOST_MESSAGE

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


def test_messages_at_a_steady_pace_are_never_too_many(house: House) -> None:
    screen = Screen(house, house.secret)
    for _ in range(200):
        screen.send(Ping(SPACES[:100].encode()))
        screen.say({"a": SPACES * 7})
        house.timers.advance(1.0)
    assert screen.code is None
    assert screen.pongs == 200


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
    for _ in range(500):
        screen.say({"a": SPACES})
    assert closings == [True]
    assert not screen.transport.disconnecting
    assert not screen.cut_off
    house.timers.pump([1.0] * 5)
    assert screen.cut_off


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
