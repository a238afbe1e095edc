from typing import Any

import pytest

from tests.notifier.shop import Shop, answered, back, seqs, take_down, told
from tests.support import OnDemand, result_of
from ttgateway.store.tables.listeners import Listener


def bring_back(shop: Shop) -> list[tuple[dict[str, Any], dict[str, str]]]:
    back(shop)
    return answered(shop)


def away_while(shop: Shop, changes: int, **asked: Any) -> Listener:
    """Register a listener, and let ``changes`` changes of five orders happen while it is down."""
    listener = shop.register(**asked)
    take_down(shop)
    for number in range(changes):
        shop.post(str(number % 5), str(number + 1))
    return listener


def test_a_listener_far_behind_gets_every_change_from_the_file() -> None:
    shop = Shop()
    listener = away_while(shop, 2_500)
    assert seqs(bring_back(shop)) == list(range(1, 2_501))
    assert shop.progress(listener).delivered == 2_500
    assert shop.accounts_balance()
    shop.close()


def test_changes_that_happen_while_a_page_is_delivered_follow_it(shop: Shop) -> None:
    away_while(shop, 1_150)
    shop.dial.down.clear()
    shop.gateway.registry.heard("10.0.0.2")
    seen = []
    while shop.dial.peer.transport.value():  # type: ignore[no-untyped-call]
        seen.append(told(shop.dial.peer)[0]["seq"])
        if seen[-1] in (3, 149, 1_150):
            shop.post("9", str(seen[-1]))
        shop.dial.peer.answer()
    assert seen == list(range(1, 1_154))


def test_only_the_wanted_types_are_delivered_and_the_others_counted(shop: Shop) -> None:
    listener = shop.register(events=["ORDER_PAGED"])
    shop.post("1")
    shop.page("1")
    shop.post("1", "12")
    shop.page("1")
    shop.clear("1")
    deliveries = answered(shop)
    assert seqs(deliveries) == [2, 4]
    assert [headers["ttgateway-previous"] for _, headers in deliveries] == ["0", "2"]
    progress = shop.progress(listener)
    assert (progress.delivered, progress.filtered, progress.cursor) == (2, 3, 5)


def test_the_wanted_types_are_found_in_the_file_too(shop: Shop) -> None:
    listener = shop.register(events=["ORDER_CREATED"])
    take_down(shop)
    shop.post("1")
    for number in range(1_300):
        shop.post("1", str(number + 1))
    shop.post("2")
    assert seqs(bring_back(shop)) == [1, 1_302]
    assert shop.progress(listener).filtered == 1_300


def test_by_default_a_listener_that_was_away_gets_every_change(shop: Shop) -> None:
    away_while(shop, 300)
    deliveries = bring_back(shop)
    assert seqs(deliveries) == list(range(1, 301))
    assert not any("ttgateway-flags" in headers for _, headers in deliveries)


@pytest.mark.parametrize("changes", [300, 1_500], ids=["in memory", "in the file"])
def test_who_asked_for_the_latest_only_gets_the_newest_state_of_each_order(shop: Shop, changes: int) -> None:
    listener = away_while(shop, changes, catch_up="latest")
    shop.clear("3")
    deliveries = bring_back(shop)
    assert seqs(deliveries) == [*(changes + n for n in (-4, -3, -2, 0, 1))]
    assert deliveries[-1][0]["state"] == "cleared"
    assert all(headers["ttgateway-flags"] == "coalesced" for _, headers in deliveries)
    assert [headers["ttgateway-previous"] for _, headers in deliveries] == [
        "0",
        *(str(seq) for seq in seqs(deliveries)[:-1]),
    ]
    progress = shop.progress(listener)
    assert (progress.delivered, progress.coalesced) == (5, changes + 1 - 5)


def test_few_changes_that_wait_for_more_than_a_minute_are_coalesced_too(shop: Shop) -> None:
    away_while(shop, 3, catch_up="latest")
    shop.post("0", "77")
    shop.wait(61)
    assert seqs(bring_back(shop)) == [2, 3, 4]


