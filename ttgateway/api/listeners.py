"""The listeners, as an operator's program sees and mends them (protocol section 9)."""

from typing import Annotated

import msgspec

from ttgateway.api.call import Call, Reply, acknowledged
from ttgateway.api.codes import Ack, Endpoint
from ttgateway.api.fields import Since
from ttgateway.api.listener_shapes import AttemptShape, DetailedListener, ListenerShape, OneListener
from ttgateway.api.reading import Asked, reads
from ttgateway.api.render import items_v2
from ttgateway.api.routes import Routes
from ttgateway.api.shapes import Acknowledged, Items
from ttgateway.gateway import Gateway
from ttgateway.orders.moment import shown
from ttgateway.store.tables.listeners import Listener, Progress


def _known_id(value: object) -> str:
    return str(value)


_PART = {"listener": Annotated[str, reads(_known_id, pattern="^[0-9a-f]{12}$", description="The listener's id.")]}


class Replaying(Asked, frozen=True):
    """After which change to tell all again."""

    since: Since


def add_listeners(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v2/listeners`` and what is below it."""
    registry = gateway.registry

    @routes.v2("GET", "/listeners", Endpoint.LISTENERS, Items[ListenerShape], leads={"listener": "/items/0/id"})
    async def list_listeners(call: Call) -> Reply:
        """All listeners."""
        return Reply(items_v2(listener_shape(gateway, listener, progress) for listener, progress in registry.all()))

    @routes.v2("GET", "/listeners/<listener>", Endpoint.LISTENERS, OneListener, parts=_PART)
    async def show_listener(call: Call, listener: str) -> Reply:
        """One listener, with its last fifty attempts, newest first."""
        return Reply(OneListener(listener=detailed(gateway, listener)))

    @routes.v2(
        "DELETE", "/listeners/<listener>", Endpoint.LISTENERS, Acknowledged, parts=_PART, acks=(Ack.LISTENER_REMOVED,)
    )
    async def remove_listener(call: Call, listener: str) -> Reply:
        """Forget a listener."""
        found, _ = registry.listener(listener)
        await registry.remove(found)
        return acknowledged(Ack.LISTENER_REMOVED, f"Removed client at: {found.url}")

    _add_mending(routes, gateway)


def _add_mending(routes: Routes, gateway: Gateway) -> None:
    registry = gateway.registry

    @routes.v2(
        "POST",
        "/listeners/<listener>/resync",
        Endpoint.LISTENERS,
        Acknowledged,
        parts=_PART,
        acks=(Ack.RESYNC_QUEUED,),
    )
    async def resync(call: Call, listener: str) -> Reply:
        """Tell a listener of every active order, in place of what waits for it."""
        call.body()  # it may hold anything, but an object it must be
        await registry.resync(listener)
        return acknowledged(Ack.RESYNC_QUEUED, "Resync queued.")

    @routes.v2(
        "POST",
        "/listeners/<listener>/replay",
        Endpoint.LISTENERS,
        Acknowledged,
        parts=_PART,
        body=Replaying,
        acks=(Ack.REPLAY_QUEUED,),
    )
    async def replay(call: Call, listener: str, body: Replaying) -> Reply:
        """Tell a listener again of every change after a seq."""
        await registry.replay(listener, body.since)
        return acknowledged(Ack.REPLAY_QUEUED, "Replay queued.")

    @routes.v2("POST", "/listeners/<listener>/ping", Endpoint.LISTENERS, OneListener, parts=_PART)
    async def ping(call: Call, listener: str) -> Reply:
        """Send a listener a HEAD; an answer ends its backoff."""
        call.body()  # it may hold anything, but an object it must be
        await registry.ping(listener)  # who asks need not be who registered it
        return Reply(OneListener(listener=detailed(gateway, listener)))


def detailed(gateway: Gateway, listener_id: str) -> DetailedListener:
    """Return what is shown of one listener; raise `ListenerUnknown`."""
    listener, progress = gateway.registry.listener(listener_id)
    attempts = [
        AttemptShape(
            at=shown(attempt.at, gateway.zone),
            seq=attempt.seq,
            attempt=attempt.attempt,
            outcome=attempt.kind,
            cause=attempt.cause,
            seconds=round(attempt.seconds, 3),
            flags=attempt.flags,
        )
        for attempt in gateway.registry.attempts(listener_id)
    ]
    shape = listener_shape(gateway, listener, progress)
    return DetailedListener(**msgspec.structs.asdict(shape), attempts=attempts)


def listener_shape(gateway: Gateway, listener: Listener, progress: Progress) -> ListenerShape:
    """Return what is shown of a listener among others."""
    status = gateway.registry.status(listener)

    def time(wall: float | None) -> str | None:
        return None if wall is None else shown(wall, gateway.zone)

    return ListenerShape(
        id=listener.id,
        url=listener.url,
        api=listener.api,
        state=status.state,
        registered=shown(listener.registered, gateway.zone),
        events=list(listener.events),
        snapshot=listener.snapshot,
        catch_up=listener.catch_up,
        signed=bool(listener.secret),
        delivered=progress.delivered,
        coalesced=progress.coalesced,
        filtered=progress.filtered,
        parked=progress.parked,
        pending=status.pending,
        oldest_pending_seconds=int(status.oldest_pending),
        last_success=time(progress.last_success),
        last_failure=time(progress.last_failure),
        last_failure_cause=progress.last_cause or None,
        failing_since=time(progress.failing_since),
        next_attempt_seconds=None if status.next_attempt is None else round(status.next_attempt, 1),
    )
