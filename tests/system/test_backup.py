"""A copy that is made under traffic, and the way back to it, by the commands and a real daemon."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener, Told
from tests.system.traffic import Traffic, percentile

TTGATEWAY = Path(sys.executable).with_name("ttgateway")
LONGEST_WAIT = 1.0
"""Seconds that an order may wait while a copy is made; on this machine others work, too."""


def command(daemon: Daemon, *arguments: str) -> "subprocess.CompletedProcess[str]":
    line = [str(TTGATEWAY), "--state-dir", str(daemon.state), *arguments]
    return subprocess.run(line, check=False, cwd=daemon.folder, capture_output=True, text=True, timeout=60)  # noqa: S603


def told_by(listener: Listener) -> list[Told]:
    """Return the changes that it was told, less the marks of snapshots."""
    return [told for told in listener.told if told.method == "POST" and "seq" in told.fields]


def test_a_copy_under_traffic_is_whole_holds_nothing_up_and_can_be_gone_back_to(
    daemon: Daemon, client: Client, listen: Callable[..., Listener]
) -> None:
    listener = listen()
    assert client.register(listener.url, snapshot=True).status == 200
    with Traffic(daemon, pace=0.01) as traffic:
        eventually(lambda: len(traffic.acknowledged) > 20)
        for _ in range(3):
            assert command(daemon, "backup", "copy.db", "--force").returncode == 0
        known = len(traffic.acknowledged)
        eventually(lambda: len(traffic.acknowledged) > known + 20)
    assert traffic.refused() == []
    waits = [done.confirmed - done.sent for done in traffic.acknowledged]
    assert percentile(waits, 99) < LONGEST_WAIT
    eventually(lambda: daemon.account(listener.url)["pending"] == 0)
    last = max(told.seq for told in told_by(listener))
    assert command(daemon, "restore", "copy.db").returncode == 75
    daemon.stop()
    back = command(daemon, "restore", "copy.db")
    assert back.returncode == 0, back.stderr
    assert "LOST to the gateway" in back.stderr
    copied = sqlite3.connect(daemon.folder / "copy.db")
    active = {row[0] for row in copied.execute("SELECT name FROM orders WHERE cleared IS NULL")}
    copied.close()
    seen = len(listener.told)
    daemon.start()
    eventually(lambda: daemon.account(listener.url)["pending"] == 0)
    eventually(lambda: len(listener.told) >= seen + len(active))
    assert {order["name"] for order in daemon.control("GET", "/orders")} == active
    client.close()  # the daemon at its other end is gone
    assert client.post_order("77777").status in (200, 201)
    eventually(lambda: told_by(listener)[-1].seq > last + 10_000)
