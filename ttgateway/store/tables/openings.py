"""The networks that the operator lets be called by command, in the file: one row of ``settings``, with a CRC.

A flipped bit in it would open another network, or none; so what does not fit its CRC is not read.
"""

import zlib
from collections.abc import Sequence

import apsw
import msgspec

from ttgateway.store.transactions import Work

KEY = "callbacks.allow"
"""The key of the row; as the one of the settings' file that does the same."""


def load(db: apsw.Connection) -> tuple[str, ...]:
    """Return the entries, each ``NETWORK`` or ``NETWORK port PORT``; raise ``ValueError`` where they are damaged."""
    text = db.execute("SELECT value FROM settings WHERE key = ?", (KEY,)).get
    return () if text is None else parsed(str(text))


def parsed(text: str) -> tuple[str, ...]:
    """Return the entries in the text of the row; raise ``ValueError`` where it is damaged."""
    crc, _, entries = text.partition(" ")
    if crc != _crc(entries):
        raise ValueError(f"the row {KEY} of settings is damaged")
    return msgspec.json.decode(entries, type=tuple[str, ...])


def saving(entries: Sequence[str]) -> Work[object]:
    """Return the write of ``entries``; none of them is a row too, so that what was closed is known as closed."""
    text = msgspec.json.encode(entries).decode()
    return lambda db: db.execute("REPLACE INTO settings (key, value) VALUES (?, ?)", (KEY, f"{_crc(text)} {text}"))


def _crc(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"
