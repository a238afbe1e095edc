"""What one would write with Celery and Redis: a task for each delivery, acknowledged late, retried; two workers.

``python -m bench.peers.with_celery PORT COUNT`` starts the workers and a Redis server of its own, with its defaults but
for where it listens and writes, and ends both. Nothing keeps two workers from telling a listener two changes at once.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests
from celery import Celery

RETRY_AFTER = 1.0
WITHIN = 10.0
WORKERS = 2

app = Celery(broker=f"redis+socket://{os.environ.get('BENCH_REDIS', '')}")
app.conf.task_acks_late = True
app.conf.task_ignore_result = True

session = requests.Session()


def post(port: int, listener: int, body: str) -> None:
    """Tell a listener of a change, until it has been answered 2xx."""
    url = f"http://127.0.0.1:{port}/{listener}"
    session.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=WITHIN).raise_for_status()


deliver = app.task(
    post, name="deliver", autoretry_for=(requests.RequestException,), default_retry_delay=RETRY_AFTER, max_retries=None
)


def produce(port: int, count: int) -> None:
    """Take lines until the feed ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        connection, _ = server.accept()
    for line in connection.makefile():
        for number in range(count):
            deliver.delay(port, number, line[:-1])


def started(folder: str) -> list[subprocess.Popen[bytes]]:
    """Start Redis, wait for it, and start the workers."""
    path = Path(folder, "redis")
    silent = subprocess.DEVNULL
    words = ["redis-server", "--port", "0", "--unixsocket", str(path), "--dir", folder]
    redis = subprocess.Popen(words, stdin=silent, stdout=silent)  # noqa: S603
    while not path.exists():
        if redis.poll() is not None:
            raise RuntimeError("redis-server did not start")
        time.sleep(0.01)
    words = [sys.executable, "-m", "celery", "-A", "bench.peers.with_celery", "worker", f"--concurrency={WORKERS}"]
    environment = {**os.environ, "BENCH_REDIS": str(path)}
    worker = subprocess.Popen(words, stdin=silent, stdout=silent, stderr=silent, env=environment)  # noqa: S603
    return [worker, redis]


def main(port: str, count: str) -> None:
    """Run all of it until the feed ends, or a signal does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with tempfile.TemporaryDirectory(prefix="ttgateway-celery-") as folder:
        processes = started(folder)
        app.conf.broker_url = f"redis+socket://{folder}/redis"
        try:
            produce(int(port), int(count))
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            for process in processes:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