def test_few_changes_that_wait_for_less_are_not_coalesced(shop: Shop) -> None:
    away_while(shop, 3, catch_up="latest")
    shop.post("0", "77")
    shop.wait(30)
    assert seqs(bring_back(shop)) == [1, 2, 3, 4]


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_whether_changes_wait_for_long_is_not_asked_of_the_wall_clock(shop: Shop, step: float) -> None:
    away_while(shop, 3, catch_up="latest")
    shop.clock.wall_ahead += step
    assert [headers.get("ttgateway-flags") for _, headers in bring_back(shop)] == [None] * 3
    take_down(shop)
    for _ in range(2):
        shop.post("1", str(shop.store.journal.last))
    shop.clock.wall_ahead -= step
    shop.wait(61)
    assert [headers.get("ttgateway-flags") for _, headers in bring_back(shop)] == ["coalesced"]


def test_coalescing_looks_only_at_wanted_types_and_the_accounts_still_balance(shop: Shop) -> None:
    listener = shop.register(events=["ORDER_PAGED"], catch_up="latest")
    take_down(shop)
    shop.post("1")
    shop.post("2")
    for _ in range(150):
        shop.page("1")
        shop.post("2", str(len(shop.store.journal._recent)))
    shop.page("2")
    shop.clear("1")
    assert seqs(bring_back(shop)) == [301, 303]
    progress = shop.progress(listener)
    assert (progress.delivered, progress.coalesced, progress.filtered) == (2, 149, 153)


def test_nothing_wanted_among_much_is_passed_over(shop: Shop) -> None:
    listener = shop.register(events=["ORDER_PAGED"], catch_up="latest")
    take_down(shop)
    shop.post("1")
    shop.page("1")
    for number in range(250):
        shop.post("1", str(number + 1))
    assert seqs(bring_back(shop)) == [2]
    assert shop.progress(listener).filtered == 251


def snapshot_of(deliveries: list[tuple[dict[str, Any], dict[str, str]]]) -> list[tuple[Any, ...]]:
    return [(body["type"], body["seq"], headers["ttgateway-previous"]) for body, headers in deliveries]


def test_a_snapshot_tells_how_things_stand_between_two_marks(shop: Shop) -> None:
    shop.post("1")
    shop.post("2")
    shop.post("1", "12")
    shop.post("3")
    shop.clear("3")
    shop.register(snapshot=True)
    shop.post("4")
    deliveries = answered(shop)
    assert snapshot_of(deliveries) == [
        ("SNAPSHOT_BEGIN", 5, "0"),
        ("ORDER_CREATED", 2, "5"),
        ("ORDER_MODIFIED", 3, "2"),
        ("SNAPSHOT_END", 5, "3"),
        ("ORDER_CREATED", 6, "5"),
    ]
    assert deliveries[0][0] == {"type": "SNAPSHOT_BEGIN", "seq": 5}
    assert deliveries[3][0] == {"type": "SNAPSHOT_END", "seq": 5, "count": 2}
    epoch = shop.gateway.epoch
    assert [headers["webhook-id"] for _, headers in deliveries] == [
        f"{epoch}.5.begin",
        f"{epoch}.2",
        f"{epoch}.3",
        f"{epoch}.5.end",
        f"{epoch}.6",
    ]
    assert [headers.get("ttgateway-flags") for _, headers in deliveries] == ["snapshot"] * 4 + [None]


def test_a_snapshot_of_nothing_is_two_marks(shop: Shop) -> None:
    shop.register(snapshot=True)
    assert [body["type"] for body, _ in answered(shop)] == ["SNAPSHOT_BEGIN", "SNAPSHOT_END"]


def test_registering_again_with_a_snapshot_brings_another_and_coalesces_what_waits(shop: Shop) -> None:
    listener = shop.register(snapshot=True)
    answered(shop)
    take_down(shop)
    shop.post("1")
    shop.post("1", "12")
    shop.dial.down.clear()
    shop.register(snapshot=True)
    assert [body["type"] for body, _ in answered(shop)] == ["SNAPSHOT_BEGIN", "ORDER_MODIFIED", "SNAPSHOT_END"]
    progress = shop.progress(listener)
    assert (progress.delivered, progress.coalesced, progress.cursor) == (0, 2, 2)


def test_registering_again_while_the_end_of_a_snapshot_is_in_flight_brings_another_snapshot(shop: Shop) -> None:
    shop.post("1")
    listener = shop.register(snapshot=True)
    deliveries = shop.dial.peer
    for kind in ("SNAPSHOT_BEGIN", "ORDER_CREATED"):
        assert told(deliveries)[0]["type"] == kind
        deliveries.answer()
    assert told(deliveries)[0]["type"] == "SNAPSHOT_END"
    shop.register(snapshot=True)
    for kind in ("SNAPSHOT_BEGIN", "ORDER_CREATED", "SNAPSHOT_END"):
        deliveries.answer()
        assert told(deliveries)[0]["type"] == kind
    deliveries.answer()
    assert shop.progress(listener).delivered == 0


