import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from twisted.internet.defer import Deferred, ensureDeferred
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from tests.api.client import PEER, Connection, House
from tests.conftest import Logged
from tests.feeds.screens import PATH, Screen, handshake, text
from tests.support import OnDemand, result_of
from ttgateway.api.routes import FAILURES_BURST, FAILURES_RATE
from ttgateway.api.server.channel import ApiChannel
from ttgateway.feeds.line import MOST_MESSAGE, Line
from ttgateway.feeds.websocket import Feed
from ttgateway.gateway import Posted
from ttgateway.orders.order import ClearedReason, OrderType
from ttgateway.refusals import NotNow
from ttgateway.store.commits import MEND_EVERY

SAMPLE_FIELDS = {
    "stateChanged",
    "seq",
    "paged",
    "name",
    "elapsedTime",
    "uuid",
    "created",
    "orderType",
    "locationName",
    "state",
    "type",
}


def post(house: House, *names: str) -> None:
    for name in names:
        result_of(house.gateway.post(name, OrderType.ON_PREMISE, ""))


def on_a_slow_disk() -> tuple[House, OnDemand, str]:
    """Return a house whose commits wait for its disk, and a secret."""
    disk = OnDemand()
    house = House(executor=disk)
    made = ensureDeferred(house.gateway.secrets.create("till"))
    settle(disk)
    return house, disk, result_of(made).secret


def begun(house: House, name: str) -> "Deferred[Posted]":
    return ensureDeferred(house.gateway.post(name, OrderType.TO_GO, ""))


def settle(disk: OnDemand) -> None:
    while disk.waiting:
        disk.step()


def test_a_reader_gets_the_list_as_it_stands_in_section_3_and_then_each_change(house: House) -> None:
    post(house, "102")
    house.timers.advance(7.2)
    screen = Screen(house, house.secret)
    (item,) = house.get("/api/v2/activeorders").json["items"]
    assert screen.told == [{"type": "ACTIVE_ORDERS", "count": 1, "items": [item]}]
    assert item["elapsedTime"] == 7
    result_of(house.gateway.post("102", OrderType.ON_PREMISE, "8"))
    change = screen.told[1]
    assert set(change) == SAMPLE_FIELDS
    assert (change["seq"], change["type"], change["state"], change["locationName"]) == (
        2,
        "ORDER_MODIFIED",
        "located",
        "8",
    )
    assert screen.seqs == [2]
    assert screen.code is None


def test_no_data_text_holds_a_message_or_a_status(house: House) -> None:
    post(house, "1")
    screen = Screen(house, house.secret)
    post(house, "2")
    assert all(not {"message", "status", "returnCode"} & set(told) for told in screen.told)


def test_the_secret_may_come_as_the_first_message(house: House) -> None:
    screen = Screen(house)
    post(house, "1")
    assert screen.told == []
    screen.show(house.secret)
    assert [told["type"] for told in screen.told] == ["ACTIVE_ORDERS"]
    post(house, "2")
    assert screen.seqs == [2]


def test_a_first_message_sent_along_with_the_handshake_is_read(house: House) -> None:
    screen = Screen(house, early=(text({"accesstoken": house.secret}),))
    assert [told["type"] for told in screen.told] == ["ACTIVE_ORDERS"]


def test_showing_a_secret_is_a_use_of_it(house: House) -> None:
    (token,) = house.gateway.secrets.all()
    Screen(house, peer="10.0.0.8").show(house.secret)
    assert token.last_used == house.clock.now().wall
    assert token.ip_address == "10.0.0.8"


def test_a_list_tells_nothing_that_is_not_on_disk_and_what_comes_meanwhile_follows_it_once() -> None:
    house, disk, secret = on_a_slow_disk()
    orders = [begun(house, "1")]
    screen = Screen(house, secret)
    orders.append(begun(house, "2"))
    assert screen.told == []
    settle(disk)
    assert all(result_of(order).changed for order in orders)
    assert [item["name"] for item in screen.told[0]["items"]] == ["1"]
    assert screen.seqs == [2]
    house.audience.stop()


