"""The HTTP server as clients meet it: what `ApiSite` builds bounds whatever a peer can do to us."""

from collections.abc import Callable
from io import BytesIO

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.web.resource import IResource
from twisted.web.server import Site

from ttgateway.api.channel import ApiChannel
from ttgateway.api.connections import ConnectionTable
from ttgateway.api.request import ApiRequest


class ApiSite(Site):
    """Serves ``resource`` with the limits of design section 5: deadlines, sizes, hosts, origins, connections.

    ``hosts`` tells whether a name or an address (lower case, without port and brackets) is ours; ``origins`` are
    those, besides our own, whose pages may call us. Time is counted on ``clock``.
    """

    noisy = False

    def __init__(
        self, resource: IResource, clock: IReactorTime, hosts: Callable[[str], bool], origins: frozenset[str]
    ) -> None:
        super().__init__(resource, requestFactory=ApiRequest, parsePOSTFormSubmission=False, reactor=clock)  # type: ignore[no-untyped-call]
        self.displayTracebacks = False
        self.connections = ConnectionTable()
        self._hosts = hosts
        self._origins = origins

    def buildProtocol(self, addr: IAddress | None) -> ApiChannel:  # type: ignore[override]
        """Return the channel for a new connection."""
        channel = ApiChannel(self.reactor, self.connections, self._hosts, self._origins)
        channel.factory = self
        channel.site = self
        channel.requestFactory = self.requestFactory
        return channel

    def startFactory(self) -> None:  # noqa: N802
        """Start no access log, nor its timer: peers could fill the disk with it, and it would tell of secrets."""

    def acceptableProtocols(self) -> list[bytes]:  # noqa: N802
        """Return HTTP/1.1 alone: the limits are those of its channel."""
        return [b"http/1.1"]

    def getContentFile(self, length: int | None) -> BytesIO:  # noqa: N802
        """Return where to keep a body: memory, also for one of unknown length, as none is long."""
        return BytesIO()
