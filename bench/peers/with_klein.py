"""Bare Klein: takes the orders that our API takes, and answers as much, with no work in between.

``python -m bench.peers.with_klein`` prints its port, and ends when its input does. No access log, as ours has none.
"""

from typing import Any

from klein import Klein
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.protocol import Protocol
from twisted.internet.stdio import StandardIO
from twisted.internet.task import react
from twisted.python.failure import Failure
from twisted.web.http import Request
from twisted.web.server import Site

ANSWER = (
    b'{"status":200,"returnCode":5,"activeorder":{"name":"1001","uuid":"f1079e0e-dfc9-42b6-ad65-8092a1a8c0df",'
    b'"orderType":"ON_PREMISE","locationName":"1","state":"located","created":"2015-05-05T13:40:09",'
    b'"stateChanged":"2015-05-05T13:40:09","paged":false,"elapsedTime":0}}'
)

app = Klein()


@app.route("/api/v2/activeorders", methods=["POST"])
def order(request: Request) -> bytes:
    """Answer what is always answered."""
    request.setHeader(b"content-type", b"application/json")
    return ANSWER


class _UntilTheEnd(Protocol):
    def __init__(self, ended: Deferred[None]) -> None:
        self._ended = ended

    def connectionLost(self, reason: Failure | None = None) -> None:
        self._ended.callback(None)


def main(reactor: IReactorTCP) -> Deferred[None]:
    """Serve on a free port of 127.0.0.1, and print it."""
    site: Any = Site(app.resource())
    site.log = lambda request: None
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    print(port.getHost().port, flush=True)  # type: ignore[attr-defined]
    ended: Deferred[None] = Deferred()
    StandardIO(_UntilTheEnd(ended))
    return ended


if __name__ == "__main__":
    react(main)
