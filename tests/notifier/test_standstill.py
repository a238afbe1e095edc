from tests.notifier.shop import Shop, answered
from tests.support import result_of
from ttgateway.notifier import places
from ttgateway.notifier.queue import ListenerQueue
from ttgateway.notifier.standstill import STANDS
from ttgateway.notifier.states import State

LONG = STANDS + 1


def found_within(shop: Shop, seconds: float) -> bool:
    """Tell whether a standstill is found in this time, looking each second as a watchdog might."""
    found = shop.notifier.standstill.found()
    for _ in range(int(seconds)):
        shop.wait(1)
        found = shop.notifier.standstill.found() or found
    return found


def queue_of(shop: Shop) -> ListenerQueue:
    (queue,) = shop.notifier.standstill._queues()
    return queue


def be_down(shop: Shop) -> None:
    """Let the listener be gone, and its connection too."""
    shop.dial.down.add("10.0.0.2")
    shop.wait(3)


def test_idle_queues_do_not_stand_still(shop: Shop) -> None:
    shop.register(2)
    shop.register(3, events=["ORDER_PAGED"])
    shop.post("1")
    answered(shop)
    assert not found_within(shop, 3 * LONG)


def test_a_listener_that_is_down_for_an_hour_is_no_standstill(shop: Shop) -> None:
    shop.register()
    be_down(shop)
    shop.post("1")
    assert not found_within(shop, 3_600)
    assert shop.notifier.figures.outcomes


def test_a_listener_that_hangs_at_each_attempt_is_none_either(shop: Shop) -> None:
    shop.register()
    shop.post("1")
    assert not found_within(shop, 10 * LONG)


def test_more_listeners_in_trouble_than_places_are_none(shop: Shop) -> None:
    for last in range(2, 2 + places.MOST + 30):
        shop.register(last)
    shop.post("1")  # nobody answers
    assert not found_within(shop, 5 * LONG)


def test_a_lost_wake_up_is_a_standstill(shop: Shop) -> None:
    shop.register()
    shop.dial.peer.received()
    shop.notifier._waking.remove(queue_of(shop))
    shop.post("1")
    assert queue_of(shop).state is State.IDLE
    assert not found_within(shop, STANDS - 2)
    assert found_within(shop, 5)


def test_an_attempt_that_nobody_ends_is_a_standstill(shop: Shop) -> None:
    shop.register()
    shop.network.sweep.stop()
    shop.post("1")
    shop.network.sweep.stop()
    assert queue_of(shop).state is State.SENDING
    assert found_within(shop, LONG + 1)


def test_a_backoff_whose_timer_is_lost_is_a_standstill(shop: Shop) -> None:
    shop.register()
    be_down(shop)
    shop.post("1")
    queue = queue_of(shop)
    assert queue.state is State.BACKING_OFF
    queue._cancel_timer()
    assert found_within(shop, LONG + 1)


def test_places_that_are_never_given_back_are_a_standstill(shop: Shop) -> None:
    shop.register()
    be_down(shop)
    for _ in range(places.MOST):
        shop.notifier._owner.places.ask(object(), lambda: None)
    shop.post("1")
    shop.wait(1)
    assert queue_of(shop).state is State.WAITING
    assert found_within(shop, LONG + 1)


def test_a_queue_that_goes_on_after_all_is_none_any_more(shop: Shop) -> None:
    listener = shop.register()
    queue = queue_of(shop)
    shop.notifier._waking.remove(queue)
    shop.post("1")
    assert found_within(shop, LONG + 1)
    shop.resync(listener)
    shop.dial.peer.received()
    result_of(shop.gateway.registry.remove(listener))
    assert not shop.notifier.standstill.found()