def test_a_snapshot_that_was_interrupted_by_a_restart_begins_anew(shop: Shop) -> None:
    shop.post("1")
    shop.register(snapshot=True)
    assert told(shop.dial.peer)[0]["type"] == "SNAPSHOT_BEGIN"
    shop.dial.peer.answer()
    shop.restart_notifier()
    shop.wait(1)
    assert [body["type"] for body, _ in answered(shop)] == ["SNAPSHOT_BEGIN", "ORDER_CREATED", "SNAPSHOT_END"]


def test_a_mark_that_a_listener_refuses_is_passed_over(shop: Shop) -> None:
    listener = shop.register(snapshot=True)
    for _ in range(5):
        while not shop.dial.peer.open:
            shop.wait(0.1)
        assert told(shop.dial.peer)[0]["type"] == "SNAPSHOT_BEGIN"
        shop.dial.peer.answer(400, "Connection: close")
    assert [body["type"] for body, _ in answered(shop)] == ["SNAPSHOT_END"]
    assert not shop.progress(listener).snapshot_due
    assert shop.progress(listener).parked == 0


def test_a_listener_further_behind_than_what_is_kept_gets_the_orders_alone_unless_it_knows_snapshots(
    shop: Shop,
) -> None:
    listener = away_while(shop, 20, api=1)
    shop.store.journal.trimmed_to(10)
    deliveries = bring_back(shop)
    assert seqs(deliveries) == [16, 17, 18, 19, 20]
    assert all(headers["ttgateway-flags"] == "snapshot" for _, headers in deliveries)
    assert all(len(body) == 10 for body, _ in deliveries)
    assert shop.progress(listener).cursor == 20
    shop.post("1", "99")
    assert seqs(answered(shop)) == [21]


def test_a_listener_further_behind_than_what_is_kept_with_no_order_active_has_nothing_to_hear(shop: Shop) -> None:
    listener = shop.register()
    take_down(shop)
    shop.post("1")
    shop.clear("1")
    shop.store.journal._recent.clear()
    shop.store.journal.trimmed_to(2)
    assert bring_back(shop) == []
    assert shop.progress(listener).cursor == 2


def test_what_is_trimmed_and_yet_in_memory_is_told_where_it_cleared_an_order(shop: Shop) -> None:
    listener = shop.register()
    take_down(shop)
    shop.post("1")
    shop.clear("1")
    shop.store.journal.trimmed_to(2)
    assert seqs(bring_back(shop)) == [2]
    assert shop.progress(listener).cursor == 2


def test_what_is_trimmed_while_the_newest_states_are_read_brings_a_snapshot(shop: Shop) -> None:
    listener = away_while(shop, 20, catch_up="latest")
    shop.store.journal._recent.clear()
    reader = shop.store.journal._executor = OnDemand()
    assert bring_back(shop) == []
    trim = "DELETE FROM changes WHERE seq <= 15; UPDATE gateway SET trimmed = 15"
    result_of(shop.store.write(lambda db: db.execute(trim)))
    reader.step()  # before the journal has heard of it
    reader.step()
    deliveries = answered(shop)
    assert seqs(deliveries) == [16, 17, 18, 19, 20]
    assert {headers["ttgateway-flags"] for _, headers in deliveries} == {"snapshot"}
    assert shop.progress(listener).delivered == 0


def test_version_1_gets_ten_fields_and_version_2_twelve(shop: Shop) -> None:
    shop.register(2, api=1)
    shop.register(3, api=2)
    shop.post("66", "22")
    newest = {str(peer.address): told(peer)[0] for peer in shop.dial.peers[-2:]}
    ten = {
        "elapsedTime": 0,
        "uuid": newest["10.0.0.2"]["uuid"],
        "seq": 1,
        "created": "2016-09-22T19:08:52",
        "orderType": "ON_PREMISE",
        "locationName": "22",
        "state": "located",
        "stateStarted": "2016-09-22T19:08:52",
        "type": "ORDER_CREATED",
        "name": "66",
    }
    assert newest["10.0.0.2"] == ten
    assert newest["10.0.0.3"] == {**ten, "stateChanged": "2016-09-22T19:08:52", "paged": False}
    for peer in shop.dial.peers[-2:]:
        peer.answer()
