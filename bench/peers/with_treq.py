"""What one would write with treq: a queue in memory and a loop for each listener, connections kept in a pool.

``python -m bench.peers.with_treq PORT COUNT``.
"""

import sys

from treq.client import HTTPClient
from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.task import deferLater, react
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.http_headers import Headers

from bench.peers import feed

RETRY_AFTER = 1.0
HEADERS = Headers({"Content-Type": ["application/json"]})


async def tell(reactor: IReactorTCP, client: HTTPClient, url: str, bodies: "DeferredQueue[bytes]") -> None:
    """Tell one listener, one change at a time, until it has been answered 2xx."""
    while True:
        body = await bodies.get()
        while not await taken(client, url, body):
            await deferLater(reactor, RETRY_AFTER)  # type: ignore[arg-type]


async def taken(client: HTTPClient, url: str, body: bytes) -> bool:
    """Tell whether the listener has taken ``body``."""
    try:
        response = await client.post(url, data=body, headers=HEADERS)
        await response.content()
    except Exception:
        return False
    return bool(200 <= response.code < 300)


def main(reactor: IReactorTCP, port: str, count: str) -> Deferred[None]:
    """Take lines, and go on for ever."""
    pool = HTTPConnectionPool(reactor, persistent=True)
    client = HTTPClient(Agent(reactor, pool=pool))
    queues: list[DeferredQueue[bytes]] = [DeferredQueue() for _ in range(int(count))]
    for number, queue in enumerate(queues):
        Deferred.fromCoroutine(tell(reactor, client, f"http://127.0.0.1:{port}/{number}", queue))

    def take(body: bytes) -> None:
        for queue in queues:
            queue.put(body)

    feed.listen(reactor, take)
    return Deferred()


if __name__ == "__main__":
    react(main, sys.argv[1:])
