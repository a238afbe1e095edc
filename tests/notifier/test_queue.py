import itertools
from email.utils import formatdate

import pytest

from tests.conftest import Logged
from tests.notifier.shop import Shop, answered, seqs, told
from tests.support import result_of
from ttgateway.notifier.queue import ListenerQueue
from ttgateway.notifier.states import TRANSITIONS, Event, State


def test_every_pair_of_state_and_event_is_written_down_and_names_what_is_done() -> None:
    assert set(TRANSITIONS) == set(State)
    for row in TRANSITIONS.values():
        assert set(row) == set(Event)
        for name in row.values():
            assert callable(getattr(ListenerQueue, f"_{name}"))


def test_changes_are_delivered_in_order_one_at_a_time(shop: Shop) -> None:
    listener = shop.register()
    for name in ("1", "2", "3"):
        shop.post(name)
    body, headers = told(shop.dial.peer)
    assert (body["seq"], body["name"], body["type"]) == (1, "1", "ORDER_CREATED")
    assert headers["webhook-id"] == f"{shop.gateway.epoch}.1"
    assert (headers["ttgateway-previous"], headers["ttgateway-attempt"]) == ("0", "1")
    shop.dial.peer.answer()
    rest = answered(shop)
    assert seqs(rest) == [2, 3]
    assert [headers["ttgateway-previous"] for _, headers in rest] == ["1", "2"]
    assert shop.progress(listener).delivered == 3
    assert len(shop.dial.peers) == 2  # the HEAD, and one connection for all deliveries


def test_nothing_is_delivered_that_happened_before_the_registration(shop: Shop) -> None:
    shop.post("1")
    shop.register()
    shop.post("2")
    assert seqs(answered(shop)) == [2]


def test_an_idle_listener_has_no_timer(shop: Shop) -> None:
    shop.register()
    shop.post("1")
    answered(shop)
    shop.wait(5)
    assert shop.timers.getDelayedCalls() == []


def test_a_retry_sends_the_same_bytes_under_the_same_id_with_the_next_attempt_number(shop: Shop) -> None:
    shop.register()
    shop.post("1", "12")
    _, first, body = shop.dial.peer.request()
    shop.dial.peer.answer(503)
    shop.wait(0.3)
    _, second, again = shop.dial.peer.request()
    assert body == again
    assert first["webhook-id"] == second["webhook-id"]
    assert [first["ttgateway-attempt"], second["ttgateway-attempt"]] == ["1", "2"]
    shop.dial.peer.answer()


def test_a_listener_that_is_down_is_tried_on_the_schedule_and_gets_everything_when_it_is_back(shop: Shop) -> None:
    listener = shop.register()
    shop.dial.down.add("10.0.0.2")
    shop.dial.peer.lose()
    shop.post("1")
    tried = [shop.timers.seconds()]
    while len(tried) < 9:
        before = len(shop.dial.dialled)
        shop.wait(0.1)
        tried += [shop.timers.seconds()] * (len(shop.dial.dialled) - before)
    waits = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert waits == pytest.approx([0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 22.5, 22.5], abs=0.11)  # time passes in steps of 0.1
    assert shop.state(listener) == "down"
    assert shop.progress(listener).last_cause == "refused"
    for name in ("2", "3"):
        shop.post(name)
    shop.dial.down.clear()
    shop.wait(23)
    assert seqs(answered(shop)) == [1, 2, 3]
    assert shop.state(listener) == "healthy"
    assert shop.progress(listener).failing_since is None


def test_a_listener_in_trouble_keeps_nobody_else_waiting(shop: Shop) -> None:
    shop.register(2)
    shop.dial.silent.add("10.0.0.2")
    shop.register(3)
    shop.post("1")
    assert seqs(answered(shop)) == [1]


def test_retry_after_lengthens_the_wait_to_a_minute_at_most(shop: Shop) -> None:
    shop.register()
    shop.post("1")
    for asked, waited in (("7", 7.0), ("3600", 60.0)):
        shop.dial.peer.request()
        shop.dial.peer.answer(429, f"Retry-After: {asked}", "Connection: close")
        dialled = len(shop.dial.dialled)
        shop.wait(waited - 0.2)
        assert len(shop.dial.dialled) == dialled
        shop.wait(0.4)
        assert len(shop.dial.dialled) == dialled + 1
    shop.dial.peer.answer()


