"""Who calls the listeners, as the registry knows it, and what it tells of them."""

from typing import Protocol

import msgspec

from ttgateway.store.tables.listeners import Listener, Progress


class Status(msgspec.Struct, frozen=True):
    """How it stands with a listener at present; ``next_attempt`` in seconds from now, ``None`` if none is due."""

    state: str
    pending: int
    oldest_pending: float
    next_attempt: float | None


NOT_TOLD = Status("down", 0, 0.0, None)
"""How it stands with a listener that is told nothing at present."""


class AttemptRecord(msgspec.Struct, frozen=True, gc=False):
    """One attempt to tell a listener something.

    ``at`` is the Unix time of its begin, ``seq`` and ``attempt`` what `protocol section 7` calls so; ``kind`` is
    ``delivered``, ``down``, ``refused`` or ``gone``, ``cause`` one word or the status. ``flags`` are those that the
    listener saw; ``head`` for the HEAD that asks whether it works after all, which has no attempt number: 0.
    """

    at: float
    seq: int
    attempt: int
    kind: str
    cause: str
    seconds: float
    flags: str


class Watcher(Protocol):
    """Who calls the listeners, and so must know who they are."""

    @property
    def running(self) -> bool:
        """Whether listeners are told anything at present."""

    def registered(self, listener: Listener, progress: Progress) -> None:
        """A listener registered, for the first time or again."""

    def removed(self, listener: Listener) -> None:
        """A listener is no longer to be told anything."""

    def replay(self, listener: Listener) -> None:
        """A listener is to be told again what its progress says."""

    def resync(self, listener: Listener) -> None:
        """A listener is due a snapshot, as somebody asked for it."""

    def answered(self, listener: Listener) -> None:
        """A listener answered a HEAD."""

    def heard(self, host: str) -> None:
        """A request came from this address: whoever listens there is alive."""

    def settle(self) -> None:
        """Bring the accounts up to the present: pass over at once what listeners do not want."""

    def status(self, listener: Listener) -> Status:
        """Return how it stands with a listener."""

    def attempts(self, listener: Listener) -> list[AttemptRecord]:
        """Return the last attempts at a listener, newest first."""
