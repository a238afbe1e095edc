"""What clients set, in the file: text under the names of the protocol."""

import contextlib
from collections.abc import Mapping
from datetime import tzinfo

import apsw

from ttgateway.settings import zone_named
from ttgateway.store.commits import Work
from ttgateway.store.entry import Values

NAMES = ("key", "value")
TIMEZONE = "timezone"


def load(db: apsw.Connection) -> dict[str, str]:
    """Return every value by its key."""
    return dict(from_row(row) for row in db.execute("SELECT key, value FROM settings"))


def from_row(row: Values) -> tuple[str, str]:
    """Return key and value in a row of ``settings``."""
    key, value = row
    return str(key), str(value)


def saving(values: Mapping[str, str]) -> Work[object]:
    """Return the write of ``values``; what they do not name stays."""
    rows = list(values.items())
    return lambda db: db.executemany("REPLACE INTO settings (key, value) VALUES (?, ?)", rows)


def zone(db: apsw.Connection, default: tzinfo) -> tzinfo:
    """Return the time zone that a client has set, or ``default``: also where this machine no longer knows it."""
    with contextlib.suppress(ValueError):
        return zone_named(load(db).get(TIMEZONE, ""))
    return default
