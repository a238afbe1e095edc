"""Moments: when something happens, and how a moment is shown."""

from datetime import datetime, tzinfo

import msgspec


class Moment(msgspec.Struct, frozen=True):
    """One instant, on both clocks.

    ``wall`` is Unix time in seconds, for showing: it may be wrong, and it may jump. ``uptime`` is
    seconds since the machine booted, for durations: it never runs back.
    """

    wall: float
    uptime: float


def shown(wall: float, zone: tzinfo) -> str:
    """Return Unix time ``wall`` (seconds) as ``YYYY-MM-DDTHH:MM:SS`` in ``zone`` (protocol section 1)."""
    return datetime.fromtimestamp(wall, zone).strftime("%Y-%m-%dT%H:%M:%S")
