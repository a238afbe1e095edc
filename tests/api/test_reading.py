from typing import Annotated

import pytest

from ttgateway.api.reading import Asked, AskedCamel, read, reads


class Refused(Exception):
    """The text is the name of the field that was at fault."""


def small(value: object) -> object:
    """Return ``value``, and 0 where it is absent; refuse what is not below 10."""
    if value is None:
        return 0
    if not isinstance(value, int) or value >= 10:
        raise Refused(value)
    return value


class Pair(Asked, frozen=True):
    """Two numbers."""

    first_one: Annotated[int, reads(small, ge=0)]
    second_one: Annotated[int, reads(small)] | None = None


class CamelPair(AskedCamel, frozen=True):
    """The same, under other names."""

    first_one: Annotated[int, reads(small)]


def test_each_field_is_what_its_reader_makes_of_it_or_of_its_absence() -> None:
    assert read(Pair, {"first_one": 3, "second_one": 4}) == Pair(first_one=3, second_one=4)
    assert read(Pair, {}) == Pair(first_one=0, second_one=0)


def test_a_null_is_read_like_nothing_at_all() -> None:
    assert read(Pair, {"first_one": None, "second_one": None}) == read(Pair, {})


def test_what_is_not_known_is_ignored() -> None:
    assert read(Pair, {"first_one": 3, "third": object()}) == Pair(first_one=3, second_one=0)


def test_the_first_fault_is_told_whatever_the_order_in_which_it_was_sent() -> None:
    with pytest.raises(Refused, match=r"^11$"):
        read(Pair, {"second_one": 12, "first_one": 11})


def test_names_are_those_of_the_wire() -> None:
    assert read(CamelPair, {"firstOne": 3}).first_one == 3
    assert read(CamelPair, {"first_one": 3}).first_one == 0
