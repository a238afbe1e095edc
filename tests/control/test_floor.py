from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from ttgateway.control.floor import Action, Floor, Step

SEEDS = st.integers(0, 2**32)


def floor_of(tables: int, seed: int) -> Floor:
    return Floor(tables, Random(seed))  # noqa: S311


def steps_of(floor: Floor, count: int) -> list[Step]:
    steps = []
    for number in range(count):
        step = floor.next()
        floor.done(step, f"uuid-{number}")
        steps.append(step)
    return steps


def test_the_same_seed_makes_the_same_steps() -> None:
    first, second, other = (steps_of(floor_of(12, seed), 200) for seed in (7, 7, 8))
    assert first == second != other


@settings(max_examples=50)
@given(SEEDS, st.integers(1, 30))
def test_every_step_changes_something_and_fits_the_floor(seed: int, tables: int) -> None:
    floor = floor_of(tables, seed)
    for _ in range(300):
        before = {guest.name: (guest.table, guest.paged, guest.kind) for guest in floor.guests()}
        step = floor.next()
        table, paged, kind = before.get(step.name, ("", False, step.kind))
        assert (step.action is Action.START) == (step.name not in before)
        assert step.name.isdigit()
        if step.action is Action.LOCATE:
            assert step.table != table
            assert kind == "ON_PREMISE"
        if step.action in (Action.PAGE, Action.UNPAGE):
            assert paged == (step.action is Action.UNPAGE)
        floor.done(step, "uuid")
        taken = [guest.table for guest in floor.guests() if guest.table]
        assert len(taken) == len(set(taken))
        assert set(taken) <= {str(number) for number in range(1, tables + 1)}
        assert sum(guest.kind == "ON_PREMISE" for guest in floor.guests()) <= tables


@settings(max_examples=20)
@given(SEEDS)
def test_a_busy_floor_shows_everything_that_can_happen(seed: int) -> None:
    steps = steps_of(floor_of(12, seed), 1000)
    assert {step.action for step in steps} == set(Action)
    starts = [step for step in steps if step.action is Action.START]
    assert {step.kind for step in starts} == {"ON_PREMISE", "TO_GO"}
    assert any(step.table for step in starts)
    assert not all(step.table for step in starts)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.sampled_from([1, 12, 200]))
def test_a_floor_of_any_size_fills_for_the_most_part(seed: int, tables: int) -> None:
    floor = floor_of(tables, seed)
    most = 0
    for _ in range(50):
        steps_of(floor, 1 + tables // 5)
        most = max(most, len(floor.guests()))
    assert most > 0.4 * tables


@given(SEEDS)
def test_numbers_of_others_are_never_used(seed: int) -> None:
    floor = floor_of(5, seed)
    others = {str(number) for number in range(1, 1000)}
    floor.avoid(others)
    assert others.isdisjoint(step.name for step in steps_of(floor, 50))


def test_an_order_that_somebody_else_ended_is_forgotten() -> None:
    floor = floor_of(3, 1)
    (step,) = steps_of(floor, 1)
    floor.lost(step.name)
    floor.lost(step.name)
    assert floor.guests() == []


def test_the_gateways_name_of_an_order_is_kept_until_it_has_another() -> None:
    floor = floor_of(1, 1)
    start = Step(Action.START, "66", "ON_PREMISE", "")
    floor.done(start, "first")
    floor.done(Step(Action.LOCATE, "66", "ON_PREMISE", "1"), "second")
    floor.done(Step(Action.PAGE, "66", "ON_PREMISE", "1"))
    assert (floor.guest("66").uuid, floor.guest("66").table, floor.guest("66").paged) == ("second", "1", True)
