import json

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttgateway.orders.change import OrderChange
from ttgateway.store.tables.entry import DamagedEntryError, Entry, Values, entry_of

CHANGE = OrderChange(
    elapsed_time=9,
    uuid="147e7ccd-c17f-45b4-b5d4-bf14e9c0e244",
    seq=196,
    created="2015-05-05T13:40:09",
    order_type="ON_PREMISE",
    location_name="22",
    state="located",
    state_started="2015-05-05T13:40:18",
    type="ORDER_MODIFIED",
    name="66",
    state_changed="2015-05-05T13:40:18",
    paged=False,
)
ROW = entry_of(CHANGE, 1_430_833_218.25).row()

SEQ, AT, TYPE, ORDER, BODY, CRC = range(6)


def through_sqlite(row: Values) -> Values:
    db = apsw.Connection(":memory:")
    db.execute("CREATE TABLE changes (seq INTEGER, at REAL, type TEXT, o TEXT, body BLOB, crc INTEGER) STRICT")
    db.execute("INSERT INTO changes VALUES (?,?,?,?,?,?)", row)
    return next(db.execute("SELECT * FROM changes"))


def test_an_entry_reads_as_it_was_written() -> None:
    entry = Entry.from_row(through_sqlite(ROW))
    assert (entry.seq, entry.at, entry.type) == (196, 1_430_833_218.25, "ORDER_MODIFIED")
    assert entry.order_uuid == CHANGE.uuid
    assert entry.row() == ROW


def test_version_1_gets_ten_fields_and_version_2_twelve() -> None:
    entry = Entry.from_row(ROW)
    assert json.loads(entry.text(1)) == {
        "elapsedTime": 9,
        "uuid": "147e7ccd-c17f-45b4-b5d4-bf14e9c0e244",
        "seq": 196,
        "created": "2015-05-05T13:40:09",
        "orderType": "ON_PREMISE",
        "locationName": "22",
        "state": "located",
        "stateStarted": "2015-05-05T13:40:18",
        "type": "ORDER_MODIFIED",
        "name": "66",
    }
    extra = {"stateChanged": "2015-05-05T13:40:18", "paged": False}
    assert json.loads(entry.text(2)) == {**json.loads(entry.text(1)), **extra}


def test_a_text_is_the_same_bytes_each_time() -> None:
    entry = Entry.from_row(ROW)
    assert entry.text(1) is entry.text(1)
    assert entry.text(2) == ROW[BODY]


@given(st.sampled_from([TYPE, ORDER, BODY]), st.data())
def test_any_flipped_bit_in_a_text_or_the_body_is_noticed(column: int, data: st.DataObject) -> None:
    value = ROW[column]
    raw = bytearray(value if isinstance(value, bytes) else str(value).encode())
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    refuses(column, bytes(raw) if column == BODY else raw.decode("utf-8", "surrogateescape"))


@given(st.integers(0, 62))
def test_any_flipped_bit_in_the_seq_is_noticed(bit: int) -> None:
    refuses(SEQ, 196 ^ (1 << bit))


@given(st.integers(0, 62))
def test_any_flipped_bit_in_the_crc_is_noticed(bit: int) -> None:
    crc = ROW[CRC]
    assert isinstance(crc, int)
    refuses(CRC, crc ^ (1 << bit))


@given(st.floats().filter(lambda at: at != ROW[AT]))
def test_any_other_time_is_noticed(at: float) -> None:
    refuses(AT, at)


@given(
    st.integers(0, 5),
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | st.binary(),
)
def test_any_other_value_of_any_kind_is_noticed(column: int, value: int | float | str | bytes | None) -> None:
    if type(value) is not type(ROW[column]) or value != ROW[column]:
        refuses(column, value)


def refuses(column: int, value: int | float | str | bytes | None) -> None:
    row = list(ROW)
    row[column] = value
    with pytest.raises(DamagedEntryError):
        Entry.from_row(tuple(row))
