"""Moments: when something happens, how a moment is shown, and which moment is meant by what was shown."""

from datetime import datetime, tzinfo
from functools import lru_cache
from math import floor

import msgspec

PLAUSIBLE = 1_704_067_200.0
"""The start of 2024, in Unix time: a wall clock before it was never set."""


class Moment(msgspec.Struct, frozen=True):
    """One instant, on both clocks.

    ``wall`` is Unix time in seconds, for showing: it may be wrong, and it may jump. ``uptime`` is
    seconds since the machine booted, for durations: it never runs back.
    """

    wall: float
    uptime: float


def is_plausible(wall: float) -> bool:
    """Tell whether Unix time ``wall`` may be the present: whether that clock was ever set."""
    return wall >= PLAUSIBLE


def shown(wall: float, zone: tzinfo) -> str:
    """Return Unix time ``wall`` (seconds) as ``YYYY-MM-DDTHH:MM:SS`` in ``zone`` (protocol section 1)."""
    return _shown(floor(wall), zone)


@lru_cache(maxsize=1024)
def _shown(second: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(second, zone).strftime("%Y-%m-%dT%H:%M:%S")


def unix_time(local: datetime, zone: tzinfo) -> float:
    """Return as Unix time, in seconds, what the clocks in ``zone`` show as ``local``, a time without an offset.

    A time that they show twice is the first of the two, and one that they skip the instant at which they do: so a
    later time is never an earlier instant, and periods that follow each other leave nothing out and share nothing.
    """
    first = local.replace(tzinfo=zone, fold=0)
    seconds = first.timestamp()
    if datetime.fromtimestamp(seconds, zone).replace(tzinfo=None) == local.replace(fold=0):
        return seconds
    return _skipped_at(int(local.replace(tzinfo=zone, fold=1).timestamp()), int(seconds), zone)


def _skipped_at(before: int, after: int, zone: tzinfo) -> float:
    """Return the first instant after ``before``, up to ``after``, at which the clocks in ``zone`` are set otherwise."""
    old = datetime.fromtimestamp(before, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return float(after)
