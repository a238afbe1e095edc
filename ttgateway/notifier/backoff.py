"""How long a listener's queue waits between attempts (design section 4). Pure: durations in, durations out.

All are in seconds; ``jitter`` is a random number in [0, 1), by which queues that failed together come back apart.
"""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

MOST = 60.0
"""The longest that a listener's ``Retry-After`` makes us wait."""

_DOWN = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_DOWN_FOR_LONG = (15.0, 30.0)
_REFUSED = (1.0, 4.0, 8.0, 12.0)
_AT_START = 5.0

_LONGEST_HEADER = 64  # a date has 29 bytes, a number as many as it likes
_SECONDS = re.compile(rb"[0-9]+")


def down(failures: int, jitter: float) -> float:
    """Return the wait before the next try of a listener that was down ``failures`` times (1 or more) in a row."""
    if failures <= len(_DOWN):
        return _jittered(_DOWN[failures - 1], jitter)
    shortest, longest = _DOWN_FOR_LONG
    return shortest + (longest - shortest) * jitter


def refused(refusals: int, jitter: float) -> float | None:
    """Return the wait before the next try of a change refused ``refusals`` times (1 or more); ``None``: park it.

    So it gets five tries, within 30 s.
    """
    return _jittered(_REFUSED[refusals - 1], jitter) if refusals <= len(_REFUSED) else None


def at_start(delay: float, jitter: float) -> float:
    """Return the wait, after a restart of ours, of a queue that was to wait ``delay`` when we stopped."""
    return _jittered(min(delay, _AT_START), jitter)


def retry_after(header: bytes | None, now: float | None) -> float:
    """Return the wait that a ``Retry-After`` header asks for, from 0 to `MOST`; 0 where there is none or it is garbage.

    The header is a number of seconds, or a date (RFC 9110, 10.2.3); ``now`` is Unix time in seconds, ``None`` where
    the date is not known: then one in the header counts for nothing.
    """
    value = (header or b"").strip(b" \t")
    if not value or len(value) > _LONGEST_HEADER:
        return 0.0
    if _SECONDS.fullmatch(value):
        wait = float(value)
    elif now is not None:
        wait = _until(value, now)
    else:
        wait = 0.0
    return min(max(wait, 0.0), MOST)


def _until(date: bytes, now: float) -> float:
    try:
        at = parsedate_to_datetime(date.decode("ascii"))
    except (ValueError, TypeError, IndexError, OverflowError):  # all that the library has been seen to raise
        return 0.0
    if at.tzinfo is None:  # the old asctime form names no zone: it is UTC
        at = at.replace(tzinfo=UTC)
    return at.timestamp() - now


def _jittered(seconds: float, jitter: float) -> float:
    return seconds * (0.8 + 0.4 * jitter)
