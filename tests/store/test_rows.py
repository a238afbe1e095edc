"""Rows of the file, with anything in them: each is read, or refused with the one error that the store knows."""

import contextlib
from collections.abc import Callable

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ttgateway.store.tables import listeners, orders, tokens
from ttgateway.store.tables.entry import Values

VALUES = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=20) | st.binary(max_size=20)
READERS: list[tuple[Callable[[Values], object], int]] = [
    (tokens.from_row, len(tokens.NAMES)),
    (orders.from_row, len(orders.NAMES)),
    (listeners.parked_from_row, len(listeners.Parked.__struct_fields__)),
    (listeners.from_row, len(listeners._WHO + listeners._HOW_FAR)),
]


@given(st.sampled_from(READERS), st.data())
@settings(max_examples=300)
def test_any_row_is_read_or_refused_as_the_store_knows_it(
    reader: tuple[Callable[[Values], object], int], data: st.DataObject
) -> None:
    read, columns = reader
    row = tuple(data.draw(st.lists(VALUES, min_size=columns, max_size=columns)))
    with contextlib.suppress(msgspec.ValidationError):
        read(row)
