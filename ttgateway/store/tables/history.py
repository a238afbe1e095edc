"""The history in the file: pages of orders, newest first, and the counts of a day.

A page is found by walking an index that holds all that the filters ask for; only its own orders are read. So a deep
page costs the walk (a million entries take some 12 ms, ``bench/history.py``) and no more.
"""

import apsw
import msgspec

from ttgateway.orders.order import Order, OrderType
from ttgateway.orders.statistics import Served
from ttgateway.store.tables import orders

MOST_ON_PAGE = 100

_MOST_SKIPPED = 1 << 62
"""SQLite takes no larger number; so many orders there are not."""

_SERVED = (
    "SELECT count(*), total(seconds), coalesce(sum(seconds <= ?), 0) FROM"
    " (SELECT coalesce(took, max(0, cleared - started)) AS seconds"
    " FROM orders INDEXED BY orders_cleared WHERE cleared >= ? AND cleared < ?)"
)


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders of the history are wanted; ``None`` (of ``location_name``: ``""``) narrows nothing.

    The times are Unix seconds of an order's start, ``created_after`` inclusive and ``created_before`` exclusive. The
    newest ``offset`` orders are skipped; of the rest come at most ``limit``, and never more than `MOST_ON_PAGE`.
    """

    created_after: float | None = None
    created_before: float | None = None
    order_type: OrderType | None = None
    location_name: str = ""
    offset: int = 0
    limit: int = 25


def page(db: apsw.Connection, query: HistoryQuery) -> list[Order]:
    """Return the orders that ``query`` asks for, newest first; of one instant, the one that was stored last."""
    sql, values = paging(query)
    return [orders.from_row(row) for row in list(db.execute(sql, values))]


def order(db: apsw.Connection, uuid: str) -> Order | None:
    """Return the order with this uuid, active or cleared."""
    rows = list(db.execute(f"SELECT {orders.COLUMNS} FROM orders WHERE uuid = ?", (uuid,)))  # noqa: S608
    return orders.from_row(rows[0]) if rows else None


def served(db: apsw.Connection, start: float, end: float, target: float) -> Served:
    """Count the orders cleared from ``start`` until before ``end``, and those that took at most ``target`` seconds."""
    count, seconds, in_time = db.execute(_SERVED, (target, start, end)).get
    return Served(int(count), float(seconds), int(in_time))


def paging(query: HistoryQuery) -> tuple[str, tuple[float | str, ...]]:
    """Return the statement that reads a page, and its values.

    The index is named, as SQLite cannot know which of two filters leaves fewer orders: a location does.
    """
    index = "orders_started"
    terms: list[str] = []
    values: list[float | str] = []
    if query.created_after is not None:
        terms.append("started >= ?")
        values.append(query.created_after)
    if query.created_before is not None:
        terms.append("started < ?")
        values.append(query.created_before)
    if query.order_type is not None:  # spelled out: SQLite must see that the index holds it
        index = f"orders_{query.order_type.lower()}"
        terms.append(f"type = '{query.order_type}'")
    if query.location_name:
        index = "orders_location"
        terms += ["location <> ''", "location = ?"]
        values.append(query.location_name)
    limit, offset = min(query.limit, MOST_ON_PAGE), min(query.offset, _MOST_SKIPPED)
    where = f" WHERE {' AND '.join(terms)}" if terms else ""  # what is not asked is not compared a million times
    return (
        f"SELECT {orders.COLUMNS} FROM orders JOIN (SELECT rowid AS wanted FROM orders INDEXED BY {index}"  # noqa: S608
        f"{where} ORDER BY started DESC, rowid DESC LIMIT ? OFFSET ?)"
        " ON orders.rowid = wanted ORDER BY started DESC, orders.rowid DESC",
        (*values, limit, offset),
    )
