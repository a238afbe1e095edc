"""The age of the store, by which is decided what was kept for long enough.

The wall clock may leap by years, and both ways: an appliance without a real-time clock wakes in 1970, a wrong time
server sends it into the future. By that clock a round of the upkeep would take the whole history for old, or nothing
of it ever. So the store counts for how long it has lived: within a boot by the uptime, over a reboot by the gap on the
wall clock where that can be believed. At most once an hour it marks which change came when.
"""

import apsw

from ttgateway.orders.moment import Moment
from ttgateway.store.tables.orders import last_seq

LONGEST_OFF = 86_400.0
"""Seconds: a longer gap between two boots is taken for a clock that is wrong at one end, and counts as none."""

MARK_EVERY = 3_600.0
"""Seconds, of the store's age, between two marks: what is kept may be kept for so much longer."""


def gap(before: float, after: float) -> float:
    """Return the seconds between two readings of the wall clock, before and after a time without us; 0: not known."""
    passed = after - before
    return passed if 0 <= passed <= LONGEST_OFF else 0.0


def guess(db: apsw.Connection, now: Moment) -> None:
    """Set the ages of all orders by the wall clock alone: nothing else is known of them."""
    db.execute(
        "UPDATE orders SET born = ?1 - iif(?2 - started BETWEEN 0 AND ?3, ?2 - started, 0)",
        (now.uptime, now.wall, LONGEST_OFF),
    )


def note(db: apsw.Connection, now: Moment) -> None:
    """Write what time it is, within the boot of the note before; and a mark, where one is due."""
    db.execute(
        "UPDATE gateway SET age = age + max(0, ? - uptime), uptime = ?, wall = ?", (now.uptime, now.uptime, now.wall)
    )
    mark(db)


def mark(db: apsw.Connection) -> None:
    """Mark the age at which the next change will have been made, unless the last mark is young."""
    db.execute(
        "INSERT OR REPLACE INTO marks (seq, age) SELECT ?, age FROM gateway"
        " WHERE NOT EXISTS (SELECT 1 FROM marks WHERE marks.age > gateway.age - ?)",
        (last_seq(db) + 1, MARK_EVERY),
    )


def at(db: apsw.Connection, uptime: float) -> float:
    """Return the store's age in seconds at an uptime of the present boot."""
    return float(db.execute("SELECT age + max(0, ? - uptime) FROM gateway", (uptime,)).get)


def first_since(db: apsw.Connection, age: float) -> int | None:
    """Return the first seq that may have been given out after the store was of this age; ``None`` for none so far.

    What lies before it is older for certain.
    """
    found = db.execute("SELECT min(seq) FROM marks WHERE age + ? > ?", (MARK_EVERY, age)).get
    return None if found is None else int(found)


def forget(db: apsw.Connection, age: float) -> None:
    """Delete the marks that nobody asks for who asks since this age, or a later one."""
    db.execute("DELETE FROM marks WHERE age + ? <= ?", (MARK_EVERY, age))
