from typing import Any

import pytest

from tests.conftest import Logged
from tests.notifier.shop import Shop, answered, back, seqs, take_down, told
from tests.support import result_of
from ttgateway.notifier.resyncs import RESYNC_EVERY
from ttgateway.notifier.upcoming import Upcoming
from ttgateway.store.tables.listeners import Listener

WHOLE = ["SNAPSHOT_BEGIN", "ORDER_CREATED", "ORDER_CREATED", "SNAPSHOT_END"]


def with_two_orders(shop: Shop, **asked: Any) -> Listener:
    """Register a listener, and let it follow two orders."""
    listener = shop.register(**asked)
    shop.post("1")
    shop.post("2")
    answered(shop)
    return listener


def types(shop: Shop) -> list[str]:
    return [body["type"] for body, _ in answered(shop)]


def test_a_resync_tells_how_things_stand_between_marks_to_who_asked_for_snapshots(shop: Shop) -> None:
    listener = with_two_orders(shop, snapshot=True)
    shop.resync(listener)
    deliveries = answered(shop)
    assert [body["type"] for body, _ in deliveries] == WHOLE
    assert {headers["ttgateway-flags"] for _, headers in deliveries} == {"snapshot"}
    assert shop.progress(listener).delivered == 2
    assert not shop.progress(listener).snapshot_due


def test_to_others_it_tells_the_orders_alone(shop: Shop) -> None:
    listener = with_two_orders(shop, api=1)
    shop.resync(listener)
    deliveries = answered(shop)
    assert seqs(deliveries) == [1, 2]
    assert {(len(body), headers["ttgateway-flags"]) for body, headers in deliveries} == {(10, "snapshot")}


def test_it_comes_in_place_of_what_waits(shop: Shop) -> None:
    listener = with_two_orders(shop)
    take_down(shop)
    for location in range(5):
        shop.post("2", str(location + 1))
    shop.resync(listener)
    shop.dial.down.clear()
    shop.wait(1)
    deliveries = answered(shop)
    assert seqs(deliveries) == [1, 7]
    assert (shop.progress(listener).coalesced, shop.progress(listener).cursor) == (5, 7)


def test_who_knows_no_marks_is_first_told_which_orders_were_cleared_while_it_was_away(shop: Shop) -> None:
    listener = with_two_orders(shop, api=1)
    take_down(shop)
    shop.post("2", "7")
    shop.clear("1")
    shop.post("3")
    shop.clear("3")
    shop.resync(listener)
    back(shop)
    deliveries = answered(shop)
    assert [(body["seq"], body["state"]) for body, _ in deliveries] == [(4, "cleared"), (6, "cleared"), (3, "located")]
    assert {headers["ttgateway-flags"] for _, headers in deliveries} == {"snapshot"}
    progress = shop.progress(listener)
    assert (progress.delivered, progress.coalesced, progress.cursor, progress.snapshot_due) == (2, 4, 6, False)
    assert shop.accounts_balance()


def test_however_many_they_are(shop: Shop) -> None:
    listener = shop.register(api=1)
    shop.dial.down.add("10.0.0.2")
    for number in range(650):  # more than stay in memory
        shop.post(str(number))
        shop.clear(str(number))
    shop.post("999")
    shop.resync(listener)
    back(shop)
    assert seqs(answered(shop)) == [*range(2, 1_301, 2), 1_301]
    assert shop.progress(listener).cursor == 1_301


