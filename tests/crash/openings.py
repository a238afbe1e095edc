"""Kills while a gateway opens its store: during the upgrade of an old file, and the recovery of a damaged one."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from tests.store.files import clock_at, make_first_schema
from tests.system.daemon import Client, Daemon
from ttgateway.clock import MachineClock
from ttgateway.store.opening import FILE, connect
from ttgateway.store.tables.entry import COLUMNS, Entry

KILLS = 4
"""How many kills of a series are of this kind, half during an upgrade and half during a recovery."""

ORDERS = 4_000
PAGE = 4096
BEGINS_WITHIN = 5.0


def run(folder: Path, chance: random.Random, kills: int) -> list[str]:
    """Kill gateways that upgrade and that recover; return what was not kept."""
    daemon = Daemon(folder / "opening")
    daemon.state.mkdir(parents=True)
    path = daemon.state / FILE
    _old_file(path)
    upgrading = [daemon.state / "before-schema-2.db.new", *_copies(daemon.state)]
    try:
        for _ in range(kills // 2):
            _kill_once(daemon, lambda: any(copy.exists() for copy in upgrading), chance)
        daemon.start()
        failures = _healthy(daemon, 200)
        daemon.stop()
        failures += _rows(path, "changes", ORDERS, "an upgrade") + _rows(path, "orders", ORDERS, "an upgrade")
        _damage(path)
        for _ in range(kills - kills // 2):
            _kill_once(daemon, (daemon.state / "corrupt").exists, chance)
        daemon.start()
        failures += _healthy(daemon, 503)
        daemon.stop()
        failures += _rows(path, "orders", ORDERS - 100, "a recovery")
        if list((daemon.state / "corrupt").glob("*/unfinished")):
            failures.append("a recovery was not finished")
        return failures + [line for line in daemon.complaints() if "was damaged" not in line][:3]
    finally:
        daemon.end()


def _copies(state: Path) -> list[Path]:
    return [state / f"before-schema-{number}.db{end}" for number in range(2, 10) for end in ("", ".new")]


def _old_file(path: Path) -> None:
    """Make a large file of the first schema, with a listener that nobody finds."""
    make_first_schema(path, clock_at())
    db = apsw.Connection(str(path))
    now = MachineClock().now().wall  # what is older than a few days is not kept
    entries = [Entry(seq, now, "ORDER_CREATED", f"u-{seq}", b'{"seq":%d}' % seq + b" " * 200) for seq in _seqs()]
    order = "INSERT INTO orders VALUES (?3, ?2, 'TO_GO', '', 'cleared', ?1, ?1, 4.0, ?2, NULL, ?1, NULL, 0, NULL)"
    with db:
        db.execute("DELETE FROM listeners")
        db.execute("DELETE FROM orders")
        db.executemany(f"INSERT INTO changes ({COLUMNS}) VALUES (?,?,?,?,?,?)", [one.row() for one in entries])  # noqa: S608
        db.executemany(order, [(now, seq, f"u-{seq}") for seq in _seqs()])
    db.close()


def _seqs() -> range:
    return range(1, ORDERS + 1)


def _damage(path: Path) -> None:
    """Break a page in the middle of the journal, and take the mark of a clean stop away."""
    db = connect(str(path))
    db.execute("UPDATE gateway SET clean = 0")
    query = "SELECT pageno FROM dbstat WHERE name = 'changes' AND pagetype = 'leaf' ORDER BY pageno"
    pages = [int(row[0]) for row in db.execute(query)]
    db.close()
    with path.open("r+b") as file:
        file.seek((pages[len(pages) // 2] - 1) * PAGE)
        file.write(b"\xa5" * PAGE)


def _kill_once(daemon: Daemon, has_begun: Callable[[], bool], chance: random.Random) -> None:
    """Start, wait until the work in question has begun, and kill a moment later."""
    daemon.begin()
    ends = time.monotonic() + BEGINS_WITHIN
    while not has_begun() and time.monotonic() < ends and daemon.process.poll() is None:
        time.sleep(0.001)
    time.sleep(chance.uniform(0.0, 0.15))
    daemon.kill()


def _healthy(daemon: Daemon, status: int) -> list[str]:
    client = Client(daemon.port)
    reply = client.call("GET", "/healthz")
    client.close()
    return [] if reply.status == status else [f"/healthz answers {reply.status} in place of {status}: {reply.fields}"]


def _rows(path: Path, table: str, least: int, after: str) -> list[str]:
    db = connect(str(path))
    count = int(db.execute(f"SELECT count(*) FROM {table}").get)  # noqa: S608
    sound = db.pragma("integrity_check")
    db.close()
    failures = [f"{count} {table} left after {after}"] if count < least else []
    return failures if sound == "ok" else [*failures, f"after {after}: {sound}"]
