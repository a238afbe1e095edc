from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Logged
from tests.notifier.shop import Shop, answered, seqs, told
from tests.support import AtOnce, OnDemand, result_of
from ttgateway.refusals import ChangesGone
from ttgateway.store.opening import FILE
from ttgateway.store.tables.listeners import Listener


def followed(shop: Shop, changes: int, **asked: Any) -> Listener:
    """Register a listener, and let it follow ``changes`` changes of three orders."""
    listener = shop.register(**asked)
    for number in range(changes):
        shop.post(str(number % 3), str(number + 1))
        answered(shop)
    return listener


def refuse(shop: Shop, status: int = 404) -> None:
    """Let the listener refuse what comes next, until that is given up."""
    for attempt in range(5):
        while not (shop.dial.peer.open and shop.dial.peer.transport.value()):  # type: ignore[no-untyped-call]
            shop.wait(0.1)
        assert shop.dial.peer.request()[1]["ttgateway-attempt"] == str(attempt + 1)
        shop.dial.peer.answer(status)


def parked(shop: Shop) -> list[int]:
    shop.wait(0.1)
    return [seq for (seq,) in shop.store._connections[1].execute("SELECT seq FROM parked ORDER BY seq")]


def test_a_replay_tells_again_what_comes_after_a_seq_and_then_what_waits(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    shop.post("2")
    shop.post("1", "12")
    first = answered(shop)
    accounts = (shop.progress(listener).delivered, shop.progress(listener).cursor)
    shop.replay(listener, 1)
    again = [told(shop.dial.peer)]
    shop.post("3")
    shop.dial.peer.answer()
    again += answered(shop)
    assert seqs(again) == [2, 3, 4]
    assert [headers.get("ttgateway-flags") for _, headers in again] == ["replay", "replay", None]
    assert [headers["ttgateway-previous"] for _, headers in again] == ["3", "2", "3"]
    assert [headers["webhook-id"] for _, headers in again[:2]] == [headers["webhook-id"] for _, headers in first[1:]]
    assert [body for body, _ in again[:2]] == [body for body, _ in first[1:]]
    assert accounts == (3, 3)
    assert (shop.progress(listener).delivered, shop.progress(listener).cursor) == (4, 4)
    assert not shop.progress(listener).replaying


def test_a_replay_from_the_cursor_or_beyond_is_nothing(shop: Shop) -> None:
    listener = followed(shop, 3)
    shop.replay(listener, 3)
    shop.replay(listener, 2**53)
    assert answered(shop) == []
    assert not shop.progress(listener).replaying


def test_a_replay_of_more_than_a_page_is_told_to_its_end(shop: Shop) -> None:
    listener = followed(shop, 250)
    shop.replay(listener, 0)
    assert seqs(answered(shop)) == list(range(1, 251))
    assert shop.progress(listener).delivered == 250


def test_what_was_before_the_registration_can_be_asked_for_too(shop: Shop) -> None:
    for number in range(4):
        shop.post("1", str(number + 1))
    listener = shop.register()
    shop.replay(listener, 2)
    assert seqs(answered(shop)) == [3, 4]
    assert (shop.progress(listener).base, shop.progress(listener).delivered) == (4, 0)


def test_what_is_no_longer_kept_cannot(shop: Shop) -> None:
    listener = followed(shop, 5)
    shop.store.journal.trimmed_to(3)
    with pytest.raises(ChangesGone):
        shop.replay(listener, 2)
    shop.replay(listener, 3)
    assert seqs(answered(shop)) == [4, 5]


def test_only_wanted_types_are_told_again(shop: Shop) -> None:
    listener = shop.register(events=["ORDER_PAGED"])
    for name in ("1", "2"):
        shop.post(name)
        shop.page(name)
        shop.post(name, "12")
        shop.post(name, "13")
    answered(shop)
    accounts = (shop.progress(listener).delivered, shop.progress(listener).filtered)
    shop.replay(listener, 0)
    assert seqs(answered(shop)) == [2, 6]
    assert accounts == (2, 6) == (shop.progress(listener).delivered, shop.progress(listener).filtered)
    assert not shop.progress(listener).replaying


def test_that_nothing_wanted_was_to_be_told_is_written_down(shop: Shop) -> None:
    listener = followed(shop, 5, events=["ORDER_PAGED"])
    shop.wait(0.1)
    shop.replay(listener, 2)
    assert answered(shop) == []
    shop.wait(0.1)
    assert list(shop.store._connections[1].execute("SELECT replay_after, replay_upto FROM listeners")) == [(5, 5)]


def test_a_page_without_a_wanted_type_is_passed_over(shop: Shop) -> None:
    listener = followed(shop, 120, events=["ORDER_PAGED"])
    shop.page("1")
    answered(shop)
    shop.replay(listener, 0)
    assert seqs(answered(shop)) == [121]
    assert not shop.progress(listener).replaying


def test_who_wants_the_latest_only_gets_every_change_of_a_replay(shop: Shop) -> None:
    listener = followed(shop, 300, catch_up="latest")
    shop.wait(100)
    shop.replay(listener, 0)
    deliveries = answered(shop)
    assert seqs(deliveries) == list(range(1, 301))
    assert {headers["ttgateway-flags"] for _, headers in deliveries} == {"replay"}


def test_what_is_in_flight_when_a_replay_is_asked_for_ends_first(shop: Shop) -> None:
    listener = followed(shop, 2)
    shop.post("7")
    shop.post("8")
    body, _ = told(shop.dial.peer)
    shop.replay(listener, 0)
    shop.dial.peer.answer()
    assert body["seq"] == 3
    assert seqs(answered(shop)) == [1, 2, 3, 4]


def test_what_failed_meanwhile_comes_after_the_replay_and_is_counted_anew(shop: Shop) -> None:
    listener = followed(shop, 2)
    shop.post("7")
    for _ in range(2):
        told(shop.dial.peer)
        shop.dial.peer.answer(503)
        shop.wait(0.7)
    told(shop.dial.peer)
    shop.replay(listener, 0)
    shop.dial.peer.answer(503)
    shop.wait(1.1)
    deliveries = answered(shop)
    assert seqs(deliveries) == [1, 2, 3]
    assert {headers["ttgateway-attempt"] for _, headers in deliveries} == {"1"}


def test_what_waits_for_its_next_attempt_comes_after_the_replay(shop: Shop) -> None:
    listener = followed(shop, 2)
    shop.post("7")
    told(shop.dial.peer)
    shop.dial.peer.answer(404)
    shop.replay(listener, 1)
    shop.wait(1.1)
    deliveries = answered(shop)
    assert seqs(deliveries) == [2, 3]
    assert [headers["ttgateway-attempt"] for _, headers in deliveries] == ["1", "1"]


def test_a_page_that_was_made_ready_waits_for_the_replay(shop: Shop) -> None:
    listener = followed(shop, 2)
    shop.dial.down.add("10.0.0.2")
    shop.dial.peer.lose()
    for number in range(1_200):  # more than stay in memory
        shop.post("7", str(number + 1))
    shop.dial.down.clear()
    shop.gateway.registry.heard("10.0.0.2")
    assert told(shop.dial.peer)[0]["seq"] == 3
    shop.replay(listener, 1)
    shop.dial.peer.answer()
    assert seqs(answered(shop)) == list(range(2, 1_203))


def test_a_replay_asked_for_while_a_page_is_read_comes_before_it(shop: Shop) -> None:
    listener = followed(shop, 2)
    shop.dial.down.add("10.0.0.2")
    shop.dial.peer.lose()
    for number in range(1_200):
        shop.post("7", str(number + 1))
    reader = shop.store.journal._executor = OnDemand()
    shop.dial.down.clear()
    shop.gateway.registry.heard("10.0.0.2")
    shop.replay(listener, 0)
    assert len(reader.waiting) == 1
    reader.step()
    assert len(reader.waiting) == 1
    shop.store.journal._executor = AtOnce()
    reader.step()
    assert seqs(answered(shop)) == [1, 2, *range(3, 1_203)]


@pytest.mark.parametrize(
    ("since", "again"),
    [(0, [1, 2, 3, 4, 5, 6]), (1, [2, 3, 4, 5, 6]), (2, [4, 5, 6]), (3, [4, 5, 6]), (5, [4, 5, 6]), (6, [4, 5, 6])],
)
def test_two_replays_are_one_that_begins_at_the_lesser_seq(shop: Shop, since: int, again: list[int]) -> None:
    listener = followed(shop, 6)
    shop.replay(listener, 2)
    assert told(shop.dial.peer)[0]["seq"] == 3
    shop.replay(listener, since)
    shop.dial.peer.answer()
    assert seqs(answered(shop)) == again
    assert shop.progress(listener).delivered == 6


def test_what_was_in_flight_is_told_again_too_or_a_display_would_end_with_an_older_state(shop: Shop) -> None:
    listener = followed(shop, 3, api=1)
    shop.clear("0")
    told(shop.dial.peer)
    shop.replay(listener, 0)
    shop.dial.peer.answer()
    deliveries = answered(shop)
    assert [(body["seq"], body["state"]) for body, _ in deliveries][-1] == (4, "cleared")
    assert seqs(deliveries) == [1, 2, 3, 4]
    assert (shop.progress(listener).delivered, shop.progress(listener).replaying) == (4, False)


def test_a_second_replay_reaches_to_where_the_listener_stands_then(shop: Shop) -> None:
    listener = followed(shop, 4)
    shop.post("7")
    told(shop.dial.peer)
    shop.replay(listener, 2)
    shop.dial.peer.answer()
    assert shop.progress(listener).replay_upto == 5
    shop.replay(listener, 3)
    assert (shop.progress(listener).replay_after, shop.progress(listener).replay_upto) == (2, 5)
    assert seqs(answered(shop)) == [3, 4, 5]


def test_a_replay_comes_before_a_snapshot_that_is_due_and_that_before_what_waits(shop: Shop) -> None:
    listener = followed(shop, 3, snapshot=True)
    shop.dial.down.add("10.0.0.2")
    shop.dial.peer.lose()
    shop.post("7")
    shop.resync(listener)
    shop.replay(listener, 1)
    shop.dial.down.clear()
    shop.wait(1)
    told_then = [(body["type"], body["seq"]) for body, _ in answered(shop)]
    assert told_then == [
        ("ORDER_CREATED", 2),
        ("ORDER_CREATED", 3),
        ("SNAPSHOT_BEGIN", 4),
        ("ORDER_CREATED", 1),
        ("ORDER_CREATED", 2),
        ("ORDER_CREATED", 3),
        ("ORDER_CREATED", 4),
        ("SNAPSHOT_END", 4),
    ]
    assert (shop.progress(listener).delivered, shop.progress(listener).coalesced) == (3, 1)


def test_a_snapshot_that_has_begun_is_told_to_its_end_before_a_replay(shop: Shop) -> None:
    listener = followed(shop, 2, snapshot=True)
    shop.resync(listener)
    assert told(shop.dial.peer)[0]["type"] == "SNAPSHOT_BEGIN"
    shop.replay(listener, 1)
    shop.dial.peer.answer()
    assert [body["type"] for body, _ in answered(shop)] == [
        "ORDER_CREATED",
        "ORDER_CREATED",
        "SNAPSHOT_END",
        "ORDER_CREATED",
    ]


def test_a_parked_change_that_a_replay_delivers_is_parked_no_longer(shop: Shop) -> None:
    listener = shop.register()
    for name in ("1", "2", "3"):
        shop.post(name)
    refuse(shop)
    answered(shop)
    assert parked(shop) == [1]
    shop.replay(listener, 0)
    assert seqs(answered(shop)) == [1, 2, 3]
    progress = shop.progress(listener)
    assert (progress.delivered, progress.parked) == (3, 0)
    assert parked(shop) == []


@pytest.mark.parametrize("status", [404, 500])
def test_one_that_is_refused_again_stays_parked_as_it_is(shop: Shop, status: int) -> None:
    listener = shop.register()
    shop.post("1")
    shop.post("2")
    refuse(shop)
    answered(shop)
    shop.wait(0.1)
    before = list(shop.store._connections[1].execute("SELECT * FROM parked"))
    assert len(before) == 1
    shop.replay(listener, 0)
    refuse(shop, status)
    if status == 500:
        assert shop.dial.peer.received().startswith(b"HEAD")
        shop.dial.peer.answer(405)
    assert seqs(answered(shop)) == [2]
    progress = shop.progress(listener)
    assert (progress.delivered, progress.parked) == (1, 1)
    assert parked(shop) == [1]
    assert list(shop.store._connections[1].execute("SELECT * FROM parked")) == before


def test_one_that_was_delivered_and_is_refused_in_a_replay_is_not_parked(shop: Shop) -> None:
    listener = followed(shop, 2)
    shop.replay(listener, 0)
    refuse(shop)
    assert seqs(answered(shop)) == [2]
    assert (shop.progress(listener).delivered, shop.progress(listener).parked) == (2, 0)
    assert parked(shop) == []


def test_a_parked_change_that_two_replays_deliver_is_counted_once(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    shop.post("2")
    refuse(shop)
    answered(shop)
    shop.replay(listener, 0)
    assert told(shop.dial.peer)[0]["seq"] == 1
    shop.replay(listener, 0)
    shop.dial.peer.answer()
    shop.replay(listener, 0)
    assert seqs(answered(shop)) == [2, 1, 2]
    assert (shop.progress(listener).delivered, shop.progress(listener).parked) == (2, 0)


def test_a_parked_change_is_counted_once_though_the_second_replay_goes_back_before_it(shop: Shop) -> None:
    listener = followed(shop, 2)
    shop.post("7")
    refuse(shop)
    shop.replay(listener, 2)
    assert told(shop.dial.peer)[0]["seq"] == 3
    shop.replay(listener, 1)
    shop.dial.peer.answer()
    assert seqs(answered(shop)) == [2, 3]
    assert (shop.progress(listener).delivered, shop.progress(listener).parked) == (3, 0)
    assert parked(shop) == []


def test_a_replay_goes_on_after_a_restart(shop: Shop) -> None:
    listener = followed(shop, 5)
    shop.replay(listener, 1)
    for seq in (2, 3):
        assert told(shop.dial.peer)[0]["seq"] == seq
        shop.dial.peer.answer()
    assert told(shop.dial.peer)[0]["seq"] == 4
    shop.dial.peer.answer(503)
    shop.restart_notifier()
    shop.wait(1)
    deliveries = answered(shop)
    assert seqs(deliveries) == [4, 5]
    assert [(h["ttgateway-flags"], h["ttgateway-attempt"]) for _, h in deliveries] == [("replay", "2"), ("replay", "1")]
    assert shop.progress(listener).delivered == 5


def test_what_is_in_flight_at_a_stop_may_still_end_and_counts(shop: Shop) -> None:
    listener = followed(shop, 3)
    shop.replay(listener, 0)
    told(shop.dial.peer)
    stopping = shop.notifier.stop()
    shop.dial.peer.answer()
    result_of(stopping)
    assert (shop.progress(listener).replay_after, shop.progress(listener).replay_upto) == (1, 3)


def test_what_is_asked_for_while_nothing_is_told_is_told_afterwards(shop: Shop) -> None:
    listener = followed(shop, 3)
    result_of(shop.notifier.stop())
    shop.replay(listener, 1)
    shop.restart_notifier()
    shop.wait(1)
    assert seqs(answered(shop)) == [2, 3]


def test_what_is_trimmed_nevertheless_ends_the_replay_and_brings_a_snapshot(shop: Shop) -> None:
    listener = followed(shop, 250)
    shop.replay(listener, 0)
    assert told(shop.dial.peer)[0]["seq"] == 1
    shop.store.journal.trimmed_to(200)
    shop.dial.peer.answer()
    deliveries = answered(shop)
    assert seqs(deliveries) == [*range(2, 101), 248, 249, 250]  # the page that was read already, and the orders
    assert [headers["ttgateway-flags"] for _, headers in deliveries] == ["replay"] * 99 + ["snapshot"] * 3
    progress = shop.progress(listener)
    assert (progress.replaying, progress.snapshot_due, progress.cursor) == (False, False, 250)


def test_what_is_trimmed_while_it_is_read_brings_a_snapshot(shop: Shop) -> None:
    listener = followed(shop, 5)
    reader = shop.store.journal._executor = OnDemand()
    shop.replay(listener, 0)
    trim = "DELETE FROM changes WHERE seq <= 2; UPDATE gateway SET trimmed = 2"
    result_of(shop.store.write(lambda db: db.execute(trim)))
    reader.step()
    deliveries = answered(shop)
    assert seqs(deliveries) == [3, 4, 5]
    assert {headers["ttgateway-flags"] for _, headers in deliveries} == {"snapshot"}
    assert not shop.progress(listener).replaying


def test_a_damaged_change_ends_the_replay_and_brings_a_snapshot(shop: Shop, logged: Logged) -> None:
    listener = followed(shop, 5)
    result_of(shop.store.write(lambda db: db.execute("UPDATE changes SET crc = crc + 1 WHERE seq = 2")))
    shop.replay(listener, 0)
    deliveries = answered(shop)
    assert seqs(deliveries) == [3, 4, 5]
    assert {headers["ttgateway-flags"] for _, headers in deliveries} == {"snapshot"}
    assert not shop.progress(listener).replaying
    assert len(logged.flush()) == 1


def test_the_snapshot_that_makes_it_good_need_not_wait_for_a_resync_before_it(shop: Shop, logged: Logged) -> None:
    listener = followed(shop, 5)
    shop.resync(listener)
    answered(shop)
    result_of(shop.store.write(lambda db: db.execute("UPDATE changes SET crc = crc + 1 WHERE seq = 2")))
    shop.replay(listener, 0)
    assert seqs(answered(shop)) == [3, 4, 5]
    assert len(logged.flush()) == 1


def test_damage_that_is_found_where_nobody_needs_to_read_any_more_ends_no_replay(shop: Shop, logged: Logged) -> None:
    listener = followed(shop, 2)
    shop.dial.down.add("10.0.0.2")
    shop.dial.peer.lose()
    for number in range(1_200):
        shop.post("7", str(number + 1))
    result_of(shop.store.write(lambda db: db.execute("UPDATE changes SET crc = crc + 1 WHERE seq = 50")))
    reader = shop.store.journal._executor = OnDemand()
    shop.dial.down.clear()
    shop.gateway.registry.heard("10.0.0.2")
    shop.replay(listener, 0)
    shop.store.journal._executor = AtOnce()
    reader.step()
    deliveries = answered(shop)
    assert [headers["ttgateway-flags"] for _, headers in deliveries] == ["replay"] * 2 + ["snapshot"] * 3
    assert len(logged.flush()) == 1


def test_registering_again_with_other_wishes_goes_on_with_the_replay(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    shop.post("1", "12")
    shop.page("1")
    shop.post("2")
    answered(shop)
    shop.replay(listener, 0)
    deliveries = shop.dial.peer
    assert told(deliveries)[0]["seq"] == 1
    shop.register(api=1, events=["ORDER_CREATED", "ORDER_PAGED"], catch_up="latest")
    deliveries.answer()
    rest = []
    while deliveries.transport.value():  # type: ignore[no-untyped-call]
        rest.append(told(deliveries))
        deliveries.answer()
    assert seqs(rest) == [3, 4]
    assert {(len(body), headers["ttgateway-flags"]) for body, headers in rest} == {(10, "replay")}


def test_who_answers_410_in_the_middle_is_removed(shop: Shop) -> None:
    listener = followed(shop, 5)
    shop.replay(listener, 0)
    told(shop.dial.peer)
    shop.dial.peer.answer(410)
    assert shop.gateway.registry.all() == []
    shop.wait(60)
    assert not shop.dial.peer.transport.value()  # type: ignore[no-untyped-call]
    assert shop.timers.getDelayedCalls() == []


def test_who_is_removed_in_the_middle_is_told_no_more(shop: Shop) -> None:
    listener = followed(shop, 5)
    shop.replay(listener, 0)
    told(shop.dial.peer)
    result_of(shop.gateway.registry.remove(listener))
    assert not shop.dial.peer.open
    shop.wait(60)
    assert shop.timers.getDelayedCalls() == []


def test_after_a_crash_it_goes_on_from_where_it_was_last_known_to_be(tmp_path: Path) -> None:
    before = Shop(directory=tmp_path)
    listener = followed(before, 9)
    before.replay(listener, 2)
    for seq in (3, 4, 5, 6):
        assert told(before.dial.peer)[0]["seq"] == seq
        if seq == 6:
            before.wait(0.1)  # what was acknowledged up to here is written
        before.dial.peer.answer()
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for file in tmp_path.glob(f"{FILE}*"):
        (crashed / file.name).write_bytes(file.read_bytes())
    after = Shop(directory=crashed)
    after.wait(1)
    deliveries = answered(after)
    assert seqs(deliveries) == [6, 7, 8, 9]
    assert {headers["ttgateway-flags"] for _, headers in deliveries} == {"replay"}
    assert deliveries[0][1]["ttgateway-previous"] == "5"
    assert after.progress(listener).delivered == 9
    assert after.accounts_balance()
    before.close()
    after.close()
