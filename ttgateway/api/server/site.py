"""The HTTP server as clients meet it: what `ApiSite` builds bounds whatever a peer can do to us."""

from collections.abc import Callable
from io import BytesIO

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.web.resource import IResource
from twisted.web.server import Site

from ttgateway.api.server.channel import ApiChannel
from ttgateway.api.server.connections import ConnectionTable
from ttgateway.api.server.request import ApiRequest
from ttgateway.api.server.turns import Turns
from ttgateway.machine import ENOUGH_FILES


class ApiSite(Site):
    """Serves ``resource`` with the limits of design section 5: deadlines, sizes, hosts, origins, connections.

    ``hosts`` tells whether a name or an address (lower case, without port and brackets) is ours; ``origins`` are
    those, besides our own, whose pages may call us. Time is counted on ``clock``. ``descriptors`` is how many files
    this process may open.
    """

    noisy = False

    def __init__(
        self,
        resource: IResource,
        clock: IReactorTime,
        hosts: Callable[[str], bool],
        origins: frozenset[str],
        descriptors: int = ENOUGH_FILES,
    ) -> None:
        super().__init__(resource, requestFactory=ApiRequest, parsePOSTFormSubmission=False, reactor=clock)  # type: ignore[no-untyped-call]
        self.displayTracebacks = False
        self.connections = ConnectionTable.within(descriptors)
        self.turns = Turns(clock)
        self._hosts = hosts
        self._origins = origins

    def buildProtocol(self, addr: IAddress | None) -> ApiChannel:  # type: ignore[override]
        """Return the channel for a new connection."""
        channel = ApiChannel(self.reactor, self.connections, self.turns, self._hosts, self._origins)
        channel.factory = self
        channel.site = self
        channel.requestFactory = self.requestFactory
        return channel

    def stop(self) -> None:
        """Refuse each further request: the gateway is stopping."""
        self.connections.stopping = True

    def startFactory(self) -> None:  # noqa: N802
        """Start no access log, nor its timer: peers could fill the disk with it, and it would tell of secrets."""

    def acceptableProtocols(self) -> list[bytes]:  # noqa: N802
        """Return HTTP/1.1 alone: the limits are those of its channel."""
        return [b"http/1.1"]

    def getContentFile(self, length: int | None) -> BytesIO:  # noqa: N802
        """Return where to keep a body: memory, also for one of unknown length, as none is long."""
        return BytesIO()
