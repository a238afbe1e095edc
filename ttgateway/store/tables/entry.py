"""A journal entry: an order change as it stands in the file."""

import zlib

import msgspec

from ttgateway.orders.change import OrderChange, OrderChangeV1

COLUMNS = "seq, at, type, order_uuid, body, crc"

Values = tuple[int | float | str | bytes | None, ...]
"""A row as SQLite returns it."""

_encoder = msgspec.json.Encoder()
_version_1 = msgspec.json.Decoder(OrderChangeV1)


class DamagedEntryError(Exception):
    """A row of the journal is not what was written: its CRC does not fit."""


class Entry(msgspec.Struct, gc=False):
    """One change in the journal; ``at`` is its Unix time in seconds, ``body`` the JSON for version 2.

    ``committed`` is when that was durable, on the timers' clock (`GroupCommit.now`); ``None`` once read from the file.
    """

    seq: int
    at: float
    type: str
    order_uuid: str
    body: bytes
    body_v1: bytes = b""
    committed: float | None = None

    def text(self, api: int) -> bytes:
        """Return the JSON that a listener of version ``api`` gets; the same bytes at every call."""
        if api != 1:
            return self.body
        if not self.body_v1:
            self.body_v1 = _encoder.encode(_version_1.decode(self.body))
        return self.body_v1

    def row(self) -> Values:
        """Return the entry as it is written to the file."""
        return (self.seq, self.at, self.type, self.order_uuid, self.body, self._crc())

    def _crc(self) -> int:
        head = f"{self.seq} {self.at!r} {self.type} {self.order_uuid} ".encode()
        return zlib.crc32(self.body, zlib.crc32(head))

    @classmethod
    def from_row(cls, row: Values) -> "Entry":
        """Return what stands in a row of ``changes``; raise `DamagedEntryError`."""
        seq, at, kind, order_uuid, body, crc = row
        entry = cls(seq, at, kind, order_uuid, body)  # type: ignore[arg-type]  # the CRC vouches for the types
        try:
            sound = entry._crc() == crc
        except (TypeError, ValueError):  # the flipped bit made it another type, or no UTF-8
            sound = False
        if not sound:
            raise DamagedEntryError(f"change {seq!r} is damaged in the journal")
        return entry


def entry_of(change: OrderChange, at: float) -> Entry:
    """Return the entry for a change made at Unix time ``at``."""
    return Entry(change.seq, at, change.type, change.uuid, _encoder.encode(change))
