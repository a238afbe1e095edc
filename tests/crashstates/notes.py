"""What is written into the log beside the disk's operations, and what a store's file says."""

from dataclasses import dataclass

import apsw

from ttgateway.store.tables import entry, listeners, orders, preferences, tokens
from ttgateway.store.tables.entry import Values

Rows = tuple[Values, ...]

_ORDER = tuple(name for name in orders.NAMES if name != "born")  # it is on the scale of a boot
_QUERIES = {
    "gateway": "SELECT id, trimmed, epoch, damage FROM gateway",
    "changes": f"SELECT {entry.COLUMNS} FROM changes ORDER BY seq",  # noqa: S608
    "orders": f"SELECT {', '.join(_ORDER)} FROM orders ORDER BY uuid",  # noqa: S608
    "listeners": f"SELECT {', '.join(listeners.NAMES)} FROM listeners ORDER BY id",  # noqa: S608
    "parked": f"SELECT {', '.join(listeners.Parked.__struct_fields__)} FROM parked ORDER BY listener, seq",  # noqa: S608
    "tokens": f"SELECT {', '.join(tokens.NAMES)} FROM tokens ORDER BY hash",  # noqa: S608
    "settings": f"SELECT {', '.join(preferences.NAMES)} FROM settings ORDER BY key",  # noqa: S608
}
_CURSOR = listeners.NAMES.index("cursor")
_SEQ = _ORDER.index("seq")
_CLEARED = _ORDER.index("cleared")

_interned: dict[Values, Values] = {}


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that a store's file says, by table, but for when and in which boot it was last written."""

    tables: dict[str, Rows]

    @property
    def trimmed(self) -> int:
        """Up to which seq changes may be gone."""
        return int(str(self.tables["gateway"][0][1]))

    @property
    def epoch(self) -> str:
        """The journal's name."""
        return str(self.tables["gateway"][0][2])

    @property
    def damage(self) -> str:
        """What was lost, in words."""
        return str(self.tables["gateway"][0][3])

    def seqs(self) -> list[int]:
        """Return the seq of each change, in order."""
        return [int(str(row[0])) for row in self.tables["changes"]]

    def cleared(self) -> list[str]:
        """Return the uuids of the orders that are cleared."""
        return [str(row[0]) for row in self.tables["orders"] if row[_CLEARED] is not None]

    def is_empty(self) -> bool:
        """Return whether this is a new store."""
        return all(not rows for name, rows in self.tables.items() if name != "gateway") and not self.trimmed

    def resembles(self, other: "Content") -> bool:
        """Return whether both say the same but for the epoch and the report on damage."""
        mine, others = self.tables["gateway"][0], other.tables["gateway"][0]
        return mine[:2] == others[:2] and all(
            rows == other.tables[name] for name, rows in self.tables.items() if name != "gateway"
        )

    def facts(self) -> dict["Key", object]:
        """Return what was promised about single things, by their keys."""
        found: dict[Key, object] = {("change", row[0]): row[4] for row in self.tables["changes"]}
        found.update({("order", row[0]): row[_SEQ] for row in self.tables["orders"]})
        found.update({("listener", row[0]): True for row in self.tables["listeners"]})
        found.update({("cursor", row[0]): row[_CURSOR] for row in self.tables["listeners"]})
        found.update({("parked", row[0], row[1]): row[4] for row in self.tables["parked"]})
        found.update({("token", row[0]): True for row in self.tables["tokens"]})
        found.update({("setting", row[0]): row[1] for row in self.tables["settings"]})
        return found

    def difference(self, other: "Content") -> str:
        """Return in which tables the two differ, and by how many rows."""
        parts = []
        for name, rows in self.tables.items():
            mine, others = set(rows), set(other.tables[name])
            if mine != others:
                parts.append(f"{name}: {len(others - mine)} rows missing, {len(mine - others)} not expected")
        return "; ".join(parts) or "nothing"


Key = tuple[object, ...]
"""What a promise is about: ``("change", seq)``, ``("token", hash)`` ..."""


def content(db: apsw.Connection) -> Content:
    """Return what the file says; raise `apsw.Error`."""
    tables = {}
    for name, query in _QUERIES.items():
        rows = db.execute(query).fetchall()
        tables[name] = tuple([_interned.setdefault(row, row) for row in rows])
    return Content(tables)


@dataclass(frozen=True, slots=True)
class Opened:
    """The store was opened, and serves with this content."""

    content: Content


@dataclass(frozen=True, slots=True)
class Replaced:
    """Somebody was told that another store is in this one's place."""


@dataclass(frozen=True, slots=True)
class Began:
    """A transaction was begun."""


@dataclass(frozen=True, slots=True)
class Passed:
    """Time has passed: it is so many ``seconds`` after the log began."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A transaction has ended: the content is durable, whether it is that before or that after it."""

    content: Content


@dataclass(frozen=True, slots=True)
class Asked:
    """From here on ``key`` may have this value, ``None`` for none."""

    key: Key
    value: object


@dataclass(frozen=True, slots=True)
class Answered:
    """It was answered that ``key`` has this value: from here on it has it, or one that was asked for later."""

    key: Key
    value: object
