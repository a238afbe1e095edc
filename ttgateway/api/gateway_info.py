"""The gateway itself: who it is, how it is, what it can do, and what clients may set (protocol section 5)."""

import re
from collections.abc import Mapping
from typing import Annotated
from zoneinfo import available_timezones

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ttgateway import __version__
from ttgateway.api.call import Access, Call, Reply, acknowledged
from ttgateway.api.codes import Ack, DeviceCodeMalformed, DeviceCodeMissing, DeviceCodeUnknown, Endpoint
from ttgateway.api.gateway_shapes import (
    Activation,
    Capabilities,
    Check,
    GatewayShape,
    OneCapabilities,
    OneCheck,
    OneGateway,
    OneSettings,
    SettingsShape,
)
from ttgateway.api.reading import AskedCamel, reads
from ttgateway.api.routes import Routes
from ttgateway.api.shapes import Acknowledged
from ttgateway.gateway import Gateway

_ZONES = sorted(available_timezones() - {"localtime"})
_DEVICE_CODE = re.compile(r"[0-9]{3}-[0-9]{4}-[0-9]{3}", re.ASCII)


def _device_code(value: object) -> str:
    """Return a device code that the cloud knows: there is none, as no cloud is configured."""
    if value is None or value == "":
        raise DeviceCodeMissing("Missing device code.")
    if not isinstance(value, str) or not _DEVICE_CODE.fullmatch(value):
        raise DeviceCodeMalformed("Malformed device code. Must be in the format of 012-3456-789")
    raise DeviceCodeUnknown("Invalid device code.")


class Activating(AskedCamel, frozen=True):
    """The code under which a cloud would know this gateway: no value is valid, as no cloud is configured."""

    device_code: Annotated[str, reads(_device_code, pattern=_DEVICE_CODE.pattern)]


class ChangedSettings(AskedCamel, frozen=True, forbid_unknown_fields=True):
    """Settings to change: any of them."""

    zigbee_preset: Annotated[str, Meta(pattern="^[A-Z]$")] | UnsetType = UNSET
    target_time_default: Annotated[int, Meta(ge=1, le=86_400)] | UnsetType = UNSET
    timezone: Annotated[str, Meta(extra_json_schema={"enum": _ZONES})] | UnsetType = UNSET


def add_root(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v2`` and ``/api/v2/gateway``."""

    @routes.v2("GET", "", Endpoint.GATEWAY, OneGateway, access=Access.ANYBODY)
    @routes.v2("GET", "/gateway", Endpoint.GATEWAY, OneGateway)
    async def show_gateway(call: Call) -> Reply:
        """Which gateway this is; clients poll the shorter path every five seconds, to see that it is there."""
        return Reply(
            OneGateway(
                gateway=GatewayShape(
                    name=gateway.settings.name,
                    id=gateway.id,
                    version=__version__,
                    epoch=gateway.epoch,
                    uptime=gateway.uptime(),
                )
            )
        )


def add_gateway(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v2/capabilities`` and what is below ``/api/v2/gateway``."""
    _add_abilities(routes, gateway)
    _add_settings(routes, gateway)
    _add_activation(routes)


def _add_abilities(routes: Routes, gateway: Gateway) -> None:
    @routes.v2("GET", "/capabilities", Endpoint.CAPABILITIES, OneCapabilities)
    async def show_capabilities(call: Call) -> Reply:
        """What this gateway can do."""
        shown = Capabilities(
            api=["v1", "v2"],
            websocket=True,
            events=True,
            paging=True,
            radio=gateway.radio.connected is not None,
            listener_options=["secret", "events", "snapshot", "catch_up"],
        )
        return Reply(OneCapabilities(capabilities=shown))

    @routes.v2("GET", "/gateway/check", Endpoint.GATEWAY_CHECK, OneCheck)
    async def check(call: Call) -> Reply:
        """How the gateway's parts are, one word each."""
        return Reply(OneCheck(check=Check(**msgspec.structs.asdict(gateway.health.parts()))))


def _add_settings(routes: Routes, gateway: Gateway) -> None:
    @routes.v2("GET", "/gateway/settings", Endpoint.GATEWAY_SETTINGS, OneSettings)
    async def show_settings(call: Call) -> Reply:
        """What clients may set."""
        values = gateway.preferences.values
        shown = SettingsShape(
            zigbee_preset=values.zigbee_preset,
            target_time_default=values.target_time_default,
            timezone=values.timezone,
        )
        return Reply(OneSettings(settings=shown))

    @routes.v2(
        "POST",
        "/gateway/settings",
        Endpoint.GATEWAY_SETTINGS,
        Acknowledged,
        describes=ChangedSettings,
        acks=(Ack.SETTINGS_CHANGED,),
    )
    async def change_settings(call: Call) -> Reply:
        """Change any of the settings: all that are named, or none."""
        asked: Mapping[str, object] = call.body()
        await gateway.preferences.change(asked)
        return acknowledged(Ack.SETTINGS_CHANGED, "Settings successfully changed.")


def _add_activation(routes: Routes) -> None:
    @routes.v2("GET", "/gateway/activate", Endpoint.GATEWAY_ACTIVATE, Activation)
    async def show_activation(call: Call) -> Reply:
        """Whether the gateway is bound to a cloud."""
        return Reply(Activation())

    @routes.v2("POST", "/gateway/activate", Endpoint.GATEWAY_ACTIVATE, Activation, body=Activating, hopeless=True)
    async def activate(call: Call, body: Activating) -> Reply:
        """Bind the gateway to a cloud: none is configured here, so no code is known."""
        return Reply(Activation())
