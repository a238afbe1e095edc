"""What the tests of the store share: real rows in a real file, with a clock that stands still."""

import itertools
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import apsw
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.support import AtOnce, FakeClock, OnDemand
from ttgateway.orders.active import ActiveOrders, Decision
from ttgateway.orders.change import change_of
from ttgateway.orders.moment import Moment
from ttgateway.orders.order import ClearedReason, OrderType
from ttgateway.settings import Journal as Limits
from ttgateway.store import opening, pages
from ttgateway.store.store import Store, open_store
from ttgateway.store.tables.listeners import Listener, Progress


class Shop:
    """Orders that change, and the store that they are written to; each write is committed when it returns."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self.store = store
        self.clock = clock
        counter = itertools.count(1)
        standing = store.standing
        self.orders = ActiveOrders(standing.orders, standing.seq, lambda: f"uuid-{standing.seq}-{next(counter)}")

    def post(self, name: str, location: str = "") -> None:
        self.append(lambda at: self.orders.post(name, OrderType.ON_PREMISE, location, at))

    def page(self, name: str) -> None:
        self.append(lambda at: self.orders.page(name, at))

    def clear(self, name: str) -> None:
        self.append(lambda at: self.orders.clear(name, ClearedReason.TRACKER, at))

    def append(self, decide: Callable[[Moment], Decision]) -> Deferred[None]:
        at = self.clock.now()
        decision = decide(at)
        assert decision.change is not None
        change = change_of(decision.order, decision.change, at, UTC)
        return self.store.journal.append(change, decision.order, at.wall)


def shop_in(
    directory: Path,
    clock: FakeClock,
    *,
    executor: Callable[[str], AtOnce | OnDemand] | None = None,
    limits: Limits | None = None,
) -> Shop:
    """Return a shop whose store is in ``directory``."""
    store = open_store(
        directory,
        clock=clock,
        timers=clock.timers,
        executor=executor or (lambda name: AtOnce()),
        limits=limits or Limits(),
        zone=ZoneInfo("UTC"),
    )
    return Shop(store, clock)


def clock_at(boot: str = "boot-1") -> FakeClock:
    return FakeClock(Clock(), boot)


def listener(number: int = 1, **changed: object) -> Listener:
    values: dict[str, object] = {
        "id": f"listener-{number}",
        "url": f"http://10.0.0.{number}/",
        "api": 2,
        "registered": 1.0,
    }
    return Listener(**{**values, **changed})  # type: ignore[arg-type]


def progress(cursor: int = 0) -> Progress:
    return Progress(base=0, cursor=cursor, delivered=cursor)


def open_again(path: Path, clock: FakeClock) -> apsw.Connection:
    """Open the file alone, without what is read from it at a start."""
    return opening.open_file(str(path), clock.boot, clock.now(), opening.schema())


def dump(connection: apsw.Connection) -> list[tuple[str, str]]:
    """Return the schema, by name."""
    return sorted(connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))


def make_first_schema(path: Path, clock: FakeClock) -> None:
    """Make a file as a gateway of schema 1 left it: with two orders, one of them cleared, and a listener."""
    db = apsw.Connection(str(path), vfs="unix")
    db.execute(opening.schema()[0])
    db.pragma("user_version", 1)
    now = clock.now()
    gateway = "INSERT INTO gateway VALUES (1, 'epoch-1', 'gateway-1', 0, ?, ?, ?, 1, '')"
    db.execute(gateway, (clock.boot, now.uptime, now.wall))
    order = "INSERT INTO orders VALUES (?, ?, 'TO_GO', ?, ?, ?, 3.0, 4.0, ?, NULL, ?, NULL, 0, NULL)"
    db.execute(order, ("uuid-2", "2", "22", "located", 2.0, 3, None))
    db.execute(order, ("uuid-1", "1", "", "cleared", 1.0, 2, 9.0))
    db.execute(
        "INSERT INTO listeners VALUES ('listener-1', 'http://10.0.0.1/', 2, '', '', 0, 'every', 1.0,"
        " 0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0.0, NULL, NULL, NULL, '')"
    )
    db.close()


def make_half_upgraded(path: Path, clock: FakeClock) -> None:
    """Make a file whose upgrade was interrupted after it got checksums; the older gateway has gone on without any."""
    make_first_schema(path, clock)
    interrupted = pages.connect(str(path))
    pages.add_checksums(interrupted)
    interrupted.close()
    older = apsw.Connection(str(path), vfs="unix")
    older.execute("UPDATE orders SET location = '23' WHERE cleared IS NULL").get  # noqa: B018
    older.close()
