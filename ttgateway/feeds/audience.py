"""All readers on WebSockets: told of each change, looked after by one timer, sent away when the gateway stops."""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ttgateway.feeds.frames import Frames
from ttgateway.gateway import Gateway
from ttgateway.refusals import NotNow, TokenRevoked, TooMany
from ttgateway.store.tables.tokens import Token

MOST = 2_048
"""The most readers. Half as many as there may be connections: a till that comes last must find one."""

LOOK_EVERY = 1.0
"""Seconds between two looks at every reader: the one timer for all of them."""


class Reader(Protocol):
    """One reader, as the audience knows it; it must be hashable by identity."""

    token: Token | None

    def go_on(self) -> None:
        """There are new changes."""

    def look(self) -> None:
        """See whether anything is due."""

    def refuse(self, error: Exception) -> None:
        """Tell what is wrong, and close."""

    def go_away(self) -> None:
        """Close: the gateway is stopping."""


class Audience:
    """The readers of one gateway; time is counted on ``clock``."""

    def __init__(self, gateway: Gateway, clock: IReactorTime) -> None:
        self._journal = gateway.journal
        self._frames = Frames(self._journal)
        self._clock = clock
        self._readers: dict[Reader, None] = {}
        self._timer: IDelayedCall | None = None
        self._stopping = False
        self._at_the_end: list[Callable[[], None]] = []
        self._journal.watch(self._announced)
        self._secrets = gateway.secrets
        self._secrets.watch_revoked(self._revoked)

    def __len__(self) -> int:
        """Return how many readers there are, with those that have shown no secret yet."""
        return len(self._readers)

    @property
    def last(self) -> int:
        """Return the last durable seq."""
        return self._journal.last

    def after(self, cursor: int) -> tuple[bytes, int] | None:
        """Return frames of the changes after ``cursor``, and the seq of the last; ``None`` where they are too old."""
        return self._frames.after(cursor)

    def check_room(self) -> None:
        """Raise `TooMany` or `NotNow` where no reader is taken in."""
        if self._stopping:
            raise NotNow("The gateway is stopping.")
        if len(self._readers) >= MOST:
            raise TooMany(f"Too many WebSockets. At most {MOST} are served.")

    def join(self, reader: Reader) -> None:
        """Take in a reader, after `check_room`."""
        self._readers[reader] = None
        if self._timer is None:
            self._timer = self._clock.callLater(LOOK_EVERY, self._look)

    def leave(self, reader: Reader) -> None:
        """Forget a reader, whose connection has ended."""
        self._readers.pop(reader, None)
        if not self._readers:
            self._rest()

    def at_the_end(self, end: Callable[[], None]) -> None:
        """Call ``end`` when the gateway stops: whoever waits for changes in another way goes, too."""
        self._at_the_end.append(end)

    def stop(self) -> None:
        """Send all readers away, and take in no more. Nobody is waited for: the process ends anyway."""
        self._stopping = True
        for end in self._at_the_end:
            end()
        for reader in list(self._readers):
            reader.go_away()
        self._rest()

    def _announced(self) -> None:
        for reader in list(self._readers):
            reader.go_on()

    def _revoked(self, token: Token) -> None:
        for reader in list(self._readers):
            if reader.token is not None and reader.token.hash == token.hash:
                reader.refuse(TokenRevoked("Invalid access token. It was revoked."))

    def _look(self) -> None:
        self._timer = None
        for reader in list(self._readers):
            if reader.token is not None and self._secrets.has_ended(reader.token):
                reader.refuse(TokenRevoked("Invalid access token. Its session has ended."))
            reader.look()
        if self._readers:
            self._timer = self._clock.callLater(LOOK_EVERY, self._look)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
