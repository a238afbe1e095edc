"""The gateway's presence on the network, as the reactor sees it: all that blocks is done by an executor."""

from typing import Protocol

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ttgateway.discovery.announcement import Announcement, instance_name
from ttgateway.discovery.multicast import MulticastFailed
from ttgateway.store.executor import Executor

LOOK_EVERY = 10.0
"""Seconds between two looks at the addresses and the name."""

WITHDRAW_WITHIN = 2.0
"""Seconds that the goodbye may take at the gateway's end."""


NO_ADDRESS = "this machine has no address that leads to the gateway"


class Seen(msgspec.Struct, frozen=True):
    """How the gateway is announced: under which name, and at which addresses; both empty while it is not."""

    name: str = ""
    addresses: tuple[str, ...] = ()


class Announcing(Protocol):
    """The part of `ttgateway.discovery.responder.Responder` that is used here; only ``interrupt`` does not block."""

    announcement: Announcement

    def look(self) -> Seen: ...  # noqa: D102
    def withdraw(self) -> None: ...  # noqa: D102
    def interrupt(self) -> None: ...  # noqa: D102


class Presence:
    """Keeps a gateway announced from `start` to `stop`. ``executor`` becomes its own, and is closed by it."""

    _log = Logger()

    def __init__(self, responder: Announcing, executor: Executor, timers: IReactorTime) -> None:
        self._responder = responder
        self._executor = executor
        self._timers = timers
        self._timer: IDelayedCall | None = None
        self._stopped = False
        self._seen: Seen | None = None
        self._trouble = ""

    @property
    def announced_name(self) -> str:
        """The name under which the gateway is announced just now; ``""`` while it is not."""
        return self._seen.name if self._seen is not None else ""

    @property
    def trouble(self) -> str:
        """Why the gateway is not announced, in a few words; ``""`` while it is, or the first look is under way."""
        if self._seen is not None and not self._seen.name:
            return self._trouble or NO_ADDRESS
        return ""

    def start(self) -> None:
        """Begin to be announced."""
        self._look()

    def stop(self) -> Deferred[None]:
        """Say goodbye; fires when that is done, or after `WITHDRAW_WITHIN` seconds. Never fails."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._responder.interrupt()
        withdrawn = self._executor.run(self._responder.withdraw).addTimeout(WITHDRAW_WITHIN, self._timers)
        # A thread that hangs is not waited for: it ends with the process.
        return withdrawn.addCallbacks(lambda _: self._executor.close(), self._not_withdrawn)

    def _look(self) -> None:
        self._timer = None
        self._executor.run(self._responder.look).addCallbacks(self._noted, self._failed).addBoth(self._wait)

    def _wait(self, _: object) -> None:
        if not self._stopped:
            self._timer = self._timers.callLater(LOOK_EVERY, self._look)

    def _noted(self, seen: Seen) -> None:
        if self._stopped or (seen == self._seen and not self._trouble):
            return
        self._seen, self._trouble = seen, ""
        announcement = self._responder.announcement
        if not seen.name:
            self._log.warn("Not announced on the network: {why}", why=NO_ADDRESS)
            return
        taken = "" if seen.name == instance_name(announcement.name) else f": the name {announcement.name} is taken"
        self._log.info(
            "Announced on the network as {name} at {addresses}, port {port}{taken}",
            name=seen.name,
            addresses=", ".join(seen.addresses),
            port=announcement.port,
            taken=taken,
        )

    def _failed(self, failure: Failure) -> None:
        """Tell of it, once each; the next look tries again."""
        self._seen = Seen()
        if self._stopped:
            return
        if failure.check(OSError, MulticastFailed) is None:  # no trouble of the network's: ours
            self._log.failure("The gateway cannot be announced", failure)
        elif (trouble := failure.getErrorMessage()) != self._trouble:
            self._trouble = trouble
            self._log.warn("Not announced on the network, trying again: {error}", error=trouble)

    def _not_withdrawn(self, failure: Failure) -> None:
        self._log.warn("No goodbye on the network: {error}", error=failure.getErrorMessage() or "too slow")
