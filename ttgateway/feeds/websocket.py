"""One reader on a WebSocket (protocol section 8).

A feed is a cursor into the journal, as a listener's queue is::

    STRANGE --secret--> LISTING --list sent, cursor where it is true--> FOLLOWING
       |                   |                                                |
       +------- refused ---+---------- revoked, too slow, too much ---------+---> OVER

It writes what the journal has after the cursor for as long as its reader keeps up, and goes on from the cursor when
the reader reads again. So there is no queue of its own to grow: one that falls behind what the journal has in memory,
or reads nothing for `MOST_STUCK` seconds, is sent away, and takes the list again when it comes back.
"""

from collections.abc import Awaitable
from enum import Enum, auto
from typing import Protocol

from twisted.internet.defer import ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.server import Request
from twisted.web.websocket import WebSocketTransport

from ttgateway.feeds.audience import Audience
from ttgateway.feeds.frames import text_frame
from ttgateway.feeds.line import MOST_MESSAGE, Line
from ttgateway.refusals import MessageTooLong, NoTokenInTime, TooMany
from ttgateway.store.tables.tokens import Token

SECRET_WITHIN = 20.0
"""Seconds in which the first message must show a secret, where the handshake did not."""
PING_EVERY = 30.0
MOST_MUTE = 60.0
"""Seconds without a byte, an answer to a ping neither, after which a peer counts as gone."""
MOST_STUCK = 30.0
"""Seconds for which a reader need not read."""

GOING_AWAY = 1001
TOO_BIG = 1009


class Door(Protocol):
    """The API's side of a feed: who is let in, and how things are put."""

    def admit(self, message: str) -> Token:
        """Return the token whose secret the first message shows; raise what is wrong with it."""

    def check(self, message: str) -> None:
        """Raise what is wrong with a later message; there is none that means anything."""

    def active_orders(self) -> Awaitable[tuple[str, int]]:
        """Return the text of the list of active orders, and the seq at which it is true; raise `NotNow`."""

    def refusal(self, error: Exception) -> tuple[int, str]:
        """Return the HTTP status of what went wrong, and the text that tells of it."""


class _Phase(Enum):
    STRANGE = auto()
    LISTING = auto()
    FOLLOWING = auto()
    OVER = auto()


class Feed:
    """One reader. ``known`` is the token that it showed at the handshake, or why that opened nothing."""

    def __init__(
        self, request: Request, door: Door, audience: Audience, clock: IReactorTime, known: Token | Exception | None
    ) -> None:
        self._door = door
        self._audience = audience
        self._clock = clock
        self._known = known
        self._line = Line(request.channel, clock, self)
        self._phase = _Phase.STRANGE
        self._cursor = 0
        self._secret_due = clock.seconds() + SECRET_WITHIN
        self._ping_due = clock.seconds() + PING_EVERY
        self.token: Token | None = None

    # What Twisted's WebSocket calls.

    def negotiationStarted(self, transport: WebSocketTransport) -> None:  # noqa: N802
        """Keep the WebSocket; nothing may be sent yet."""
        self._wire = transport

    def negotiationFinished(self) -> None:  # noqa: N802
        """Begin: the upgrade has been answered."""
        self._line.open(self._wire)
        self._audience.join(self)
        if isinstance(self._known, Token):
            self._begin(self._known)
        elif self._known is not None:
            self.refuse(self._known)
        self._line.read_early()

    def textMessageReceived(self, message: str) -> None:  # noqa: N802
        """Take a text message: the first shows the secret, others mean nothing."""
        if self._phase is _Phase.OVER:
            return
        try:
            if len(message) > MOST_MESSAGE:
                raise MessageTooLong(f"The message is longer than {MOST_MESSAGE} bytes.")
            if self._phase is _Phase.STRANGE:
                self._begin(self._door.admit(message))
            else:
                self._door.check(message)
        except Exception as error:
            self.refuse(error)

    def bytesMessageReceived(self, data: bytes | bytearray) -> None:  # noqa: N802
        """Take a binary message as if it were text: it is none that means anything."""
        self.textMessageReceived(data.decode("utf-8", "replace"))

    def pongReceived(self, payload: bytes) -> None:  # noqa: N802
        """Do nothing: any byte is a sign of life."""

    def connectionLost(self, reason: Failure) -> None:
        """Leave."""
        self._phase = _Phase.OVER
        self._line.forget()
        self._audience.leave(self)
        del self._line, self._wire  # they lead back here, and a collector would have to find that

    # What the line and the audience call.

    def go_on(self) -> None:
        """Write the changes after the cursor, while the reader keeps up."""
        while self._phase is _Phase.FOLLOWING and self._line.ready and self._cursor < self._audience.last:
            run = self._audience.after(self._cursor)
            if run is None:
                self.refuse(TooMany("Too slow. Connect again and take the list again."))
            else:
                frames, self._cursor = run
                self._line.send(frames)

    def look(self) -> None:
        """See whether anything is due; called about once a second."""
        now = self._clock.seconds()
        line = self._line
        if line.closing is not None:
            if now >= line.closing:
                line.abort()
        elif self._phase is _Phase.STRANGE and now >= self._secret_due:
            self.refuse(NoTokenInTime("No access token in time."))
        elif line.stuck is not None:
            if now - line.stuck >= MOST_STUCK:
                self.refuse(TooMany("Too slow. Connect again and take the list again."))
        elif now - line.heard >= MOST_MUTE:
            line.abort()
        elif now >= self._ping_due:
            self._ping_due = now + PING_EVERY
            line.ping()

    def refuse(self, error: Exception) -> None:
        """Tell what is wrong, and close; 4000 and the HTTP status is the code of the close."""
        self._phase = _Phase.OVER
        status, text = self._door.refusal(error)
        self._line.close(TOO_BIG if isinstance(error, MessageTooLong) else 4000 + status, text_frame(text))

    def go_away(self) -> None:
        """Close: the gateway is stopping."""
        self._phase = _Phase.OVER
        self._line.close(GOING_AWAY)

    def _begin(self, token: Token) -> None:
        self.token = token
        self._line.trust()
        self._phase = _Phase.LISTING
        ensureDeferred(self._list())

    async def _list(self) -> None:
        """Send the list, and follow the journal from where it is true."""
        try:
            text, seq = await self._door.active_orders()
        except Exception as error:
            if self._phase is _Phase.LISTING:
                self.refuse(error)
            return
        if self._phase is _Phase.LISTING:  # and has not ended meanwhile
            self._cursor = seq
            self._phase = _Phase.FOLLOWING
            self._line.send(text_frame(text))
            self.go_on()
