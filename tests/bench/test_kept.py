"""Whether each listener was told of each change, once and in order."""

import pytest

from bench.kept import Kept, judged
from bench.sink import Arrival


def arrivals(*told: tuple[int, int]) -> list[Arrival]:
    return [Arrival(listener, 290, seq, at) for at, (listener, seq) in enumerate(told)]


def test_all_is_well() -> None:
    kept = judged(arrivals((0, 7), (1, 7), (1, 8), (0, 8)), 7, 2, 2)
    assert kept == Kept(4)
    assert kept


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (((0, 7),), Kept(2, missing=1)),
        ((), Kept(2, missing=2)),
        (((0, 7), (0, 7), (0, 8)), Kept(2, repeated=1)),
        (((0, 8), (0, 7)), Kept(2, misordered=1)),
        (((0, 7), (0, 8), (0, 7)), Kept(2, repeated=1, misordered=1)),
        (((0, 7), (0, 8), (0, 6)), Kept(2, repeated=1)),
        (((0, 7), (0, 8), (0, 9)), Kept(2, repeated=1)),
        (((0, 7), (0, 8), (5, 7)), Kept(2, repeated=1)),
    ],
)
def test_what_is_wrong_is_counted(told: tuple[tuple[int, int], ...], kept: Kept) -> None:
    found = judged(arrivals(*told), 7, 2, 1)
    assert found == kept
    assert not found


def test_listeners_are_judged_one_by_one() -> None:
    assert judged(arrivals((0, 7), (0, 8), (1, 8), (1, 7)), 7, 2, 2) == Kept(4, misordered=1)


def test_phases_add_up() -> None:
    assert Kept(4, missing=1) + Kept(6, repeated=2, misordered=3) == Kept(10, 1, 2, 3)