@pytest.mark.parametrize(("wall", "waited"), [(1_800_000_000.0, 30.0), (5.0, 0.2)])
@pytest.mark.parametrize("status", [503, 404])
def test_retry_after_a_date_counts_unless_we_do_not_know_the_date(
    shop: Shop, wall: float, waited: float, status: int
) -> None:
    """A machine that has just started may be in 1970 still: no listener means that it will be back in 57 years."""
    shop.clock.wall_ahead = wall
    shop.register()
    shop.post("1")
    shop.dial.peer.request()
    date = formatdate(1_800_000_030, usegmt=True)
    shop.dial.peer.answer(status, f"Retry-After: {date}", "Connection: close")
    waited = max(waited, 1.0 if status == 404 else 0.2)
    dialled = len(shop.dial.dialled)
    shop.wait(waited - 0.1)
    assert len(shop.dial.dialled) == dialled
    shop.wait(0.3)
    assert len(shop.dial.dialled) == dialled + 1
    shop.dial.peer.answer()


def test_a_change_that_is_refused_five_times_within_thirty_seconds_is_parked_and_the_next_goes_on(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    shop.post("2")
    began = shop.timers.seconds()
    for attempt in range(5):
        body, headers = told(shop.dial.peer)
        assert (body["seq"], headers["ttgateway-attempt"]) == (1, str(attempt + 1))
        shop.dial.peer.answer(404, "Connection: close")
        if attempt < 4:
            while not shop.dial.peer.open:
                shop.wait(0.1)
    assert shop.timers.seconds() - began <= 30
    body, headers = told(shop.dial.peer)
    assert body["seq"] == 2
    assert headers["ttgateway-previous"] == "0"
    shop.dial.peer.answer()
    progress = shop.progress(listener)
    assert (progress.delivered, progress.parked, progress.cursor) == (1, 1, 2)
    shop.wait(0.1)
    rows = list(shop.store._connections[1].execute("SELECT seq, cause FROM parked"))
    assert rows == [(1, "404")]


@pytest.mark.parametrize(("head", "parked"), [(200, 1), (405, 1), (503, 0)])
def test_after_five_times_500_a_head_tells_whether_the_listener_is_down_or_chokes(
    shop: Shop, head: int, parked: int
) -> None:
    listener = shop.register()
    shop.post("1")
    for _ in range(5):
        while not shop.dial.peer.open:
            shop.wait(0.1)
        shop.dial.peer.request()
        shop.dial.peer.answer(500, "Connection: close")
    assert shop.dial.peer.received().startswith(b"HEAD / ")
    shop.dial.peer.answer(head)
    assert shop.progress(listener).parked == parked
    assert (shop.progress(listener).failures == 0) == bool(parked)
    if not parked:
        shop.wait(0.3)
        assert seqs(answered(shop)) == [1]


def test_410_removes_the_listener(shop: Shop) -> None:
    shop.register()
    shop.post("1")
    shop.dial.peer.answer(410)
    assert shop.gateway.registry.all() == []
    shop.post("2")
    shop.wait(60)
    assert len(shop.dial.peers) == 2


def test_registering_again_ends_the_backoff_at_once_and_keeps_the_queue(shop: Shop) -> None:
    listener = shop.register()
    shop.dial.peer.lose()
    shop.dial.down.add("10.0.0.2")
    shop.post("1")
    shop.wait(60)
    shop.dial.down.clear()
    assert shop.register().id == listener.id
    assert seqs(answered(shop)) == [1]


def test_any_request_from_the_host_ends_the_backoff_at_once_but_not_in_a_flood(shop: Shop) -> None:
    shop.register()
    shop.dial.peer.lose()
    shop.dial.down.add("10.0.0.2")
    shop.post("1")
    shop.wait(60)
    dialled = len(shop.dial.dialled)
    for _ in range(100):
        shop.gateway.registry.heard("10.0.0.2")
        shop.gateway.registry.heard("10.0.0.3")
    assert len(shop.dial.dialled) == dialled + 1
    shop.wait(1.1)
    shop.dial.down.clear()
    shop.gateway.registry.heard("10.0.0.2")
    assert seqs(answered(shop)) == [1]


def test_a_sign_of_life_while_an_attempt_hangs_brings_the_next_at_once(shop: Shop) -> None:
    shop.register()
    shop.dial.peer.lose()
    shop.dial.down.add("10.0.0.2")
    shop.post("1")
    shop.wait(60)
    shop.dial.down.clear()
    shop.dial.silent.add("10.0.0.2")
    dialled = len(shop.dial.dialled)
    while len(shop.dial.dialled) == dialled:
        shop.wait(0.1)
    shop.gateway.registry.heard("10.0.0.2")
    shop.dial.silent.clear()
    shop.wait(3.3)
    assert seqs(answered(shop)) == [1]


def test_signs_of_life_do_not_hurry_the_tries_of_a_change_that_is_refused(shop: Shop) -> None:
    shop.register()
    shop.post("1")
    shop.dial.peer.request()
    shop.dial.peer.answer(404)
    shop.gateway.registry.heard("10.0.0.2")
    assert shop.dial.peer.received() == b""
    shop.wait(1.1)
    assert seqs(answered(shop)) == [1]


def test_a_removed_listener_is_told_nothing_more(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    result_of(shop.gateway.registry.remove(listener))
    assert not shop.dial.peer.open
    shop.post("2")
    shop.wait(60)
    assert shop.timers.getDelayedCalls() == []


def test_only_so_many_listeners_in_trouble_are_tried_at_a_time_and_all_get_their_turn(shop: Shop) -> None:
    hosts = range(2, 102)
    for last in hosts:
        shop.register(last)
        shop.dial.silent.add(f"10.0.0.{last}")
    shop.post("1")
    shop.wait(3.1)
    tried: set[str] = set()
    for _ in range(300):
        before = len(shop.dial.dialled) - shop.dial.cancelled
        shop.wait(0.1)
        assert len(shop.dial.dialled) - shop.dial.cancelled - before <= 64
        tried.update(shop.dial.dialled[200:])
    assert len(tried) == len(hosts)


def test_what_becomes_of_the_changes_survives_a_restart(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    answered(shop)
    shop.post("2")
    shop.dial.peer.request()
    shop.dial.peer.answer(503)
    shop.wait(0.1)
    shop.restart_notifier()
    shop.post("3")
    shop.wait(1)
    deliveries = answered(shop)
    assert seqs(deliveries) == [2, 3]
    assert deliveries[0][1]["ttgateway-attempt"] == "2"
    assert deliveries[0][1]["ttgateway-previous"] == "1"
    assert shop.progress(listener).delivered == 3


def test_an_attempt_in_flight_may_end_while_stopping(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    shop.post("2")
    stopping = shop.notifier.stop()
    assert not stopping.called
    shop.dial.peer.request()
    shop.dial.peer.answer()
    assert stopping.called
    assert shop.progress(listener).delivered == 1
    assert shop.dial.peer.received() == b""


def test_stopping_waits_five_seconds_at_most(shop: Shop) -> None:
    shop.register()
    shop.post("1")
    stopping = shop.notifier.stop()
    shop.wait(4.8)
    assert not stopping.called
    shop.wait(0.3)
    assert stopping.called
    assert not shop.dial.peer.open


def test_a_damaged_change_is_made_good_by_how_things_stand(shop: Shop, logged: Logged) -> None:
    listener = shop.register()
    shop.dial.peer.lose()
    shop.dial.down.add("10.0.0.2")
    for number in range(1_200):  # more than stay in memory
        shop.post("7", str(number + 1))
    shop.wait(0.1)
    shop.store._connections[1].execute("UPDATE changes SET body = CAST('{}' AS BLOB) WHERE seq = 50")
    shop.dial.down.clear()
    shop.gateway.registry.heard("10.0.0.2")
    shop.wait(1)
    deliveries = answered(shop)
    assert deliveries[-1][0]["locationName"] == "1200"
    assert deliveries[-1][1]["ttgateway-flags"] == "snapshot"
    assert shop.progress(listener).cursor == 1_200
    assert len(logged.flush()) == 1


def test_beside_a_damaged_change_it_is_still_told_which_orders_were_cleared(shop: Shop, logged: Logged) -> None:
    listener = shop.register()
    shop.dial.peer.lose()
    shop.dial.down.add("10.0.0.2")
    for number in range(600):  # more than stay in memory
        shop.post(str(number))
        shop.clear(str(number))
    shop.wait(0.1)
    shop.store._connections[1].execute("UPDATE changes SET body = CAST('{}' AS BLOB) WHERE seq = 50")
    shop.dial.down.clear()
    shop.gateway.registry.heard("10.0.0.2")
    shop.wait(1)
    deliveries = answered(shop)
    assert [body["seq"] for body, _ in deliveries] == [seq for seq in range(2, 1_201, 2) if seq != 50]
    assert {headers["ttgateway-flags"] for _, headers in deliveries} == {"snapshot"}
    assert shop.progress(listener).cursor == 1_200
    assert "is damaged in the journal" in str(logged.flush())
