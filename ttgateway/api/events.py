"""Changes that a reader missed (protocol section 9)."""

from contextlib import suppress
from typing import Annotated, cast

import msgspec
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime

from ttgateway.api.call import Call, Reply
from ttgateway.api.codes import BodyInvalid, Endpoint
from ttgateway.api.fields import Limit, Since, whole
from ttgateway.api.listener_shapes import Changes, ToldChange
from ttgateway.api.reading import Asked, as_it_came, reads
from ttgateway.api.routes import Routes
from ttgateway.feeds.audience import Audience
from ttgateway.feeds.events import Events
from ttgateway.gateway import Gateway
from ttgateway.store.tables.entry import Entry

MOST_WAIT = 30
"""The longest time in seconds that a call may wait for the next change."""

_WAIT = whole(0, MOST_WAIT, BodyInvalid, f"Invalid wait. Must be whole seconds from 0 to {MOST_WAIT}.", 0)
_decoder = msgspec.json.Decoder(ToldChange)


def told(entry: Entry) -> ToldChange:
    """Return a change as feeds tell it: the fields of an active order, its seq and its type (protocol section 8)."""
    return _decoder.decode(entry.body)


class Following(Asked, frozen=True):
    """After which change of which epoch to go on, and for how many seconds to wait for one."""

    since: Since
    epoch: Annotated[str, reads(as_it_came)] | None = None  # whatever is not ours is another one
    limit: Limit = None
    wait: Annotated[int, reads(_WAIT, ge=0, le=MOST_WAIT)] | None = None


def add_events(routes: Routes, gateway: Gateway, timers: IReactorTime, audience: Audience) -> None:
    """Serve ``/api/v2/events``; who waits there goes when the ``audience`` does."""
    events = Events(gateway.journal, gateway.epoch, timers)
    audience.at_the_end(events.stop)

    @routes.v2("GET", "/events", Endpoint.EVENTS, Changes, query=Following)
    async def list_events(call: Call, query: Following) -> Reply:
        """The changes after a seq; where there are none, the next one, if it comes in time."""
        limit = cast(int, query.limit)  # its reader knows the default
        events.check(query.since, query.epoch)
        found = await events.after(query.since, limit)
        if not found and query.wait:
            await _waited(events, call, query.wait)
            found = await events.after(query.since, limit)
        items = [told(entry) for entry in found]
        return Reply(Changes(count=len(items), items=items, epoch=gateway.epoch, last=events.last))


async def _waited(events: Events, call: Call, seconds: int) -> None:
    """Wait for the next change; a caller that has gone is not waited for."""
    call.request.no_deadline()
    waiting = events.wait(seconds)
    gone = call.request.notifyFinish()
    gone.addErrback(lambda _: waiting.cancel())
    with suppress(CancelledError):
        await waiting
