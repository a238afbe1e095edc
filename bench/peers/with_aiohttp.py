"""What one would write with aiohttp: an ``asyncio.Queue`` and a task for each listener, one session for all.

``python -m bench.peers.with_aiohttp PORT COUNT``.
"""

import asyncio
import sys

import aiohttp

RETRY_AFTER = 1.0


async def tell(session: aiohttp.ClientSession, url: str, bodies: "asyncio.Queue[bytes]") -> None:
    """Tell one listener, one change at a time, until it has been answered 2xx."""
    while True:
        body = await bodies.get()
        while not await taken(session, url, body):
            await asyncio.sleep(RETRY_AFTER)


async def taken(session: aiohttp.ClientSession, url: str, body: bytes) -> bool:
    """Tell whether the listener has taken ``body``."""
    try:
        async with session.post(url, data=body, headers={"Content-Type": "application/json"}) as response:
            await response.read()
    except (aiohttp.ClientError, TimeoutError):
        return False
    return bool(200 <= response.status < 300)


async def main(port: str, count: str) -> None:
    """Take lines, and go on for ever."""
    queues: list[asyncio.Queue[bytes]] = [asyncio.Queue() for _ in range(int(count))]

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            for queue in queues:
                queue.put_nowait(line[:-1])
        writer.close()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        urls = [f"http://127.0.0.1:{port}/{number}" for number in range(len(queues))]
        loops = [asyncio.create_task(tell(session, *each)) for each in zip(urls, queues, strict=True)]
        server = await asyncio.start_server(take, "127.0.0.1")
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.gather(*loops)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
