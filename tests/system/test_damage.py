"""A page of the store that is damaged while the daemon runs: it is found when it is read, and the daemon heals."""

from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.internet.defer import ensureDeferred

from tests.store.files import clock_at, progress, shop_in
from tests.store.files import listener as registered
from tests.support import OnDemand, result_of
from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener
from ttgateway.store import opening
from ttgateway.store.disk import BACKUPS, numbered
from ttgateway.store.opening import FILE
from ttgateway.store.tables import listeners

ORDERS = 700
"""Two changes each: more than are kept in memory."""


def fill(state: Path, url: str) -> None:
    """Leave a store with a listener at ``url`` that was told nothing yet."""
    state.mkdir()
    threads: dict[str, OnDemand] = {}
    shop = shop_in(state, clock_at(), executor=lambda name: threads.setdefault(name, OnDemand()))
    shop.store.write(listeners.saving(registered(url=url), progress()))
    for name in range(ORDERS):
        shop.post(str(name))
        shop.clear(str(name))
    stopping = ensureDeferred(shop.store.stop())
    while busy := [one for one in threads.values() if one.waiting]:
        busy[0].step()
    result_of(stopping)


def damage(state: Path) -> None:
    """Flip a bit of a page of changes that is not among the first that are read."""
    db = opening.connect(str(state / FILE))
    query = "SELECT pageno FROM dbstat WHERE name = 'changes' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 29"
    at = 4096 * int(db.execute(query).get) - 2000
    opening.leave(db)
    with (state / FILE).open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 16]))


def healthy(daemon: Daemon) -> tuple[int, str]:
    client = Client(daemon.port)
    try:
        reply = client.call("GET", "/healthz")
    finally:
        client.close()
    return reply.status, str(reply.fields)


def posted(daemon: Daemon, name: int) -> int:
    client = daemon.client()
    try:
        return client.post_order(name).status
    finally:
        client.close()


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    """A daemon that is not started; it logs of the damage what no other may log."""
    (tmp_path / "daemon").mkdir()
    return Daemon(tmp_path / "daemon")


def test_a_store_whose_file_was_deleted_is_put_back_by_the_stop(daemon: Daemon) -> None:
    try:
        daemon.start()
        assert posted(daemon, 1) == 200
        (daemon.state / FILE).unlink()
        assert posted(daemon, 2) == 200
        daemon.stop()
        assert (daemon.state / FILE).exists()
        daemon.start()
        client = daemon.client()
        orders = client.call("GET", "/api/v2/activeorders").fields
        client.close()
        assert [order["name"] for order in orders["items"]] == ["1", "2"]
        assert healthy(daemon)[0] == 200
        daemon.stop()
    finally:
        daemon.end()


def test_damage_found_while_running_is_recovered_by_a_start_of_its_own(
    daemon: Daemon, listen: Callable[..., Listener]
) -> None:
    listener = listen()
    listener.close()
    fill(daemon.state, listener.url)
    try:
        daemon.start()
        process = daemon.process.pid
        eventually(lambda: numbered(daemon.state / BACKUPS, ".db"))  # or the first copy would read the damage
        damage(daemon.state)
        assert healthy(daemon)[0] == 200
        listener.open()
        assert posted(daemon, 7) == 200  # from the listener's host: it is tried at once
        eventually(lambda: "starts anew to recover it" in daemon.log(), 10.0)
        before = listener.seqs()
        assert before == list(range(1, len(before) + 1))
        assert len(before) < 2 * ORDERS
        eventually(lambda: daemon.log().count("serves at") == 2, 15.0)
        eventually(lambda: any(told.headers.get("ttgateway-flags") == "snapshot" for told in list(listener.told)), 10.0)
        status, fields = healthy(daemon)
        assert (status, "store damaged" in fields) == (503, True)
        assert daemon.process.pid == process
        assert posted(daemon, 8) == 200
        assert "Traceback" not in daemon.log()
        daemon.stop()
    finally:
        daemon.end()
