"""What a connection of a client is at, and the seconds that each of it may take (design section 5).

The phases follow each other like this::

    IDLE --first byte--> HEADERS --blank line--> BODY --its end--> REPLY --written out--> IDLE
                            |                     |                  |
                            +------ refused ------+-- not kept up ---+---> CLOSING

Each has its deadline.
"""

from enum import Enum, auto

IDLE = 60.0
"""Without a request: clients poll every 5 s, and keep their connections."""
HEADERS = 5.0
BODY = 10.0
WHOLE = 30.0
"""From the first byte of a request until its reply is read."""
WHOLE_WHEN_WAITING = 65.0
"""The same, of a request that waits on purpose, from when it begins to."""


class Phase(Enum):
    """What a connection is at."""

    IDLE = auto()
    HEADERS = auto()
    BODY = auto()
    REPLY = auto()
    CLOSING = auto()
