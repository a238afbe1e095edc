"""What clients set, in the file: text under the names of the protocol. `openings` has a row of its own among them."""

import contextlib
from collections.abc import Mapping
from datetime import tzinfo

import apsw

from ttgateway.settings import zone_named
from ttgateway.store.tables import openings
from ttgateway.store.tables.entry import Values
from ttgateway.store.transactions import Work

NAMES = ("key", "value")
TIMEZONE = "timezone"


def load(db: apsw.Connection) -> dict[str, str]:
    """Return every value by its key; raise ``ValueError`` where one is damaged."""
    found = dict(from_row(row) for row in db.execute("SELECT key, value FROM settings"))
    found.pop(openings.KEY, None)
    return found


def from_row(row: Values) -> tuple[str, str]:
    """Return key and value in a row of ``settings``; raise ``ValueError`` where that is known to be damaged."""
    key, value = map(str, row)
    if key == openings.KEY:
        openings.parsed(value)
    return key, value


def saving(values: Mapping[str, str]) -> Work[object]:
    """Return the write of ``values``; what they do not name stays."""
    rows = list(values.items())
    return lambda db: db.executemany("REPLACE INTO settings (key, value) VALUES (?, ?)", rows)


def zone(db: apsw.Connection, default: tzinfo) -> tzinfo:
    """Return the time zone that a client has set, or ``default``: also where this machine no longer knows it."""
    with contextlib.suppress(ValueError):
        return zone_named(load(db).get(TIMEZONE, ""))
    return default
