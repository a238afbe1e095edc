"""What a page of the history costs: makes a store of a million orders in a temporary folder, and prints a table.

Run it with ``python bench/history.py``, or with another number of orders as its argument. "first" is the first of its
kind on a fresh connection, "median" and "worst" are of twenty more; milliseconds. Aim: a page of 100 in under 20 ms.
"""

import random
import statistics
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import apsw
import msgspec

from ttgateway.orders.moment import Moment
from ttgateway.orders.order import ClearedReason, Order, OrderState, OrderType
from ttgateway.store import opening
from ttgateway.store.tables import history, orders
from ttgateway.store.tables.history import HistoryQuery

BEGIN = 1_440_000_000.0
SPAN = 400 * 86_400.0
LOCATIONS = 1_000
TIMES = 20


def orders_of(count: int) -> Iterator[Order]:
    """Yield ``count`` cleared orders, spread over 400 days; three in ten are to go, each location has one in 1,000."""
    chance = random.Random(1)  # noqa: S311
    for number in range(count):
        started = BEGIN + number * SPAN / count
        yield Order(
            uuid=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            name=str(number % 100),
            type=OrderType.TO_GO if chance.random() < 0.3 else OrderType.ON_PREMISE,
            location=str(chance.randrange(LOCATIONS)),
            state=OrderState.CLEARED,
            started=started,
            changed=started,
            born=started,
            seq=3 * number,
            located=started,
            cleared=started + chance.uniform(5, 900),
            cleared_reason=ClearedReason.TRACKER,
        )


def fill(path: str, count: int) -> None:
    """Make the store."""
    db = opening.open_file(path, "boot", Moment(BEGIN, 0.0), opening.schema())
    marks = ", ".join("?" * len(orders.NAMES))
    with db:
        rows = (msgspec.structs.astuple(order) for order in orders_of(count))
        db.executemany(f"INSERT INTO orders ({orders.COLUMNS}) VALUES ({marks})", rows)  # noqa: S608
    opening.close(db, Moment(BEGIN + SPAN, SPAN))


def queries(count: int) -> dict[str, HistoryQuery]:
    """Return what is asked for, by its description."""
    to_go, here = OrderType.TO_GO, OrderType.ON_PREMISE
    since, until = BEGIN + SPAN / 4, BEGIN + SPAN / 2
    all_of_it = {"created_after": since, "created_before": until, "order_type": to_go, "location_name": "66"}
    asked: dict[str, dict[str, object]] = {
        "everything": {},
        "everything, in the middle": {"offset": count // 2},
        "everything, the last page": {"offset": count - 100},
        "to go, 30 %": {"order_type": to_go},
        "to go, nearly the last page": {"order_type": to_go, "offset": count * 29 // 100},
        "on premise, nearly the last page": {"order_type": here, "offset": count * 69 // 100},
        "a location, 0.1 %": {"location_name": "66"},
        "a location, its end": {"location_name": "66", "offset": count * 8 // 10_000},
        "a location without orders": {"location_name": "12345"},
        "a location, to go": {"location_name": "66", "order_type": to_go},
        "a window of 100 days": {"created_after": since, "created_before": until},
        "a window, nearly its end": {"created_after": since, "created_before": until, "offset": count * 24 // 100},
        "a window of an hour": {"created_after": since, "created_before": since + 3600},
        "a window, to go": {"created_after": since, "created_before": until, "order_type": to_go},
        "a window, to go, a location": all_of_it,
    }
    return {name: msgspec.convert({"limit": 100, **query}, HistoryQuery) for name, query in asked.items()}


def measure(path: str, name: str, read: Callable[[apsw.Connection], object]) -> None:
    """Print a line of the table."""
    db = opening.connect(path)
    times = []
    for _ in range(TIMES + 1):
        began = perf_counter()
        read(db)
        times.append(1_000 * (perf_counter() - began))
    db.close()
    print(f"{name:36}{times[0]:8.2f}{statistics.median(times[1:]):8.2f}{max(times[1:]):8.2f}")


def main(count: int) -> None:
    """Make the store and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / opening.FILE)
        began = perf_counter()
        fill(path, count)
        size = Path(path).stat().st_size / 1e6
        print(f"{count} orders, {size:.0f} MB, made in {perf_counter() - began:.0f} s")
        print(f"{'a page of 100':36}{'first':>8}{'median':>8}{'worst':>8}")
        for name, query in queries(count).items():
            measure(path, name, lambda db, query=query: history.page(db, query))  # type: ignore[misc]
        day = BEGIN + SPAN / 2
        measure(path, "a day's statistics", lambda db: history.served(db, day, day + 86_400, 300.0))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
