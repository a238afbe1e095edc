from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttgateway.api import codes, fields
from ttgateway.api.past_orders import Search, Target
from ttgateway.api.reading import read

NEW_YORK = ZoneInfo("America/New_York")
UUID = "f8853c42-3c10-4636-81e3-a3aeb65d9219"
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner))


def search(**query: Any) -> Search:
    return read(Search, query)


@pytest.mark.parametrize(
    ("value", "taken"), [(None, None), (True, True), (False, False), ("true", True), ("false", False)]
)
def test_a_boolean_may_be_spelt_and_may_be_missing(value: object, taken: bool | None) -> None:
    assert fields.boolean("x")(value) is taken


@given(ANYTHING)
def test_no_other_value_is_a_boolean(value: object) -> None:
    if value is None or isinstance(value, bool) or value in ("true", "false"):
        return
    with pytest.raises(codes.BooleanInvalid, match=r"^Invalid boolean value for x\. Must be true or false\.$"):
        fields.boolean("x")(value)


WHOLE = fields.whole(1, 100, codes.LimitInvalid, "no", 25)


@pytest.mark.parametrize(("value", "taken"), [(1, 1), ("1", 1), (100, 100), ("0100", 100), (None, 25)])
def test_a_whole_number_may_come_in_digits_and_has_a_default(value: object, taken: int) -> None:
    assert WHOLE(value) == taken


@pytest.mark.parametrize("value", [0, 101, "0", "", "+1", " 1", "1.0", 1.0, True, "\u0661", "9" * 5000, [], {}])
def test_what_is_not_a_whole_number_within_its_bounds_is_refused_in_its_own_words(value: object) -> None:
    with pytest.raises(codes.LimitInvalid, match=r"^no$"):
        WHOLE(value)


@given(ANYTHING)
def test_no_value_makes_a_reader_raise_anything_else(value: object) -> None:
    for name in Search.__struct_fields__:
        with suppress(*codes.ERRORS):
            search(**{name: value})
    with suppress(codes.TargetTimeInvalid):
        read(Target, {"target_time": value})


@given(st.integers(-30_610_224_000, 32_503_679_999), st.sampled_from("T "))  # the years 1000 to 2999
def test_a_time_is_taken_with_a_letter_or_a_blank(seconds: int, between: str) -> None:
    naive = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    assert search(created_after=naive.isoformat(between)).created_after == naive


@pytest.mark.parametrize("offset", ["Z", "+00:00", " 00:00", "-00:00"])
def test_a_time_may_have_an_offset_also_with_its_plus_lost_in_the_query(offset: str) -> None:
    taken: Any = search(created_before=f"2016-09-22T19:08:52{offset}").created_before
    assert taken == datetime(2016, 9, 22, 19, 8, 52, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2016-09-22T19:08",
        "2016-09-22T19:08:52.5",
        "2016-09-22T19:08:52+2",
        "2016-09-22T19:08:52+02:00:30",
        "2016-09-22T24:00:00",
        "2016-02-30T00:00:00",
        "20160922T190852",
        "2016-W38-4T19:08:52",
        "2016-09-22T19+02:00",
        "0000-01-01T00:00:00",
        "10000-01-01T00:00:00",
        "today",
        "",
    ],
)
def test_what_is_no_time_is_refused_by_name(value: str) -> None:
    with pytest.raises(codes.DateInvalid, match="created_before"):
        search(created_before=value)


def test_a_naive_time_is_in_the_gateways_zone_and_another_in_its_own() -> None:
    naive = datetime(2016, 9, 22, 15, 8, 52)  # noqa: DTZ001  # as it was asked for
    assert fields.in_zone(naive, NEW_YORK) == 1_474_571_332.0
    assert fields.in_zone(naive.replace(hour=19, tzinfo=UTC), NEW_YORK) == 1_474_571_332.0
    assert fields.in_zone(None, NEW_YORK) is None


@pytest.mark.parametrize("value", [UUID, UUID.upper()])
def test_a_past_order_is_named_by_its_uuid(value: str) -> None:
    assert fields.past_order_id(value) == UUID


@pytest.mark.parametrize("value", ["102", "", "-", UUID[:-1], UUID.replace("-", "")])
def test_a_past_order_is_named_by_nothing_else(value: str) -> None:
    with pytest.raises(codes.UuidInvalid):
        fields.past_order_id(value)


@pytest.mark.parametrize(("value", "seconds"), [("0", 0.0), ("86400", 86_400.0), ("1.5", 1.5), ("007", 7.0), (9, 9.0)])
def test_a_target_is_seconds_up_to_a_day(value: object, seconds: float) -> None:
    assert read(Target, {"target_time": value}).target_time == seconds


@pytest.mark.parametrize("value", ["86401", "-0", "1_0", "nan", "inf", "1e3", " 1", True, [], "1.5.2", "."])
def test_any_other_target_is_refused(value: object) -> None:
    with pytest.raises(codes.TargetTimeInvalid):
        read(Target, {"target_time": value})


@pytest.mark.parametrize(
    "value", ["0001-01-01T00:00:00", "0999-12-31T23:59:59Z", "9999-12-31T23:59:59", "3000-01-01 00:00:00"]
)
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_always_and_never_are_times_in_every_zone(value: str, zone: str) -> None:
    taken: Any = search(created_after=value).created_after
    seconds = fields.in_zone(taken, ZoneInfo(zone))
    assert seconds is not None
    assert (seconds < -3e10) == (value[0] == "0")
    assert (seconds > 3e10) == (value[0] != "0")


def test_as_many_may_be_left_out_as_a_store_can_count() -> None:
    assert search(offset="9223372036854775807").offset == 2**63 - 1
    with pytest.raises(codes.OffsetInvalid):
        search(offset="9223372036854775808")
