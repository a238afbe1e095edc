"""Orders in the file."""

import apsw
import msgspec

from ttgateway.orders.order import Order
from ttgateway.store.entry import Values

_NAMES = Order.__struct_fields__  # the columns are called as the fields are
_COLUMNS = ", ".join(_NAMES)
_SAVE = f"REPLACE INTO orders ({_COLUMNS}) VALUES ({', '.join('?' * len(_NAMES))})"  # noqa: S608


class Standing(msgspec.Struct, frozen=True):
    """What the file holds of the present: the active orders, oldest first, and the last seq."""

    orders: list[Order]
    seq: int


def save(db: apsw.Connection, order: Order) -> None:
    """Write ``order`` as it stands now."""
    db.execute(_SAVE, msgspec.structs.astuple(order))


def standing(db: apsw.Connection) -> Standing:
    """Return the active orders and the last seq that was given out."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM orders WHERE cleared IS NULL ORDER BY born, seq")  # noqa: S608
    return Standing([from_row(row) for row in rows], last_seq(db))


def last_seq(db: apsw.Connection) -> int:
    """Return the last seq that was given out; also when its change is trimmed away."""
    return int(db.execute("SELECT max(trimmed, coalesce((SELECT max(seq) FROM changes), 0)) FROM gateway").get)


def from_row(row: Values) -> Order:
    """Return the order in a row of ``orders``; raise ``msgspec.ValidationError``."""
    return msgspec.convert(dict(zip(_NAMES, row, strict=True)), Order, strict=False)  # SQLite has no booleans
