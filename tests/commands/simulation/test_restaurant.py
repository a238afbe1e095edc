from collections.abc import Iterator
from itertools import islice, takewhile
from random import Random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttgateway.commands.simulation.day import CLOSES, DAY, OPENS, opening
from ttgateway.commands.simulation.restaurant import FIRST_NUMBER, Action, Restaurant, Step
from ttgateway.orders.order import OrderType

SEEDS = st.integers(0, 2**32)
NOON = 12 * 3600.0
TARGET = 300.0


def story_of(seed: int, tables: int = 12, begins: float = NOON, **how: object) -> Iterator[Step]:
    return Restaurant(tables, tables * 2.5, Random(seed), **how).story(begins)  # type: ignore[arg-type]  # noqa: S311


def day_of(seed: int, tables: int = 12) -> list[Step]:
    return list(takewhile(lambda step: step.at < DAY, story_of(seed, tables, 0.0)))


def orders_of(steps: list[Step]) -> dict[str, list[Step]]:
    orders: dict[str, list[Step]] = {}
    for step in steps:
        orders.setdefault(step.name, []).append(step)
    return orders


def took(order: list[Step]) -> float:
    return order[-1].at - order[0].at


def test_the_same_seed_tells_the_same_story() -> None:
    first, second, other = (list(islice(story_of(seed), 300)) for seed in (7, 7, 8))
    assert first == second != other


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(1, 40), st.floats(0.0, DAY))
def test_every_step_changes_something_and_fits_the_floor(seed: int, tables: int, begins: float) -> None:
    open_orders: dict[str, Step] = {}
    paged: set[str] = set()
    at = opening(begins)
    for step in islice(story_of(seed, tables, begins), 400):
        assert step.at >= at
        at = step.at
        before = open_orders.get(step.name)
        assert (step.action is Action.START) == (before is None)
        if before is not None:
            assert step.kind is before.kind
            assert (step.table != before.table) == (step.action is Action.LOCATE)
        if step.action in (Action.PAGE, Action.UNPAGE):
            assert (step.name in paged) == (step.action is Action.UNPAGE)
            paged ^= {step.name}
        open_orders[step.name] = step
        if step.action is Action.CLEAR:
            del open_orders[step.name]
            paged.discard(step.name)
        taken = [order.table for order in open_orders.values() if order.table]
        assert len(taken) == len(set(taken))
        assert set(taken) <= {str(number) for number in range(1, tables + 1)}
        assert all(not order.table for order in open_orders.values() if order.kind is OrderType.TO_GO)


def test_a_day_begins_and_ends_with_nobody_there() -> None:
    steps = day_of(1)
    starts = [step.at for step in steps if step.action is Action.START]
    assert min(starts) >= OPENS
    assert max(starts) < CLOSES
    assert all(order[-1].action is Action.CLEAR for order in orders_of(steps).values())


def test_the_till_counts_on_from_its_first_number_and_begins_anew_each_day() -> None:
    starts = [step for step in islice(story_of(2, 4, 0.0), 2000) if step.action is Action.START]
    for day in range(3):
        names = [int(step.name) for step in starts if step.at // DAY == day]
        assert names == list(range(FIRST_NUMBER, FIRST_NUMBER + len(names)))
        assert len(names) > 20


@pytest.mark.parametrize("seed", range(3))
def test_noon_and_evening_are_rush_hours(seed: int) -> None:
    hours = [int(step.at // 3600) for step in day_of(seed, 40) if step.action is Action.START]
    count = {hour: hours.count(hour) for hour in range(11, 22)}
    assert min(count[12], count[19]) > 3 * max(count[15], count[16])


@pytest.mark.parametrize("seed", range(3))
def test_shares_and_durations_are_those_of_a_restaurant(seed: int) -> None:
    orders = list(orders_of(day_of(seed, 40)).values())
    to_go = [order for order in orders if order[0].kind is OrderType.TO_GO]
    stayed = [order for order in orders if order[0].kind is OrderType.ON_PREMISE]
    assert 0.2 < len(to_go) / len(orders) < 0.45
    assert all(any(step.action is Action.PAGE for step in order) for order in to_go)
    assert 120.0 < median(map(took, stayed)) < TARGET
    assert 120.0 < median(map(took, to_go)) < 400.0
    late = [order for order in orders if took(order) > TARGET]
    assert 0.1 < len(late) / len(orders) < 0.45
    assert any(took(order) > 3 * TARGET for order in stayed)  # a tracker that was forgotten
    moves = [[step.action for step in order].count(Action.LOCATE) for order in stayed]
    assert 0 < sum(count > 1 for count in moves) < len(moves) / 10


def test_a_party_keeps_its_table_when_its_order_is_over() -> None:
    cleared: dict[str, float] = {}
    waits = []
    for step in day_of(3, 12):
        if step.action is Action.CLEAR and step.table:
            cleared[step.table] = step.at
        elif step.action is Action.LOCATE and step.table in cleared:
            waits.append(step.at - cleared[step.table])
    assert len(waits) > 20
    assert median(waits) > 600.0


def test_who_finds_no_table_comes_for_the_food() -> None:
    orders = orders_of(list(takewhile(lambda step: step.at < DAY, Restaurant(1, 60.0, Random(1)).story(0.0))))  # noqa: S311
    stood = [order for order in orders.values() if order[0].kind is OrderType.ON_PREMISE and not order[-1].table]
    assert stood
    assert all(Action.PAGE in [step.action for step in order] for order in stood)


@given(SEEDS, st.integers(1, 30))
@settings(max_examples=20, deadline=None)
def test_who_is_there_when_the_story_begins_is_told_at_once(seed: int, tables: int) -> None:
    steps = list(islice(story_of(seed, tables), 100))
    assert (steps[0].at, steps[0].action) == (NOON, Action.START)


def test_a_full_house_has_many_there_when_the_story_begins() -> None:
    first = [step for step in islice(story_of(1, 200), 500) if step.at == NOON]
    assert len(first) > 20
    assert {step.action for step in first} == {Action.START, Action.PAGE}
    assert any(step.table for step in first)


def test_a_story_that_is_to_begin_at_night_begins_with_the_next_day() -> None:
    assert next(story_of(1, begins=23 * 3600.0)).at == DAY + OPENS
    assert next(story_of(1, begins=3 * 3600.0)).at == OPENS


def test_numbers_of_others_are_passed_over() -> None:
    taken = {str(FIRST_NUMBER + number) for number in range(0, 1000, 2)}
    steps = list(islice(story_of(1, taken=taken), 200))
    assert taken.isdisjoint(step.name for step in steps)
