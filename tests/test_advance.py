from tests.notifier.attempts.test_sweep import Watched
from tests.notifier.shop import Shop
from tests.support import OnDemand, result_of
from ttgateway.advance import LATE, Advance, advance_of


def test_what_stands_still_is_named() -> None:
    assert Advance({"a": lambda: True, "b": lambda: False, "c": lambda: False}).stands() == ["b", "c"]


def test_an_idle_gateway_advances() -> None:
    shop = Shop()
    advance = advance_of(shop.store, shop.notifier, shop.network.sweep)
    for _ in range(20):
        shop.wait(15)
        assert advance.stands() == []
    shop.close()


def test_a_store_whose_thread_hangs_does_not_advance() -> None:
    disk = OnDemand()
    shop = Shop(executor=disk)
    advance = advance_of(shop.store, shop.notifier, shop.network.sweep)
    assert advance.stands() == []
    assert advance.stands() == ["the thread that writes", "the thread that reads"]
    while disk.waiting:
        disk.step()
    assert advance.stands() == []
    result_of(shop.notifier.stop())


def test_a_sweep_that_does_not_run_does_not_advance() -> None:
    shop = Shop()
    advance = advance_of(shop.store, shop.notifier, shop.network.sweep)
    sweep = shop.network.sweep
    sweep.watch(Watched())
    shop.wait(1)
    assert advance.stands() == []
    assert sweep._timer is not None
    sweep._timer.cancel()
    sweep._timer = None  # as an exception in a check would leave it
    shop.timers.advance(LATE + 1)
    assert advance.stands() == ["the sweep"]
    sweep._watched.clear()
    assert advance.stands() == []
    shop.close()
