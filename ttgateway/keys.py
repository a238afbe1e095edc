"""What a Linux input device says: fixed-size events, of which only keys that go down concern us. Pure.

The format is ``struct input_event`` of <linux/input.h>: a time in two C longs, type, code and value.
"""

import struct

ANY_KEY = 0
"""Stands for every key: KEY_RESERVED, the code that no key has."""

HIGHEST_KEY = 0x2FF  # KEY_MAX of <linux/input-event-codes.h>

EVENT = struct.Struct("llHHi")
"""24 bytes on a 64-bit machine, 16 on a 32-bit one."""

_EV_KEY = 1
_DOWN = 1  # 0 is up, and 2 a repetition while it is held


class KeyPresses:
    """Counts how often ``key`` goes down in a stream of events."""

    def __init__(self, key: int) -> None:
        self._key = key
        self._rest = b""

    def feed(self, data: bytes) -> int:
        """Return how many times the key goes down in ``data``, which may end within an event."""
        data = self._rest + data
        whole = len(data) - len(data) % EVENT.size
        self._rest = data[whole:]
        events = EVENT.iter_unpack(data[:whole])
        return sum(
            kind == _EV_KEY and value == _DOWN and self._key in (ANY_KEY, code) for _, _, kind, code, value in events
        )
