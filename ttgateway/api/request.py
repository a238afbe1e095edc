"""One request to the API."""

from twisted.web.resource import IResource
from twisted.web.server import Request

from ttgateway.api.channel import SERVER, ApiChannel


class ApiRequest(Request):
    """A request whose body is counted as it comes, and whose handler can say two things about its connection."""

    channel: ApiChannel  # None once the connection has ended
    content_size = 0
    """How many bytes of the body have come."""

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a piece of the body, unless the body has become too long."""
        self.content_size += len(data)
        self.channel.body_received(self.content_size)
        super().handleContentChunk(data)  # type: ignore[no-untyped-call]

    def render(self, resrc: IResource) -> None:
        """Let ``resrc`` answer."""
        self.setHeader(b"Server", SERVER)  # type: ignore[no-untyped-call]
        super().render(resrc)  # type: ignore[no-untyped-call]

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