def test_a_list_is_made_again_where_what_it_rested_on_was_lost(logged: Logged) -> None:
    house, disk, secret = on_a_slow_disk()
    broken = house.store.write(lambda db: db.execute("no SQL"))
    lost = begun(house, "1")
    screen = Screen(house, secret)
    disk.step()
    for refused in (broken, lost):
        with pytest.raises(NotNow):
            result_of(refused)
    kept = begun(house, "2")
    settle(disk)
    assert result_of(kept).changed
    assert (screen.told[0]["items"], screen.seqs) == ([], [1])
    assert screen.told[1]["name"] == "2"
    house.timers.advance(MEND_EVERY)
    house.audience.stop()
    assert len(logged.flush()) == 1


def test_a_peer_that_goes_while_its_list_is_made_is_told_nothing() -> None:
    house, disk, secret = on_a_slow_disk()
    order = begun(house, "1")
    screen = Screen(house, secret)
    screen.end()
    settle(disk)
    assert result_of(order).changed
    assert screen.told == []
    assert len(house.audience) == 0


def test_a_store_that_cannot_be_read_is_told(house: House) -> None:
    async def standing() -> None:
        raise NotNow("The store cannot be read.")

    house.gateway.standing = standing  # type: ignore[assignment, method-assign]
    Screen(house, house.secret).refused(503, -904, 4503)


@pytest.mark.parametrize("secret", ["0" * 48, "x", ""])
def test_a_wrong_secret_in_the_first_message_is_refused(house: House, secret: str) -> None:
    screen = Screen(house)
    screen.show(secret)
    screen.refused(401, -2, 4401)


def test_a_wrong_secret_at_the_handshake_is_refused_on_the_websocket(house: House) -> None:
    Screen(house, "0" * 48).refused(401, -2, 4401)


@pytest.mark.parametrize("message", [{}, {"accesstoken": None}, {"accesstoken": 7}, {"token": "x"}, ""])
def test_a_first_message_without_a_secret_is_refused(house: House, message: object) -> None:
    screen = Screen(house)
    screen.say(message)
    screen.refused(401, -2, 4401)


@pytest.mark.parametrize(
    "message", ["hello", "[1]", '"x"', '{"accesstoken": ', "[" * 900, '{"a": 1, "a": 1}', "{\x00}"]
)
def test_a_first_message_that_is_no_json_object_is_refused(house: House, message: str) -> None:
    screen = Screen(house)
    screen.say(message)
    screen.refused(400, -31, 4400)


def test_who_shows_no_secret_in_20_seconds_is_refused(house: House) -> None:
    screen = Screen(house)
    house.timers.pump([1.0] * 19)
    assert screen.code is None
    house.timers.advance(1.0)
    screen.refused(408, -32, 4408)


def test_too_many_wrong_secrets_of_one_peer_are_slowed_down(house: House) -> None:
    def shown_wrong() -> Screen:
        screen = Screen(house)
        screen.show("wrong")
        screen.end()
        return screen

    for _ in range(FAILURES_BURST - 50):
        shown_wrong().refused(401, -2, 4401)
    house.timers.advance(5.0)  # so that it is not their number of requests alone
    for _ in range(50 + round(5.0 * FAILURES_RATE)):
        shown_wrong().refused(401, -2, 4401)
    shown_wrong().refused(429, -903, 4429)


def test_later_messages_of_json_are_ignored_and_others_are_refused(house: House) -> None:
    screen = Screen(house, house.secret)
    screen.show("wrong, but that was asked before")
    screen.say({"type": "PING"})
    post(house, "1")
    assert screen.seqs == [1]
    screen.say("ping")
    screen.refused(400, -31, 4400)


def test_a_binary_message_is_taken_as_text(house: House) -> None:
    screen = Screen(house)
    screen.send(BytesMessage(json.dumps({"accesstoken": house.secret}).encode()))
    assert len(screen.told) == 1
    screen.send(BytesMessage(b"\xff"))
    screen.refused(400, -31, 4400)


