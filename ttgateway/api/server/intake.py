"""What a client has sent and nobody has looked at yet: it is read in slices, and what strangers send in turn.

A request costs time before anybody can tell whose it is: a hundred headers, thousands of cookies, a body in chunks of
one byte. Were all that read as it comes, strangers could take the one thread for seconds.
"""

import re
from abc import ABC, abstractmethod

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, Request
from twisted.web.http_headers import Headers

from ttgateway.api.server.connections import ConnectionTable
from ttgateway.api.server.turns import Turns

SLICE = 1024
"""Bytes that are looked at in one turn: the smallest chunks in them cost about a millisecond."""
MOST_WAITING = 16 * 1024
"""Bytes that may wait here before no more is read from the connection."""

_SECRET = re.compile(rb"\nauthorization:[ \t]*([^\r\n]+)\r\n", re.IGNORECASE)
_SCANNED = 4 * 1024


class IntakeChannel(HTTPChannel, ABC):
    """A connection that looks at what has come when that may be; time is counted on ``clock``."""

    group: str  # what counts as one peer, and takes turns

    def __init__(self, clock: IReactorTime, connections: ConnectionTable, turns: Turns) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._clock = clock
        self.connections = connections
        self.turns = turns
        self._unread = b""
        self._reads = self._held = self._has_turn = False

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Whether more can be looked at: no request is being answered, and what was answered is being read."""

    @abstractmethod
    def abort(self) -> None:
        """Close at once, whatever waits."""

    @property
    def trusted(self) -> bool:
        """Whether this connection has shown a valid secret."""
        return self.connections.trusts(self)

    def take_in(self, data: bytes) -> None:
        """Look at ``data``, in whole or in part when that may be."""
        self._unread += data
        self.read_on()

    def take_turn(self) -> bool:
        """Return whether what is looked at now had to take a turn, and has it still: a request is answered in it."""
        had, self._has_turn = self._has_turn, False
        return had

    def look_at(self, data: bytes) -> None:
        """Let the server's protocol have ``data``."""
        super().dataReceived(data)  # type: ignore[no-untyped-call]

    def requestDone(self, request: Request) -> None:  # noqa: N802
        """Go on with what came while ``request`` was answered."""
        self._unread = b"".join([*self._dataBuffer, self._unread])
        self._dataBuffer = []
        super().requestDone(request)  # type: ignore[no-untyped-call]
        self.read_on()

    def look_on(self) -> None:
        """Go on where the server's protocol had stopped in the middle of what it had."""
        if self._buffer:
            self.look_at(b"")
        self.read_on()

    def read_on(self) -> None:
        """Look at what there is, as far as that may be."""
        if self._reads:
            return
        self._reads = True
        try:
            while self._unread and self.ready and self._read_some():
                pass
        finally:
            self._reads = False
        self._hold_back()

    def pauseProducing(self) -> None:
        """Read and answer nothing more while the peer does not read the answers: what waits here stays small."""
        self.paused = True
        super().pauseProducing()  # type: ignore[no-untyped-call]
        self._networkProducer.pauseProducing()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """Wait for no turn any more."""
        self.leave_unread()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def leave_unread(self) -> bytes:
        """Return what was not looked at, and wait for no turn any more."""
        unread, self._unread = self._unread, b""
        self.turns.forget(self)
        self._hold_back()
        return unread

    def _read_some(self) -> bool:
        """Look at some of it; return whether that was possible now."""
        if self.trusted or (self.turns.crowded and self._shows_secret()):
            self.turns.forget(self)
            self._look_at_a_slice()
            return True
        began = self._clock.seconds()
        if not self.turns.take(self, self.group, self._in_turn):
            return False
        self.turns.spend(self._clock.seconds() - began)
        return True

    def _in_turn(self) -> None:
        waited, self._reads = not self._reads, True
        self._has_turn = True
        try:
            if self.ready:
                self._look_at_a_slice()
        finally:
            self._has_turn = False
            self._reads = not waited
        if waited:
            self.read_on()

    def _look_at_a_slice(self) -> None:
        """Look at no more in one piece: where it is refused, the rest costs nothing."""
        data, self._unread = self._unread[:SLICE], self._unread[SLICE:]
        self.look_at(data)

    def _shows_secret(self) -> bool:
        """Tell whether the request that is being received shows a valid secret, as far as it has come."""
        headers = self.requests[-1].requestHeaders if self.requests else None
        if headers is None or not headers.hasHeader(b"authorization"):
            found = _SECRET.search(self._unread, 0, _SCANNED)
            if found is None:
                return False
            headers = Headers({b"authorization": [found[1]]})
        return self.turns.knows(headers)

    def _hold_back(self) -> None:
        """Read nothing more from the peer where much waits here; the server lets it go on at the end of a request."""
        was, self._held = self._held, len(self._unread) > MOST_WAITING
        if self._held:
            self._networkProducer.pauseProducing()
        elif was and not self.paused:
            self._networkProducer.resumeProducing()
