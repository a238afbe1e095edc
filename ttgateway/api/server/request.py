"""One request to the API."""

from collections.abc import Callable
from functools import partial

from twisted.python.failure import Failure
from twisted.web.resource import IResource
from twisted.web.server import Request

from ttgateway.api.server.channel import ApiChannel
from ttgateway.api.server.refusal import BODY_INVALID, SERVER

MOST_CHUNKS = 1024
"""The most pieces of a body whose length is not told: each costs time, however small it is."""
MOST_TRAILERS = 1024
"""Bytes of headers after a body in chunks."""


class ApiRequest(Request):
    """A request whose body is counted as it comes, and whose handler can say two things about its connection."""

    channel: ApiChannel  # None once the connection has ended
    content_size = 0
    """How many bytes of the body have come."""
    _pieces = 0
    _had_its_turn = False

    def gotLength(self, length: int | None) -> None:
        """Begin to keep the body; what may follow one in chunks is read by nobody, and so is kept short."""
        super().gotLength(length)  # type: ignore[no-untyped-call]
        if (decoder := self.channel._transferDecoder) is not None and length is None:
            decoder._maxTrailerHeadersSize = MOST_TRAILERS

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a piece of the body, unless the body has become too long."""
        self.content_size += len(data)
        self._pieces += 1
        if self.channel.length is None and self._pieces > MOST_CHUNKS:
            self.channel.refuse(413, f"The body comes in more than {MOST_CHUNKS} chunks.", BODY_INVALID)
        elif self.channel.takes_body(self.content_size):
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]

    def drop_body(self) -> None:
        """Keep nothing of the body: the request was refused."""
        if self.content is not None:
            self.content.seek(0)
            self.content.truncate()

    def parseCookies(self) -> None:  # noqa: N802
        """Read none: the gateway sets no cookies, and thousands fit into a head."""

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        """Let the request be answered; its query is for those who ask for it, as thousands of fields fit in."""
        if self.content is not None:
            self.content.seek(0)
        self.args = {}
        self.method, self.uri, self.clientproto = command, path, version
        self.path = path.partition(b"?")[0]
        self.process()  # type: ignore[no-untyped-call]

    def render(self, resrc: IResource) -> None:
        """Let ``resrc`` answer, when it is this request's turn."""
        self.setHeader(b"Server", SERVER)  # type: ignore[no-untyped-call]
        channel, answer = self.channel, partial(super().render, resrc)
        known = channel.trusted or channel.turns.knows(self.requestHeaders)
        self._had_its_turn = self._had_its_turn or channel.take_turn()
        if known or self._had_its_turn:  # Klein renders what a handler returns, a WebSocket for one
            answer()
        else:
            self._wait_for_turn(answer)

    def connectionLost(self, reason: Failure) -> None:
        """Wait for no turn any more."""
        self.channel.turns.forget(self)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def _wait_for_turn(self, answer: Callable[[], None]) -> None:
        """Let ``answer`` be called in turn; whose connection waits for that can be cut off as one that is idle can."""
        channel = self.channel

        def go() -> None:
            self._had_its_turn = True
            channel.connections.busy(channel)
            answer()

        if not channel.turns.take(self, channel.group, go):
            channel.connections.idle(channel)

    def trust(self) -> None:
        """Note that a valid secret came with this request: its connection is not limited any more."""
        if self.channel is not None:
            self.channel.trust()

    def no_deadline(self) -> None:
        """Exempt this request from the 30 s, because its handler waits on purpose, for at most 30 s itself.

        Its reply must have been read 65 s from now. A WebSocket is exempt from all deadlines without asking.
        """
        if self.channel is not None:
            self.channel.allow_waiting()

    @property
    def peer(self) -> str:
        """The address that the request came from; ``""`` for a Unix socket."""
        host = str(getattr(self.getClientAddress(), "host", ""))  # type: ignore[no-untyped-call]
        return host.removeprefix("::ffff:")  # an IPv4 peer of an IPv6 socket

    def body(self) -> bytes:
        """Return the body as it came, each time that it is asked for."""
        if self.content is None:
            return b""
        self.content.seek(0)
        return bytes(self.content.read())

    def set_header(self, name: str, value: str) -> None:
        """Set a header of the reply."""
        self.setHeader(name.encode("ascii"), value.encode("latin-1"))  # type: ignore[no-untyped-call]
