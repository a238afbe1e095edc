"""Orders in the file."""

from collections.abc import Iterable

import apsw
import msgspec

from ttgateway.orders.order import Order
from ttgateway.store.tables.batches import Rows
from ttgateway.store.tables.entry import Values

NAMES = Order.__struct_fields__  # the columns are called as the fields are
COLUMNS = ", ".join(NAMES)
_LASTING = ("uuid", "name", "started", "born")  # an order keeps them: a change writes no index that holds only these
_SAVE = Rows(
    f"INSERT INTO orders ({COLUMNS}) VALUES",
    len(NAMES),
    "ON CONFLICT (uuid) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in NAMES if name not in _LASTING),
)


class Standing(msgspec.Struct, frozen=True):
    """What the file holds of the present: the active orders, oldest first, and the last seq."""

    orders: list[Order]
    seq: int


def save(db: apsw.Connection, orders: Iterable[Order]) -> None:
    """Write ``orders`` as they stand now; each once."""
    _SAVE.write(db, [msgspec.structs.astuple(order) for order in orders])


def standing(db: apsw.Connection) -> Standing:
    """Return the active orders and the last seq that was given out."""
    rows = db.execute(f"SELECT {COLUMNS} FROM orders WHERE cleared IS NULL ORDER BY born, seq")  # noqa: S608
    return Standing([from_row(row) for row in rows], last_seq(db))


def last_seq(db: apsw.Connection) -> int:
    """Return the last seq that was given out; also when its change is trimmed away."""
    return int(db.execute("SELECT max(trimmed, coalesce((SELECT max(seq) FROM changes), 0)) FROM gateway").get)


def from_row(row: Values) -> Order:
    """Return the order in a row of ``orders``; raise ``msgspec.ValidationError``."""
    return msgspec.convert(dict(zip(NAMES, row, strict=True)), Order, strict=False)  # SQLite has no booleans
