"""What one would write with requests: a thread, a ``queue.Queue`` and a ``Session`` for each listener.

``python -m bench.peers.with_requests PORT COUNT``.
"""

import queue
import socket
import sys
import threading
import time

import requests

RETRY_AFTER = 1.0
WITHIN = 10.0


def tell(url: str, bodies: "queue.Queue[bytes]") -> None:
    """Tell one listener, one change at a time, until it has been answered 2xx."""
    session = requests.Session()
    while True:
        body = bodies.get()
        while not taken(session, url, body):
            time.sleep(RETRY_AFTER)


def taken(session: requests.Session, url: str, body: bytes) -> bool:
    """Tell whether the listener has taken ``body``."""
    try:
        response = session.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=WITHIN)
    except requests.RequestException:
        return False
    return response.ok


def main(port: str, count: str) -> None:
    """Take lines until the feed ends."""
    queues: list[queue.Queue[bytes]] = [queue.Queue() for _ in range(int(count))]
    for number, bodies in enumerate(queues):
        address = f"http://127.0.0.1:{port}/{number}"
        threading.Thread(target=tell, args=(address, bodies), daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        connection, _ = server.accept()
    for line in connection.makefile("rb"):
        for bodies in queues:
            bodies.put(line[:-1])


if __name__ == "__main__":
    main(*sys.argv[1:])
