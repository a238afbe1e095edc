"""Repeaters, trackers and pairing: what a radio bridge reports, and is told (protocol sections 5 and 9)."""

from typing import Annotated

import msgspec

from ttgateway.api.call import Call, Reply, acknowledged
from ttgateway.api.codes import Ack, Endpoint, PairingTimeInvalid
from ttgateway.api.fields import Refresh, whole
from ttgateway.api.gateway_shapes import Repeaters, RepeaterShape, TrackerShape
from ttgateway.api.reading import Asked, reads
from ttgateway.api.render import items_v2
from ttgateway.api.routes import Routes
from ttgateway.api.shapes import Acknowledged, Items
from ttgateway.gateway import Gateway
from ttgateway.orders.moment import shown
from ttgateway.radio import Repeater

_TIMEOUT = whole(
    0,
    254,
    PairingTimeInvalid,
    "Invalid integer value for timeout query parameter. Must be a valid integer between 0-254",
    60,
)


class Refreshing(Asked, frozen=True):
    """Whether the list is to be had anew from the radio."""

    refresh: Refresh = None


class Pairing(Asked, frozen=True):
    """For how many seconds to listen for repeaters; 0: no longer."""

    timeout: Annotated[int, reads(_TIMEOUT, ge=0, le=254)] | None = None


def add_radio(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v2/repeaters`` and ``/api/v2/trackers``."""
    _add_lists(routes, gateway)
    _add_pairing(routes, gateway)


def _add_lists(routes: Routes, gateway: Gateway) -> None:
    radio = gateway.radio

    @routes.v2("GET", "/repeaters", Endpoint.REPEATERS, Repeaters, query=Refreshing)
    async def list_repeaters(call: Call, query: Refreshing) -> Reply:
        """The repeaters that the radio bridge has told of."""
        found = [_repeater(repeater, gateway) for repeater in radio.repeaters()]
        return Reply(Repeaters(count=len(found), repeaters=found))

    @routes.v2("DELETE", "/repeaters", Endpoint.REPEATERS, Acknowledged, acks=(Ack.REPEATERS_CLEARED,))
    async def clear_repeaters(call: Call) -> Reply:
        """Forget all repeaters."""
        radio.clear_repeaters()
        return acknowledged(Ack.REPEATERS_CLEARED, "Repeater clearing successful.")

    @routes.v2("GET", "/trackers", Endpoint.TRACKERS, Items[TrackerShape])
    async def list_trackers(call: Call) -> Reply:
        """The trackers that the radio bridge has told of."""
        return Reply(
            items_v2(
                TrackerShape(
                    name=tracker.name, last_seen=shown(tracker.last_seen, gateway.zone), pageable=tracker.pageable
                )
                for tracker in radio.trackers()
            )
        )

    @routes.v2("DELETE", "/trackers", Endpoint.TRACKERS, Acknowledged, acks=(Ack.TRACKERS_CLEARED,))
    async def clear_trackers(call: Call) -> Reply:
        """Forget all trackers."""
        radio.clear_trackers()
        return acknowledged(Ack.TRACKERS_CLEARED, "Tracker clearing successful.")


def _add_pairing(routes: Routes, gateway: Gateway) -> None:
    off = "Gateway has stopped listening for repeaters."
    acks = (Ack.PAIRING_ON, Ack.PAIRING_OFF)

    @routes.v2(
        "POST",
        "/repeaters/beginPairing",
        Endpoint.BEGIN_PAIRING,
        Acknowledged,
        query=Pairing,
        query_of=_asked,
        acks=acks,
    )
    async def begin_pairing(call: Call, query: Pairing) -> Reply:
        """Let the radio listen for new repeaters."""
        if not query.timeout:
            gateway.radio.end_pairing()
            return acknowledged(Ack.PAIRING_OFF, off)
        gateway.radio.begin_pairing(query.timeout)
        return acknowledged(Ack.PAIRING_ON, "Gateway listening for repeaters.")

    @routes.v2("POST", "/repeaters/endPairing", Endpoint.END_PAIRING, Acknowledged, acks=acks[1:])
    async def end_pairing(call: Call) -> Reply:
        """Let the radio listen for new repeaters no longer."""
        call.body()  # it may hold anything, but an object it must be
        gateway.radio.end_pairing()
        return acknowledged(Ack.PAIRING_OFF, off)


def _asked(call: Call) -> dict[str, object]:
    """Return the fields of a call: of its query, or of its body, as some clients send them there."""
    return {**call.body(), **call.query()}


def _repeater(repeater: Repeater, gateway: Gateway) -> RepeaterShape:
    return RepeaterShape(
        **{
            **msgspec.structs.asdict(repeater),
            "last_seen": shown(repeater.last_seen, gateway.zone),
        }  # what is told alike
    )