def test_nothing_is_sent_after_a_refusal(house: House) -> None:
    screen = Screen(house, house.secret)
    screen.say("ping")
    sent = screen.transport.value()
    post(house, "1")
    house.audience.stop()
    assert screen.transport.value() == sent


def test_what_follows_a_refused_message_means_nothing(house: House) -> None:
    screen = Screen(house, early=(text("no json"), text({"accesstoken": house.secret}), text("no json")))
    screen.refused(400, -31, 4400)
    assert len(screen.told) == 1


def test_a_revoked_token_ends_its_feeds_and_no_others(house: House) -> None:
    other = result_of(house.gateway.secrets.create("other")).secret
    theirs, others = [Screen(house, house.secret), Screen(house, house.secret)], [Screen(house, other), Screen(house)]
    assert house.delete("/api/v2/accesstoken").status == 200
    for screen in theirs:
        screen.refused(401, -2, 4401)
    assert [screen.code for screen in others] == [None, None]


def test_when_the_gateway_stops_readers_are_told_to_go_away(house: House) -> None:
    screens = [Screen(house, house.secret), Screen(house)]
    house.audience.stop()
    assert [screen.code for screen in screens] == [1001, 1001]
    assert all("status" not in told for screen in screens for told in screen.told)
    assert house.timers.getDelayedCalls() == []


def test_a_stalled_reader_goes_on_where_it_was_and_nothing_waits_for_it(house: House) -> None:
    screen = Screen(house, house.secret)
    post(house, "1")
    screen.stall()
    sent = screen.transport.value()
    post(house, *map(str, range(2, 500)))
    assert screen.transport.value() == sent
    house.timers.pump([1.0] * 29)
    screen.read_on()
    post(house, "500")
    assert screen.seqs == list(range(1, 501))
    assert screen.code is None


def test_a_reader_that_fell_behind_what_is_in_memory_is_sent_away(house: House) -> None:
    screen = Screen(house, house.secret)
    screen.stall()
    for _ in range(501):
        post(house, "1")
        result_of(house.gateway.clear("1", ClearedReason.TRACKER))
    screen.read_on()
    screen.refused(429, -903, 4429)


def test_a_reader_that_reads_nothing_for_30_seconds_is_sent_away_and_cut_off_if_it_does_not_go(house: House) -> None:
    screen = Screen(house, house.secret)
    screen.stall()
    house.timers.pump([1.0] * 29)
    assert screen.code is None
    house.timers.advance(1.0)
    screen.refused(429, -903, 4429)
    house.timers.pump([1.0] * 2)
    assert not screen.cut_off
    house.timers.advance(1.0)
    assert screen.cut_off


def test_one_stalled_reader_keeps_nothing_from_the_others(house: House) -> None:
    stalled, screen = Screen(house, house.secret), Screen(house, house.secret)
    stalled.stall()
    post(house, "1", "2")
    assert (stalled.seqs, screen.seqs) == ([], [1, 2])


def test_a_peer_is_asked_for_a_sign_of_life_and_cut_off_after_a_minute_without(house: House) -> None:
    screen = Screen(house, house.secret)
    house.timers.pump([1.0] * 30)
    assert screen.pings == 1
    house.timers.pump([1.0] * 29)
    assert not screen.cut_off
    house.timers.advance(1.0)
    assert screen.cut_off


def test_a_peer_that_answers_stays(house: House) -> None:
    screen = Screen(house, house.secret)
    for _ in range(10):
        house.timers.pump([1.0] * 30)
        screen.send(Ping().response())
    assert screen.pings == 10
    assert screen.code is None
    assert not screen.cut_off


def test_a_peer_that_closes_is_answered_and_told_nothing_more(house: House) -> None:
    screen = Screen(house, house.secret)
    screen.send(CloseConnection(1000))
    assert screen.code == 1000
    sent = screen.transport.value()
    post(house, "1")
    screen.raw(b"anything")
    assert screen.transport.value() == sent
    house.timers.pump([1.0] * 5)
    assert screen.cut_off


