from ipaddress import ip_address

import pytest
from twisted.internet.defer import ensureDeferred

from tests.conftest import Logged
from tests.notifier.shop import Shop, answered, seqs
from tests.support import OnDemand, result_of
from ttgateway.notifier import places
from ttgateway.notifier.states import State
from ttgateway.orders.order import OrderType
from ttgateway.registry import Registration
from ttgateway.store.damage.soundness import RECENT


def test_nothing_is_sent_before_it_is_durable() -> None:
    disk = OnDemand()
    shop = Shop(executor=disk)
    registering = shop.gateway.registry
    pending = ensureDeferred(registering.register(Registration(url="http://10.0.0.2/", api=2, caller="")))
    shop.dial.peer.answer()
    disk.step()
    result_of(pending)
    shop.dial.peer.received()
    posting = ensureDeferred(shop.gateway.post("1", OrderType.TO_GO, ""))
    assert len(shop.dial.peers) == 1
    assert not posting.called
    disk.step()
    assert seqs(answered(shop)) == [1]
    result_of(posting)
    stopping = shop.notifier.stop()
    result_of(stopping)
    ending = ensureDeferred(shop.store.stop())
    while disk.waiting:
        disk.step()
    result_of(ending)


def test_it_runs_until_it_is_stopped_and_can_be_asked_of_its_listeners_then_too() -> None:
    shop = Shop()
    listener = shop.register()
    assert shop.gateway.registry.delivers
    result_of(shop.notifier.stop())
    assert not shop.gateway.registry.delivers
    assert shop.state(listener) == "down"
    result_of(shop.store.stop())


def test_the_place_that_a_queue_gives_back_as_it_is_stopped_begins_no_attempt_at_another() -> None:
    shop = Shop()
    for _ in range(places.MOST - 1):
        shop.notifier._owner.places.ask(object(), lambda: None)
    probed = shop.register(2)
    shop.post("1")
    for status in (503, 500, 500, 500, 500, 500):
        while not shop.dial.peer.open:
            shop.wait(0.1)
        shop.dial.peer.request()
        shop.dial.peer.answer(status, "Connection: close")
    waiting = shop.register(3)
    shop.post("2")
    shop.dial.peer.request()
    shop.dial.peer.answer(503)
    shop.wait(1)
    states = [shop.notifier._queues[listener.id].state for listener in (probed, waiting)]
    assert states == [State.PROBING, State.WAITING]
    result_of(shop.notifier.stop())
    result_of(shop.store.stop())


def test_a_registration_that_is_durable_only_after_the_stop_is_told_nothing_before_the_next_start() -> None:
    shop = Shop()
    result_of(shop.notifier.stop())
    shop.register(snapshot=True)
    shop.dial.peer.received()
    dialled = len(shop.dial.dialled)
    shop.post("1")  # both were let in before the stop, and waited for the disk
    shop.wait(1)
    assert len(shop.dial.dialled) == dialled
    result_of(shop.store.stop())
    assert shop.store.clean


def test_of_a_listener_that_is_just_gone_there_is_nothing_to_tell_nor_to_do(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    result_of(shop.gateway.registry.remove(listener))
    status = shop.gateway.registry.status(listener)
    assert (status.state, status.pending, status.next_attempt) == ("down", 0, None)
    assert shop.notifier.attempts(listener) == []
    dialled = len(shop.dial.dialled)
    for tell in (shop.notifier.replay, shop.notifier.resync, shop.notifier.answered):
        tell(listener)
    assert len(shop.dial.dialled) == dialled


def test_a_listener_is_healthy_then_retrying_then_down_then_healthy(shop: Shop) -> None:
    listener = shop.register()
    status = shop.gateway.registry.status
    assert (status(listener).state, status(listener).pending, status(listener).next_attempt) == ("healthy", 0, None)
    shop.dial.peer.lose()
    shop.dial.down.add("10.0.0.2")
    shop.post("1")
    assert status(listener).state == "retrying"
    assert status(listener).next_attempt == pytest.approx(0.2)
    shop.wait(60)
    assert status(listener).state == "down"
    assert status(listener).pending == 1
    assert status(listener).oldest_pending == pytest.approx(60, abs=0.2)
    shop.dial.down.clear()
    shop.gateway.registry.heard("10.0.0.2")
    answered(shop)
    assert status(listener).state == "healthy"


def test_what_is_too_old_to_be_in_memory_is_no_younger_than_what_is(shop: Shop) -> None:
    listener = shop.register()
    for number in range(RECENT + 10):
        shop.post(str(number % 50), str(number % 1000))
    shop.wait(4)
    status = shop.gateway.registry.status(listener)
    assert (status.state, status.pending) == ("healthy", RECENT + 10)
    assert status.oldest_pending == pytest.approx(4, abs=0.2)


def test_a_listener_that_refuses_a_change_is_retrying(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    shop.dial.peer.answer(404)
    assert shop.state(listener) == "retrying"


def test_after_a_power_up_queues_start_spread_and_those_in_trouble_within_seconds(shop: Shop) -> None:
    shop.register(2)
    shop.register(3)
    shop.dial.down.add("10.0.0.3")
    shop.dial.silent.add("10.0.0.2")
    shop.post("1")
    shop.wait(200)
    shop.restart_notifier()
    dialled = len(shop.dial.dialled)
    shop.wait(6.1)
    assert {"10.0.0.2", "10.0.0.3"} <= set(shop.dial.dialled[dialled:])


def test_a_queue_with_nothing_to_do_starts_without_a_timer(shop: Shop) -> None:
    shop.register()
    shop.post("1")
    answered(shop)
    shop.restart_notifier()
    shop.wait(0.1)
    assert shop.timers.getDelayedCalls() == []


def test_a_listener_that_cannot_be_removed_after_410_is_kept_and_tried_again(shop: Shop, logged: Logged) -> None:
    shop.register()
    shop.post("1")
    shop.wait(0.1)
    connection = shop.store._connections[1]
    connection.execute("PRAGMA query_only = ON")
    shop.dial.peer.answer(410, "Connection: close")
    assert len(shop.gateway.registry.all()) == 1
    connection.execute("PRAGMA query_only = OFF")
    logged.flush()
    shop.wait(1.3)
    shop.dial.peer.answer(410)
    assert shop.gateway.registry.all() == []


def test_who_was_forbidden_is_tried_at_once_when_the_policy_opens_more_and_nobody_else(shop: Shop) -> None:
    forbidden, down = shop.register(2), shop.register(3)
    policy, dialled = shop.network.policy, shop.dial.dialled
    shop.dial.down.add("10.0.0.3")
    rules, policy._allow = policy._allow, ()
    policy._default_gateways = lambda: [ip_address("10.0.0.2")]
    policy.allow_also([])
    shop.post("1")
    shop.wait(20)
    assert [shop.progress(one).last_cause for one in (forbidden, down)] == ["forbidden", "refused"]
    before = len(dialled)
    policy._allow = rules
    shop.notifier.permitted()
    assert dialled[before:] == ["10.0.0.2"]
