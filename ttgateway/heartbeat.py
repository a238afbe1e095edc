"""The gateway's signs of life to systemd: that it serves, how it stands, that it advances, that it ends."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ttgateway.gateway import Gateway
from ttgateway.systemd import Notices

EVERY = 15.0
"""Seconds between the signs where no watchdog waits for them."""


class Heartbeat:
    """Tells systemd how the gateway stands, and pings its watchdog only while nothing stands still.

    ``stands`` returns what stands still; it is asked once a beat, four times within the watchdog's time.
    ``status`` returns how the gateway stands, in a line. Where there is no systemd there is no beat.
    """

    _log = Logger()

    def __init__(
        self, notices: Notices, timers: IReactorTime, stands: Callable[[], list[str]], status: Callable[[], str]
    ) -> None:
        self._notices = notices
        self._timers = timers
        self._stands = stands
        self._status = status
        self._every = notices.watchdog / 4 or EVERY
        self._told = ""
        self._anew = False
        self._standing: list[str] = []
        self._timer: IDelayedCall | None = None

    def begin(self) -> None:
        """The gateway serves."""
        if self._notices:
            self._notices.send_watchdog(self._notices.watchdog)  # a life before this one may have put it off
            self._notices.send(READY=1)
            self._beat()

    def ends(self) -> None:
        """The gateway ends, for good unless it begins anew."""
        if self._anew:
            return
        self._still()
        self._notices.send(STOPPING=1, STATUS="stopping")

    def begins_anew(self) -> None:
        """The gateway ends, and begins anew in the same process; that may take a while."""
        self._anew = True
        self._still()
        self._notices.send_watchdog(0)
        self._notices.send(RELOADING=1, STATUS="recovering the store")

    def _still(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _beat(self) -> None:
        self._timer = self._timers.callLater(self._every, self._beat)
        if (status := self._status()) != self._told:
            self._told = status
            self._notices.send(STATUS=status)
        standing = self._stands()
        if not standing:
            self._notices.send(WATCHDOG=1)
        elif standing != self._standing:
            self._log.critical("No longer advancing: {what}", what=", ".join(standing))
        self._standing = standing


def status_line(gateway: Gateway, at: str) -> str:
    """Return how ``gateway``, which serves at ``at``, stands: in one line, and without a query."""
    everyone = gateway.registry.all()
    failing = sum(1 for _, progress in everyone if progress.failures)
    listeners = f"{len(everyone)} listeners" + (f" ({failing} failing)" if failing else "")
    told = [f"{gateway.journal.active} active orders", listeners, f"seq {gateway.journal.last}", f"serves at {at}"]
    faults = dict.fromkeys([*gateway.health.faults(), *gateway.health.hindrances()])
    return "; ".join([*faults, *told])
