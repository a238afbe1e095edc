"""A thousand readers on WebSockets, ten of which never read: the others are told in time, and memory stays small."""

import http.client
import re
import resource
import time
from collections.abc import Callable, Iterator

import pytest

from tests.system.daemon import Client, Daemon, eventually
from tests.system.readers import Crowd, connected

READERS, STALLED = 1_000, 10
STANDING = 1_500
"""Orders that are active when the stalled ones connect: their list alone is more than is buffered for them."""
CHANGES, EVERY = 200, 0.05
TOLD_WITHIN = 0.25
GROWS_AT_MOST = 60 * 1024 * 1024
STUCK_AT_MOST = 30.0 + 5.0


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process, and those that it starts, have a socket for each reader."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4_096, hard)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def feeds(daemon: Daemon) -> int:
    """Return how many readers the daemon counts."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    try:
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {daemon.secret}"})
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    found = re.search(r"^ttgateway_websocket_feeds (\S+)$", text, re.MULTILINE)
    assert found is not None, text
    return int(float(found[1]))


def told_in(crowd: Crowd, sent: dict[int, float]) -> list[float]:
    """Return how long each reader waited for each change since it was sent; each came once, and in order."""
    waits = []
    for reader in crowd.readers:
        arrivals = reader.arrivals()
        assert [seq for seq, _ in arrivals] == sorted(sent)
        waits += [at - sent[seq] for seq, at in arrivals]
    return sorted(waits)


@pytest.mark.usefixtures("many_files")
def test_a_thousand_readers_are_told_in_time_though_ten_never_read(
    daemons: Callable[..., Daemon], capsys: pytest.CaptureFixture[str]
) -> None:
    daemon = daemons().start()
    client = daemon.client()
    for name in range(STANDING):
        assert client.post_order(name).status == 200
    before = daemon.resident()
    stalled = [connected(daemon.port, daemon.secret, reads=False) for _ in range(STALLED)]
    stalled_since = time.monotonic()
    eventually(lambda: feeds(daemon) == STALLED)
    assert client.call("DELETE", "/api/v2/activeorders").status == 200
    crowd = Crowd(daemon.port, daemon.secret, READERS - STALLED)
    try:
        eventually(lambda: all(reader.listed for reader in crowd.readers), within=20.0)
        sent = at_a_steady_pace(client, 2 * STANDING + 1)
        time.sleep(1.0)
        assert feeds(daemon) >= READERS - STALLED
        grown = daemon.resident() - before
        left = stalled_since + STUCK_AT_MOST + 2.0 - time.monotonic()
        eventually(lambda: feeds(daemon) == READERS - STALLED, within=max(left, 1.0), every=0.2)
    finally:
        crowd.close()
        for end in stalled:
            end.close()
        client.close()
    waits = told_in(crowd, sent)
    p50, p99 = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
    with capsys.disabled():
        print(
            f"\n{READERS} readers: p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, max {waits[-1] * 1e3:.0f} ms, "
            f"memory +{grown / 2**20:.0f} MiB"
        )
    assert p99 < TOLD_WITHIN
    assert grown < GROWS_AT_MOST


def at_a_steady_pace(client: Client, seq: int) -> dict[int, float]:
    """Post orders; return when each was sent, by the seq of its change, the first of which is ``seq``."""
    sent: dict[int, float] = {}
    began = time.monotonic()
    for number in range(CHANGES):
        time.sleep(max(0.0, began + number * EVERY - time.monotonic()))
        sent[seq + number] = time.monotonic()
        assert client.post_order(10_000 + number, "7").status == 200
    return sent
