"""Who wants a type of change is woken by it; who does not passes over it in his own time."""

import pytest

from tests.notifier.shop import Shop, answered, seqs
from ttgateway.notifier.states import Event
from ttgateway.notifier.waking import REST
from ttgateway.store.tables.listeners import Listener


def cursor(shop: Shop, listener: Listener) -> int:
    """Return how far a listener has come, without asking for it in a way that would bring it up to the present."""
    return shop.notifier._queues[listener.id].progress.cursor


def test_what_a_listener_does_not_want_does_not_wake_it_and_is_passed_over_after_a_while(shop: Shop) -> None:
    pages = shop.register(2, events=("ORDER_PAGED",))
    for name in ("1", "2", "3"):
        shop.post(name)
    assert cursor(shop, pages) == 0
    shop.wait(REST)
    assert cursor(shop, pages) == 3
    assert shop.progress(pages).filtered == 3


def test_what_it_wants_is_told_at_once_with_what_lies_before_counted(shop: Shop) -> None:
    pages = shop.register(2, events=("ORDER_PAGED",))
    shop.post("1")
    shop.post("2")
    shop.page("1")
    assert seqs(answered(shop)) == [3]
    progress = shop.progress(pages)
    assert (progress.cursor, progress.filtered, progress.delivered) == (3, 2, 1)


def test_whoever_asks_how_it_stands_hears_of_the_present(shop: Shop) -> None:
    pages = shop.register(2, events=("ORDER_PAGED",))
    shop.post("1")
    status, progress = shop.gateway.registry.status(pages), shop.progress(pages)
    assert (progress.cursor, progress.filtered, shop.gateway.registry.status(pages).pending) == (1, 1, 0)
    assert status.state == "healthy"
    assert shop.accounts_balance()


def test_one_that_wants_something_else_from_now_on_is_woken_for_that(shop: Shop) -> None:
    listener = shop.register(2, events=("ORDER_PAGED",))
    assert shop.register(2, events=("ORDER_CREATED",)).id == listener.id
    shop.post("1")
    assert seqs(answered(shop)) == [1]
    shop.page("1")
    assert cursor(shop, listener) == 1


def test_a_listener_that_is_removed_is_woken_no_more(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = shop.register(2, events=("ORDER_CREATED",))
    queue = shop.notifier._queues[listener.id]
    queue.happen(Event.DROP)
    shop.post("1")
    assert len(shop.dial.peers) == 1  # the HEAD's
    assert shop.notifier._waking._wants == {}


def test_one_that_was_not_told_since_longer_than_is_remembered_reads_what_it_wants() -> None:
    shop = Shop()
    pages = shop.register(2, events=("ORDER_PAGED",))
    shop.post("1")
    shop.page("1")
    shop.store.journal._last_of.clear()  # as after a start that has not read so far back
    shop.store.journal._unread = 2
    assert seqs(answered(shop)) == [2]
    assert shop.progress(pages).filtered == 1
    shop.close()
