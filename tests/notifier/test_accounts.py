import pytest

from tests.notifier.shop import Shop, answered
from tests.support import result_of


def test_the_time_from_commit_to_acknowledgement_is_counted(shop: Shop) -> None:
    shop.register()
    shop.wait(3)
    shop.post("1")
    shop.wait(0.7)
    answered(shop)
    waits = shop.notifier.figures.waits
    assert waits.count == 1
    assert waits.total == pytest.approx(0.7)


def test_a_step_of_the_clock_does_not_count(shop: Shop) -> None:
    shop.register()
    shop.post("1")
    shop.clock.wall_ahead += 3_600
    answered(shop)
    assert shop.notifier.figures.waits.total == 0


@pytest.mark.parametrize(("step", "counted"), [(0.0, [60.0]), (-3_600.0, [])])
def test_for_a_change_from_the_file_it_is_the_time_since_that_was_made_if_the_clock_allows(
    shop: Shop, step: float, counted: list[float]
) -> None:
    listener = shop.register()
    shop.dial.peer.lose()
    shop.dial.down.add("10.0.0.2")
    shop.post("1")
    shop.wait(59)
    shop.store.journal._recent.clear()
    shop.clock.wall_ahead += step
    shop.dial.down.clear()
    shop.wait(1)
    shop.register()
    answered(shop)
    waits = shop.notifier.figures.waits
    assert shop.progress(listener).delivered == 1
    assert waits.count == len(counted)
    assert waits.total == pytest.approx(sum(counted), abs=0.2)


def test_replays_and_snapshots_do_not_count(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    answered(shop)
    shop.replay(listener, 0)
    answered(shop)
    shop.resync(listener)
    answered(shop)
    assert shop.notifier.figures.waits.count == 1


def test_that_a_parked_change_was_delivered_is_written_together_with_the_progress(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    for _ in range(5):
        while not shop.dial.peer.transport.value():  # type: ignore[no-untyped-call]
            shop.wait(0.1)
        shop.dial.peer.request()
        shop.dial.peer.answer(404)
    shop.replay(listener, 0)
    answered(shop)
    [row] = shop.store._connections[1].execute("SELECT delivered, parked, (SELECT count(*) FROM parked) FROM listeners")
    assert row == (0, 1, 1)
    result_of(shop.store.write(lambda db: None))
    [row] = shop.store._connections[1].execute("SELECT delivered, parked, (SELECT count(*) FROM parked) FROM listeners")
    assert row == (1, 0, 0)