def test_a_peer_that_has_gone_is_forgotten(house: House) -> None:
    screen = Screen(house, house.secret)
    assert len(house.audience) == 1
    screen.end()
    assert len(house.audience) == 0
    assert len(house.site.connections) == 0
    assert house.timers.getDelayedCalls() == []
    post(house, "1")


def test_a_broken_frame_ends_the_websocket(house: House) -> None:
    screen = Screen(house, house.secret)
    screen.raw(b"\xff\xff\xff\xff")
    assert screen.code == 1002
    post(house, "1")
    assert screen.seqs == []


@pytest.mark.parametrize("opcode", [0x41, 0x42, 0x49, 0x61, 0x71])
def test_a_compressed_frame_ends_the_websocket_and_is_not_inflated(house: House, opcode: int) -> None:
    screen = Screen(house, house.secret)
    screen.raw(bytes([0x80 | opcode, 0x84, 0, 0, 0, 0]) + b"\xaa\x56\x4a\x04")
    assert screen.code == 1002


def test_a_frame_that_says_it_is_huge_costs_nothing_until_it_comes(house: House) -> None:
    screen = Screen(house, house.secret)
    screen.raw(b"\x82\xff" + (1 << 62).to_bytes(8, "big") + bytes(4))
    assert screen.code is None
    for _ in range(MOST_MESSAGE // 1_000):
        screen.raw(b"x" * 1_000)
    assert screen.code is None
    screen.raw(b"x" * 1_000)
    screen.refused(413, -31, 1009)


@pytest.mark.parametrize("field", ["accesstoken", "access_token", "token", "secret", "key"])
def test_a_secret_in_the_url_opens_nothing(house: House, field: str) -> None:
    connection = Connection(house.site, PEER)
    connection.send(handshake().replace(PATH.encode(), f"{PATH}?{field}={house.secret}".encode(), 1))
    assert b" 101 " in connection.transport.value()
    post(house, "1")
    assert b"seq" not in connection.transport.value()
    connection.end()
    house.ask("GET", f"/api/v2/activeorders?{field}={house.secret}", known=False).refuses(401, -2)


def test_a_text_that_is_no_utf_8_ends_the_websocket(house: House) -> None:
    screen = Screen(house, house.secret)
    screen.raw(b"\x81\x81\x00\x00\x00\x00\xff")
    assert screen.code == 1007


def test_a_message_in_pieces_is_put_together(house: House) -> None:
    screen = Screen(house)
    whole = json.dumps({"accesstoken": house.secret})
    screen.send(TextMessage(whole[:9], message_finished=False))
    screen.send(TextMessage(whole[9:]))
    assert len(screen.told) == 1


@contextmanager
def no_collector() -> Iterator[None]:
    """Let what leads back to itself stay."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def standing(*kinds: type) -> int:
    return sum(isinstance(each, kinds) for each in gc.get_objects())


@pytest.mark.parametrize("known", [True, False])
def test_of_a_websocket_that_has_ended_nothing_waits_for_the_collector(house: House, known: bool) -> None:
    # Thousands of strangers that come and go would make it walk for a tenth of a second, and every till wait for that.
    with no_collector():
        before = standing(ApiChannel, Line, Feed)
        screen = Screen(house, house.secret if known else None)
        assert standing(ApiChannel, Line, Feed) == before + 3
        screen.end()
        del screen
        assert standing(ApiChannel, Line, Feed) == before


def test_a_stranger_waits_for_its_turn_once_to_get_a_websocket(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = house.site.turns
    take, taken = turns.take, list[object]()

    def noted(request: Any, group: str, answer: Callable[[], None]) -> bool:
        taken.append(request)
        return take(request, group, answer)

    monkeypatch.setattr(turns, "take", noted)
    assert Screen(house).told == []
    assert len(taken) == 1
