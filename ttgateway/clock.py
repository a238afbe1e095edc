"""The one place that reads the machine's clocks.

Twisted's timers run on the wall clock unless told otherwise, and a step of that clock stops or floods them
(twisted#2424): `steady` puts a reactor on the monotonic clock, before anything is scheduled.
"""

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ttgateway.orders.moment import Moment

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_UPTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the former counts suspension too, but is Linux's own


class Clock(Protocol):
    """What the gateway needs to know of time."""

    boot: str
    """Names the boot of the machine to which ``uptime`` belongs."""

    def now(self) -> Moment:
        """Return the present instant on both clocks."""

    def wall(self) -> float:
        """Return the present instant in Unix seconds alone."""


class MachineClock:
    """The clocks of this machine."""

    def __init__(self) -> None:
        try:
            self.boot = _BOOT_ID.read_text().strip()
        except OSError:  # not Linux: every start counts as a new boot
            self.boot = str(uuid.uuid4())

    def now(self) -> Moment:
        """Return the present instant on both clocks."""
        return Moment(wall=time.time(), uptime=time.clock_gettime(_UPTIME))  # noqa: TID251  # here it is allowed

    def wall(self) -> float:
        """Return the present instant in Unix seconds alone."""
        return time.time()  # noqa: TID251


class _Seconds(Protocol):
    seconds: Callable[[], float]


def steady(reactor: _Seconds) -> None:
    """Let ``reactor`` count on the monotonic clock. Call it before anything is scheduled."""
    reactor.seconds = time.monotonic
