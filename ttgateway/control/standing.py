"""How a running gateway stands, as ``ttgateway status`` is told."""

from collections import Counter

from ttgateway import __version__
from ttgateway.api.shapes import Shape
from ttgateway.gateway import Gateway
from ttgateway.health import Parts
from ttgateway.orders.moment import shown
from ttgateway.store.tables.listeners import Listener
from ttgateway.watcher import Status


class Waiting(Shape, frozen=True):
    """What waits for listeners in all, and for how many seconds the oldest of it does, for whom."""

    changes: int
    oldest_seconds: int
    url: str | None


class StatusShape(Shape, frozen=True):
    """How the gateway stands. ``faults`` says what is not as it should be: nothing, where all is well."""

    name: str
    id: str
    version: str
    uptime_seconds: int
    faults: list[str]
    damage: str
    check: Parts
    free_bytes: int | None
    time: str
    active_orders: int
    last_seq: int
    listeners: dict[str, int]
    waiting: Waiting


async def status_shape(gateway: Gateway) -> StatusShape:
    """Return how ``gateway`` stands; raise `NotNow` where its store cannot be read."""
    orders, last = await gateway.standing()
    registry, health = gateway.registry, gateway.health
    everyone = [(listener, registry.status(listener)) for listener, _ in registry.all()]
    return StatusShape(
        name=gateway.settings.name,
        id=gateway.id,
        version=__version__,
        uptime_seconds=gateway.uptime(),
        faults=list(dict.fromkeys([*health.faults(), *health.hindrances()])),
        damage=gateway.damage,
        check=health.parts(),
        free_bytes=health.free(),
        time=shown(gateway.now().wall, gateway.zone),
        active_orders=len(orders),
        last_seq=last,
        listeners=dict(Counter(status.state for _, status in everyone)),
        waiting=_waiting(everyone),
    )


def _waiting(everyone: list[tuple[Listener, Status]]) -> Waiting:
    behind = [(status.oldest_pending, listener.url) for listener, status in everyone if status.pending]
    oldest, url = max(behind, default=(0.0, None))
    return Waiting(changes=sum(status.pending for _, status in everyone), oldest_seconds=int(oldest), url=url)
