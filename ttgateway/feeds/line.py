"""The connection under a WebSocket, and what Twisted's own WebSocket leaves to others.

That one reads whatever comes (a message without end, pings without number), writes whether or not anybody reads, and
waits for ever for a peer to let it end. Here what comes is bounded as it comes, and looked at in slices, in turn with
what strangers want of us; whoever is not reading is not read either, so that nothing piles up, and is known to be
*stuck*; and the end comes within `LINGER` seconds.
"""

from typing import Any, Protocol

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.web.websocket import WebSocketTransport
from wsproto.connection import ConnectionState
from zope.interface import implementer

from ttgateway.closing import LINGER, MOST_DROPPED, closes_in_halves
from ttgateway.feeds.frames import close_frame, ping_frame
from ttgateway.refusals import MessageTooLong, Refusal, TooMany

MOST_FROM_STRANGERS = 1024
"""The most bytes, framing and all, that a peer may send before it has shown a secret."""
MOST_MESSAGE = 64 * 1024
"""The most characters of a message of one that has (bytes, of a binary one)."""
RATE, BURST = 8 * 1024.0, 80 * 1024.0
"""Bytes a second, and at once, that it may send: a burst of the smallest frames costs a sixth of a second."""
WORK = BURST / 0.03
"""How many bytes a second of our work counts for: what is small but hard to read is too much as well, and sooner."""
SLICE = 1024
"""Bytes that are looked at in one turn: the smallest frames in them cost two milliseconds."""


class Reader(Protocol):
    """Who is at our end of a line."""

    def go_on(self) -> None:
        """The peer reads again, after it was stuck."""

    def refuse(self, error: Exception) -> None:
        """Tell the peer what is wrong (it sent too much), and close."""


