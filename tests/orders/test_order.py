import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttgateway.orders.errors import (
    LocationInvalid,
    NameInvalid,
    NameMissing,
    OrderIdInvalid,
    TypeInvalid,
    TypeMissing,
)
from ttgateway.orders.order import (
    Order,
    OrderState,
    OrderType,
    location_name,
    order_id,
    order_name,
    order_type,
)

DIGITS = st.from_regex(re.compile(r"[0-9]{1,10}", re.ASCII), fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(DIGITS)
def test_one_to_ten_digits_are_a_name_and_a_location_as_they_stand(text: str) -> None:
    assert order_name(text) == text
    assert location_name(text) == text
    assert order_id(text) == text


@given(JSON)
def test_a_name_is_digits_or_refused_and_nothing_else_is_raised(value: object) -> None:
    try:
        name = order_name(value)
    except NameMissing:
        assert value is None
    except NameInvalid:
        assert not (isinstance(value, str) and re.fullmatch("[0-9]{1,10}", value, re.ASCII))
    else:
        assert name == value
        assert re.fullmatch("[0-9]{1,10}", name, re.ASCII)


@given(JSON)
def test_a_location_is_digits_or_none_or_refused(value: object) -> None:
    try:
        location = location_name(value)
    except LocationInvalid:
        assert value is not None
        assert value != ""
    else:
        assert location == (value or "")
        assert re.fullmatch("[0-9]{0,10}", location, re.ASCII)


@given(JSON)
def test_a_type_is_one_of_two_or_refused(value: object) -> None:
    try:
        kind = order_type(value)
    except TypeMissing:
        assert value is None
    except TypeInvalid:
        assert value not in ("ON_PREMISE", "ON_PREMISES", "TO_GO")
    else:
        assert str(value).startswith(kind)


@pytest.mark.parametrize("text", ["", "12345678901", "1a", "-1", " 1", "1\n", "٣", "1.0"])
def test_what_only_looks_like_digits_is_no_name_and_no_location(text: str) -> None:
    with pytest.raises(NameInvalid):
        order_name(text)
    if text:
        with pytest.raises(LocationInvalid):
            location_name(text)


@pytest.mark.parametrize("value", [102, 10.0, True, ["1"], {"name": "1"}])
def test_a_name_is_never_guessed_from_another_kind_of_value(value: object) -> None:
    with pytest.raises(NameInvalid):
        order_name(value)


def test_the_older_spelling_is_taken_and_the_newer_one_is_shown() -> None:
    assert order_type("ON_PREMISES") is OrderType.ON_PREMISE
    assert order_type("ON_PREMISE").value == "ON_PREMISE"
    assert order_type("TO_GO") is OrderType.TO_GO


@given(st.uuids())
def test_a_uuid_is_an_id_in_either_case(uuid: object) -> None:
    assert order_id(str(uuid)) == str(uuid)
    assert order_id(str(uuid).upper()) == str(uuid)


@given(st.text())
def test_an_id_is_digits_a_uuid_or_refused(text: str) -> None:
    try:
        key = order_id(text)
    except OrderIdInvalid:
        assert not re.fullmatch("[0-9]+", text, re.ASCII)
    else:
        assert key == text.lower()


@pytest.mark.parametrize(
    "text", ["", "12-3", "f8853c42-3c10-4636-81e3-a3aeb65d921", "f8853c423c10463681e3a3aeb65d9219"]
)
def test_what_is_neither_digits_nor_a_uuid_is_no_id(text: str) -> None:
    with pytest.raises(OrderIdInvalid):
        order_id(text)


def order(born: float) -> Order:
    return Order(
        uuid="u",
        name="1",
        type=OrderType.TO_GO,
        location="",
        state=OrderState.STARTED,
        started=0.0,
        changed=0.0,
        born=born,
        seq=1,
    )


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_an_age_is_whole_seconds_and_never_negative(born: float, uptime: float) -> None:
    age = order(born).elapsed(uptime)
    assert isinstance(age, int)
    assert age >= 0
    assert age <= max(0.0, uptime - born) < age + 1 or uptime <= born


def test_an_age_counts_from_the_start_alone() -> None:
    assert order(born=100.0).elapsed(109.99) == 9
    assert msgspec.structs.replace(order(born=100.0), changed=5.0, seq=9).elapsed(109.99) == 9
