"""Whether deliveries and commits advance: what the watchdog of systemd is to know, and nothing else.

Each part is judged by whether work *ends*, not by whether it ends well:

- *the store*: both of its threads hand back what they are given, and a commit that was begun has ended. A full disk
  refuses commits, and a damaged file fails them: they end.
- *deliveries*: the sweep, which ends attempts at their deadlines, runs; and no queue stands still that has something to
  do. A listener that is down has nothing to do until its backoff is over, and then an attempt that ends in time.

A gateway with nothing to do advances. What a fresh start would not mend is no part of this: see `ttgateway.health`.
"""

from collections.abc import Callable, Mapping

from ttgateway.notifier.attempts.sweep import Sweep
from ttgateway.notifier.notifier import Notifier
from ttgateway.store.store import Store

LATE = 5.0
"""Seconds by which a sweep may be late: a reactor that is busy for so long is busy."""


class Advance:
    """What has to go on, by its name. Each of ``parts`` tells whether it did since it was last asked."""

    def __init__(self, parts: Mapping[str, Callable[[], bool]]) -> None:
        self._parts = parts

    def stands(self) -> list[str]:
        """Return what stands still; nothing, where all has gone on since this was last asked."""
        return [name for name, goes_on in self._parts.items() if not goes_on()]


def advance_of(store: Store, notifier: Notifier, sweep: Sweep) -> Advance:
    """Return what has to go on in a gateway."""
    return Advance(
        {
            "the thread that writes": store.writer_pace.goes_on,
            "the thread that reads": store.reader_pace.goes_on,
            "commits": store.commit_pace.goes_on,
            "the sweep": lambda: sweep.behind() < LATE,
            "deliveries": lambda: not notifier.standstill.found(),
        }
    )