@implementer(IPushProducer)
class Line:
    """One WebSocket's connection. ``channel`` is the HTTP channel that was upgraded; time is counted on ``clock``."""

    def __init__(self, channel: Any, clock: IReactorTime, reader: Reader) -> None:
        self._channel = channel
        self._transport = channel.transport
        self._clock = clock
        self._reader = reader
        self._wire: Any = None
        self._unread = b""
        self._waits = False  # for its turn, to look at what is unread
        self._dropped = 0
        self._trusted = False
        self._from_stranger = 0
        self._credit, self._counted = BURST, 0.0
        self.heard = clock.seconds()  # when the last byte came
        self.stuck: float | None = None  # since when the peer has not been reading
        self.closing: float | None = None  # when it is cut off, once the end has begun

    def open(self, wire: WebSocketTransport) -> None:
        """Take the connection over, once the upgrade is answered."""
        self._wire = wire
        self._transport.unregisterProducer()  # the channel
        self._transport.registerProducer(self, True)
        self._transport.resumeProducing()  # the channel may have paused it, when much came with the handshake
        self._channel.dataReceived = self._received

    def read_early(self) -> None:
        """Read what an impatient peer has sent along with its handshake."""
        if early := self._channel.clearLineBuffer():
            self._received(early)

    def trust(self) -> None:
        """Let the peer send messages of some length: it has shown a secret."""
        self._trusted = True
        self._counted = self._clock.seconds()

    @property
    def ready(self) -> bool:
        """Whether it is of use to send anything now."""
        return self.stuck is None and self.closing is None

    def send(self, frames: bytes) -> None:
        """Send ready-made frames."""
        if self.closing is None:
            self._transport.write(frames)

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        self.send(ping_frame())

    def close(self, code: int, last: bytes = b"") -> None:
        """End the WebSocket with ``code`` after the frames in ``last``.

        Closing while the peer still sends would reset the connection, and it might lose what we said. So only our
        half is closed, and what still comes is dropped.
        """
        if self.closing is not None:
            return
        self._begin_the_end()
        self._transport.write(last + close_frame(code))
        self._wire.transport = _Mute()  # it goes on with what came in one piece with the reason for this
        if closes_in_halves(self._transport):
            self._transport.loseWriteConnection()
        else:
            self._transport.loseConnection()

    def abort(self) -> None:
        """End the connection at once."""
        self.closing = self._clock.seconds()
        self.forget()
        self._transport.abortConnection()

    def forget(self) -> None:
        """Look at nothing more: the connection has ended, or is about to."""
        self._unread, self._waits = b"", False
        self._channel.turns.forget(self)

    def pauseProducing(self) -> None:
        """Note that the peer does not read, and do not read it either: pongs to it would pile up."""
        if self.ready:
            self.stuck = self._clock.seconds()
            self._transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Note that all has gone out."""
        if self.stuck is not None and self.closing is None:
            self.stuck = None
            self.heard = self._clock.seconds()  # that it read is a sign of life
            if not self._waits:
                self._transport.resumeProducing()
            self._reader.go_on()

    def stopProducing(self) -> None:
        """Do nothing: the connection is lost, and that is told otherwise."""

    def _received(self, data: bytes) -> None:
        """Take what the peer sends, in place of the HTTP channel."""
        if self.closing is not None:
            self._dropped += len(data)
            if self._dropped > MOST_DROPPED:
                self._transport.pauseProducing()
            return
        self.heard = self._clock.seconds()
        if (refusal := self._too_much(len(data))) is not None:
            self._reader.refuse(refusal)
            return
        self._unread += data
        self._read_on()

    def _read_on(self) -> None:
        """Look at what is unread, in turn; until it is our turn, nothing more is read."""
        while self._unread and self.closing is None:
            began = self._clock.seconds()
            if not self._channel.turns.take(self, self._channel.group, self._its_turn):
                if not self._waits:
                    self._waits = True
                    self._transport.pauseProducing()
                return
            self._channel.turns.spend(self._clock.seconds() - began)

    def _its_turn(self) -> None:
        waited, self._waits = self._waits, False
        self._look_at_a_slice()
        if waited:
            self._read_on()
            if self.ready and not self._waits:
                self._transport.resumeProducing()

    def _look_at_a_slice(self) -> None:
        data, self._unread = self._unread[:SLICE], self._unread[SLICE:]
        began = self._clock.seconds()
        self._wire.dataReceived(data)
        self._credit -= (self._clock.seconds() - began) * WORK
        if self.closing is not None:
            return
        if self._trusted and self._credit < 0:
            self._reader.refuse(_too_much())
        else:
            self._look_at_the_wire()

    def _too_much(self, size: int) -> Refusal | None:
        if not self._trusted:
            self._from_stranger += size
            return _too_long(MOST_FROM_STRANGERS) if self._from_stranger > MOST_FROM_STRANGERS else None
        self._credit = min(BURST, self._credit + (self.heard - self._counted) * RATE) - size
        self._counted = self.heard
        return None if self._credit >= 0 else _too_much()

    def _look_at_the_wire(self) -> None:
        """See what Twisted made of the data: it tells neither of an end that it began, nor of a message that grows."""
        if self._wire._wsconn.state is not ConnectionState.OPEN:  # it has answered a close, or refused a bad frame
            self._begin_the_end()
        elif max(len(self._wire._textBuffer.data), len(self._wire._bytesBuffer.data)) > MOST_MESSAGE:
            self._reader.refuse(_too_long(MOST_MESSAGE))

    def _begin_the_end(self) -> None:
        self.closing = self._clock.seconds() + LINGER
        if self._waits:
            self.forget()
            self._transport.resumeProducing()  # what still comes is dropped, but must be read for that
        self._transport.unregisterProducer()  # or the connection would wait for us before it ends


class _Mute:
    """What Twisted's WebSocket writes to once we have closed: nothing may follow a close (RFC 6455, section 5.5.1)."""

    def write(self, data: bytes) -> None:
        """Drop it."""

    def loseConnection(self) -> None:  # noqa: N802
        """Do nothing: the end has begun."""


def _too_much() -> TooMany:
    return TooMany("Too much was sent. Slow down.")


def _too_long(most: int) -> MessageTooLong:
    return MessageTooLong(f"The message is longer than {most} bytes.")
