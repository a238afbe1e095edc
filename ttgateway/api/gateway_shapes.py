"""What replies about the gateway itself hold (protocol section 5)."""

from typing import Annotated, Literal

from msgspec import Meta

from ttgateway.api.shapes import Count, Shape, Time
from ttgateway.radio import RepeaterFields, RepeaterStatus


class GatewayShape(Shape, frozen=True):
    """Which gateway this is; ``uptime`` in seconds."""

    name: str
    id: str
    version: str
    epoch: str
    uptime: Count


class OneGateway(Shape, frozen=True):
    """Which gateway this is."""

    gateway: GatewayShape


class Check(Shape, frozen=True):
    """How the gateway's parts are, one word each; ``ok`` is well."""

    store: str
    notifier: str
    disk: str
    clock: str


class OneCheck(Shape, frozen=True):
    """How the gateway's parts are."""

    check: Check


class Capabilities(Shape, frozen=True):
    """What this gateway can do; ``radio`` tells whether a radio bridge is configured."""

    api: list[str]
    websocket: bool
    events: bool
    paging: bool
    radio: bool
    listener_options: list[str]


class OneCapabilities(Shape, frozen=True):
    """What this gateway can do."""

    capabilities: Capabilities


class SettingsShape(Shape, frozen=True):
    """What clients may set; ``targetTimeDefault`` in seconds, ``timezone`` an IANA zone."""

    zigbee_preset: str
    target_time_default: int
    timezone: str


class OneSettings(Shape, frozen=True):
    """What clients may set."""

    settings: SettingsShape


class Activation(Shape, frozen=True):
    """Whether the gateway is bound to a cloud: none is configured here."""

    state: Literal["NOT_CONFIGURED"] = "NOT_CONFIGURED"


class RepeaterShape(RepeaterFields, frozen=True, kw_only=True):
    """A repeater, as the radio bridge reported it; what it did not say is missing."""

    status: RepeaterStatus
    last_seen: Time


class Repeaters(Shape, frozen=True):
    """All repeaters."""

    count: Count
    repeaters: list[RepeaterShape]


class TrackerShape(Shape, frozen=True):
    """A tracker that the radio bridge has told of."""

    name: Annotated[str, Meta(pattern="^[0-9]{1,10}$")]
    last_seen: Time
    pageable: bool