def test_changes_that_keep_coming_do_not_keep_it_from_beginning(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = shop.register(api=1)
    shop.dial.down.add("10.0.0.2")
    for number in range(600):  # more than stay in memory
        shop.post(str(number))
        shop.clear(str(number))
    shop.resync(listener)
    reads: list[object] = []
    read = shop.store.journal.cleared_page

    def busy(*asked: Any, **how: Any) -> Any:
        """While it is read, one more order comes."""
        reads.append(asked)
        if len(reads) < 50:
            shop.post(str(1_000 + len(reads)))
        return read(*asked, **how)

    monkeypatch.setattr(shop.store.journal, "cleared_page", busy)
    back(shop)
    deliveries = answered(shop)
    assert len(reads) < 10
    assert seqs(deliveries) == [*range(2, 1_201, 2), *range(1_201, 1_201 + len(reads))]
    assert shop.progress(listener).cursor == shop.store.journal.last


def test_what_is_cleared_while_these_are_read_is_told_too_and_then_how_things_stand(shop: Shop) -> None:
    listener = with_two_orders(shop)
    take_down(shop)
    for number in range(600):  # more than stay in memory
        shop.post(f"7{number}")
        shop.clear(f"7{number}")
    shop.post("3")
    shop.resync(listener)
    back(shop)
    assert told(shop.dial.peer)[0]["seq"] == 4
    shop.clear("2")
    shop.replay(listener, 0)  # it comes after the snapshot, which has begun
    shop.dial.peer.answer()
    assert [(body["seq"], headers.get("ttgateway-flags")) for body, headers in answered(shop)][598:] == [
        (1_202, "snapshot"),
        (1_204, "snapshot"),
        (1, "snapshot"),
        (1_203, "snapshot"),
        *((seq, "replay") for seq in range(1, 1_205)),
    ]
    assert shop.progress(listener).cursor == 1_204


def test_what_is_cleared_after_that_is_told_after_the_snapshot(shop: Shop) -> None:
    listener = with_two_orders(shop)
    take_down(shop)
    shop.clear("1")
    shop.resync(listener)
    back(shop)
    assert told(shop.dial.peer)[0]["seq"] == 3
    shop.clear("2")
    shop.replay(listener, 0)  # it comes after the snapshot, which has begun
    shop.dial.peer.answer()
    assert [(body["seq"], headers.get("ttgateway-flags")) for body, headers in answered(shop)] == [
        (2, "snapshot"),
        (1, "replay"),
        (2, "replay"),
        (3, "replay"),
        (4, None),
    ]
    assert shop.progress(listener).cursor == 4


def test_a_replay_after_a_snapshot_tells_also_what_that_passed_over(shop: Shop) -> None:
    listener = with_two_orders(shop, snapshot=True)
    shop.clear("1")
    answered(shop)
    take_down(shop)
    shop.post("3")
    shop.clear("3")
    shop.resync(listener)
    back(shop)
    assert told(shop.dial.peer)[0]["type"] == "SNAPSHOT_BEGIN"
    shop.replay(listener, 2)
    shop.dial.peer.answer()
    assert [(body["seq"], headers.get("ttgateway-flags")) for body, headers in answered(shop)] == [
        (2, "snapshot"),
        (5, "snapshot"),
        *((seq, "replay") for seq in (3, 4, 5)),
    ]


def test_damage_that_a_snapshot_meets_ends_no_replay_that_comes_after_it(shop: Shop, logged: Logged) -> None:
    listener = with_two_orders(shop)
    take_down(shop)
    for number in range(900):  # more than stay in memory
        shop.post(f"7{number}")
        shop.clear(f"7{number}")
    shop.wait(0.1)
    shop.store._connections[1].execute("UPDATE changes SET body = CAST('{}' AS BLOB) WHERE seq = 254")
    shop.resync(listener)
    back(shop)
    assert told(shop.dial.peer)[0]["seq"] == 4
    shop.replay(listener, 0)
    shop.dial.peer.answer()
    deliveries = answered(shop)
    told_of = [*(seq for seq in range(6, 1_803, 2) if seq != 254), 1, 2]
    assert seqs(deliveries) == [*told_of, *range(1, 201), 1, 2]  # the page after that is damaged, too
    assert "is damaged in the journal" in str(logged.flush())


def test_a_restart_in_the_middle_begins_them_anew(shop: Shop) -> None:
    listener = with_two_orders(shop)
    take_down(shop)
    shop.clear("1")
    shop.clear("2")
    shop.resync(listener)
    back(shop)
    assert told(shop.dial.peer)[0]["seq"] == 3
    shop.dial.peer.answer()
    shop.dial.peer.lose()
    shop.restart_notifier()
    shop.wait(6)
    assert seqs(answered(shop)) == [3, 4]
    assert shop.progress(listener).cursor == 4


def test_who_does_not_want_to_hear_of_it_is_not_told_which_were_cleared(shop: Shop) -> None:
    listener = with_two_orders(shop, events=["ORDER_CREATED"])
    take_down(shop)
    shop.clear("1")
    shop.resync(listener)
    back(shop)
    assert seqs(answered(shop)) == [2]


def test_several_before_it_begins_are_one(shop: Shop) -> None:
    listener = with_two_orders(shop, snapshot=True)
    take_down(shop)
    for _ in range(3):
        shop.resync(listener)
        shop.wait(20)
    back(shop)
    assert types(shop) == WHOLE
    shop.wait(10)
    assert types(shop) == []


def test_a_snapshot_that_could_not_begin_tells_how_things_stand_when_it_can(shop: Shop) -> None:
    listener = with_two_orders(shop, snapshot=True)
    take_down(shop)
    shop.resync(listener)
    shop.wait(60)
    shop.post("3")
    back(shop)
    deliveries = answered(shop)
    assert deliveries[0][0] == {"type": "SNAPSHOT_BEGIN", "seq": 3}
    assert seqs(deliveries) == [3, 1, 2, 3, 3]
    assert deliveries[0][1]["ttgateway-attempt"] == "1"


def test_one_that_has_begun_after_all_is_told_to_its_end_though_things_change(shop: Shop) -> None:
    listener = with_two_orders(shop, snapshot=True)
    shop.resync(listener)
    told(shop.dial.peer)
    shop.dial.peer.answer(503)
    shop.wait(0.3)
    assert told(shop.dial.peer)[0]["type"] == "SNAPSHOT_BEGIN"
    shop.post("1", "12")
    shop.dial.peer.answer()
    assert types(shop) == [*WHOLE[1:], "ORDER_MODIFIED"]


@pytest.mark.parametrize("told_before", range(4))
def test_one_that_is_asked_for_while_one_is_told_follows_it(shop: Shop, told_before: int) -> None:
    listener = with_two_orders(shop, snapshot=True)
    shop.resync(listener)
    for kind in WHOLE[:told_before]:
        assert told(shop.dial.peer)[0]["type"] == kind
        shop.dial.peer.answer()
    shop.resync(listener)
    shop.resync(listener)
    assert types(shop) == WHOLE[told_before:]
    assert shop.progress(listener).snapshot_due
    shop.wait(RESYNC_EVERY + 0.2)
    assert types(shop) == WHOLE
    shop.wait(RESYNC_EVERY + 0.2)
    assert types(shop) == []
    assert shop.timers.getDelayedCalls() == []


def test_one_that_is_asked_for_between_two_tries_of_a_part_follows_too(shop: Shop) -> None:
    listener = with_two_orders(shop, snapshot=True)
    shop.resync(listener)
    assert told(shop.dial.peer)[0]["type"] == "SNAPSHOT_BEGIN"
    shop.dial.peer.answer()
    shop.dial.peer.request()
    shop.dial.peer.answer(503)
    shop.post("3")
    shop.resync(listener)
    shop.replay(listener, 1)
    shop.wait(0.3)
    deliveries = answered(shop)
    assert [(body["seq"], headers.get("ttgateway-flags")) for body, headers in deliveries] == [
        (1, "snapshot"),
        (2, "snapshot"),
        (2, "snapshot"),
        (2, "replay"),
        (3, None),
    ]
    shop.wait(RESYNC_EVERY + 0.2)
    assert types(shop) == ["SNAPSHOT_BEGIN", *["ORDER_CREATED"] * 3, "SNAPSHOT_END"]


def test_the_next_waits_for_five_seconds_while_changes_are_told_and_comes_by_itself(shop: Shop) -> None:
    listener = with_two_orders(shop, snapshot=True)
    shop.resync(listener)
    began = shop.timers.seconds()
    assert types(shop) == WHOLE
    shop.wait(1)
    shop.resync(listener)
    assert types(shop) == []
    shop.wait(1)
    shop.post("1", "12")
    assert types(shop) == ["ORDER_MODIFIED"]
    while not shop.dial.peer.open or not shop.dial.peer.transport.value():  # type: ignore[no-untyped-call]
        shop.wait(0.1)
    assert RESYNC_EVERY - 1e-9 <= shop.timers.seconds() - began <= RESYNC_EVERY + 0.3
    assert types(shop) == ["SNAPSHOT_BEGIN", "ORDER_CREATED", "ORDER_MODIFIED", "SNAPSHOT_END"]
    shop.wait(3)
    assert shop.timers.getDelayedCalls() == []


def test_who_knows_marks_is_told_nothing_of_it_before_them_though_the_wait_ends_just_as_it_reads(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = with_two_orders(shop, snapshot=True)
    shop.resync(listener)
    assert types(shop) == WHOLE
    take_down(shop)
    for number in range(600):  # more than stay in memory
        shop.post(f"7{number}")
        shop.clear(f"7{number}")
    shop.resync(listener)
    must_read = Upcoming.must_read

    def later(upcoming: Upcoming) -> bool:
        if upcoming.is_held():
            shop.clock.up_ahead += RESYNC_EVERY
        return must_read(upcoming)

    monkeypatch.setattr(Upcoming, "must_read", later)
    back(shop)
    deliveries = answered(shop)
    flags = [headers.get("ttgateway-flags") for _, headers in deliveries]
    marks = [body["type"] for body, _ in deliveries].index("SNAPSHOT_BEGIN")
    assert set(flags[:marks]) == {None}
    assert [body["type"] for body, _ in deliveries[marks:]] == WHOLE


def test_after_five_seconds_it_comes_at_once(shop: Shop) -> None:
    listener = with_two_orders(shop, snapshot=True)
    for _ in range(3):
        shop.resync(listener)
        assert types(shop) == WHOLE
        shop.wait(RESYNC_EVERY)


def test_snapshots_that_no_resync_asked_for_hold_nothing_back_and_are_not_held(shop: Shop) -> None:
    listener = shop.register(snapshot=True)
    assert types(shop) == ["SNAPSHOT_BEGIN", "SNAPSHOT_END"]
    shop.resync(listener)
    assert types(shop) == ["SNAPSHOT_BEGIN", "SNAPSHOT_END"]
    shop.dial.peer.lose()
    shop.register(snapshot=True)
    assert types(shop) == ["SNAPSHOT_BEGIN", "SNAPSHOT_END"]


def test_who_registers_anew_for_a_snapshot_gets_with_it_the_one_that_waits(shop: Shop) -> None:
    listener = with_two_orders(shop, snapshot=True)
    for _ in range(2):
        shop.resync(listener)
        answered(shop)
    assert shop.progress(listener).snapshot_due
    shop.dial.peer.lose()
    shop.register(snapshot=True)
    assert types(shop) == WHOLE
    shop.wait(RESYNC_EVERY + 0.2)
    assert types(shop) == []


def test_who_registers_again_in_the_middle_gets_a_whole_one_at_once(shop: Shop) -> None:
    listener = with_two_orders(shop, snapshot=True)
    shop.resync(listener)
    deliveries = shop.dial.peer
    assert told(deliveries)[0]["type"] == "SNAPSHOT_BEGIN"
    deliveries.answer()
    assert told(deliveries)[0]["seq"] == 1
    shop.resync(listener)
    shop.register()
    deliveries.answer()
    for seq in (1, 2):
        body, headers = told(deliveries)
        assert (body["seq"], headers["ttgateway-flags"]) == (seq, "snapshot")
        deliveries.answer()
    assert not shop.progress(listener).snapshot_due
    shop.resync(listener)  # that one was asked for by a resync too
    assert not deliveries.transport.value()  # type: ignore[no-untyped-call]


def test_what_a_listener_lost_is_made_good_without_a_wait(shop: Shop) -> None:
    listener = with_two_orders(shop, snapshot=True)
    shop.resync(listener)
    assert types(shop) == WHOLE
    take_down(shop)
    shop.post("1", "12")
    shop.store.journal.trimmed_to(3)
    shop.dial.down.clear()
    shop.wait(1)
    assert types(shop) == ["SNAPSHOT_BEGIN", "ORDER_CREATED", "ORDER_MODIFIED", "SNAPSHOT_END"]


def test_a_restart_forgets_the_wait_and_not_the_resync(shop: Shop) -> None:
    listener = with_two_orders(shop, snapshot=True)
    for _ in range(2):
        shop.resync(listener)
        answered(shop)
    before = shop.timers.seconds()
    stopping = shop.notifier.stop()
    result_of(stopping)
    shop.restart_notifier()
    shop.wait(0.5)
    assert types(shop) == WHOLE
    assert shop.timers.seconds() - before < 7  # of which six are the restart


def test_with_nothing_to_tell_and_no_marks_it_is_done_at_once(shop: Shop) -> None:
    listener = shop.register()
    for _ in range(2):
        shop.resync(listener)
        assert not shop.progress(listener).snapshot_due
    shop.wait(0.1)
    assert shop.timers.getDelayedCalls() == []
    [due] = shop.store._connections[1].execute("SELECT snapshot_due FROM listeners")
    assert due == (0,)


def test_who_is_removed_while_one_waits_leaves_no_timer(shop: Shop) -> None:
    listener = with_two_orders(shop, snapshot=True)
    for _ in range(2):
        shop.resync(listener)
        answered(shop)
    result_of(shop.gateway.registry.remove(listener))
    shop.wait(0.2)
    assert shop.timers.getDelayedCalls() == []
