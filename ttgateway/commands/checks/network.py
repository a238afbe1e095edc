"""Multicast DNS: can it be sent, is our gateway seen, and does another one have its name?"""

import re
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import ensureDeferred, gatherResults

from ttgateway.commands.checks.finding import Finding, Findings, fault, ok
from ttgateway.commands.gateway.calling import NoAnswer, Requests, call
from ttgateway.commands.terminal.tables import plain
from ttgateway.discovery.addresses import own_places
from ttgateway.discovery.announcement import instance_name
from ttgateway.discovery.browsing import FoundGateway
from ttgateway.discovery.multicast import MulticastFailed
from ttgateway.discovery.probe import unsendable

PART = "network"

LISTENS_FOR = 2.5
"""Seconds: whoever is asked answers within a tenth of one."""

SAYS_WITHIN = 2.0
MOST_ASKED = 16

_LET_THROUGH = (
    "Let UDP port 5353 through, to and from 224.0.0.251: in the firewall, in the switch (IGMP snooping), in the unit"
    " (IPAddressAllow=)"
)


def heard(browse: Callable[[float], list[FoundGateway]]) -> list[FoundGateway]:
    """Return the gateways that are heard on the network; raise `MulticastFailed`. Blocks."""
    try:
        why = unsendable(place.address for place in own_places())
    except OSError as error:
        raise MulticastFailed(str(error)) from None
    if why:
        raise MulticastFailed(f"multicast cannot be sent: {why}")
    return browse(LISTENS_FOR)


def cannot(error: MulticastFailed) -> Findings:
    """Return what is found where multicast does not work."""
    if "no network" in str(error):
        return [fault(PART, "this machine has no network: no client finds the gateway", "Connect it: ip address")]
    return [fault(PART, f"no client finds the gateway by multicast DNS: {error}", _LET_THROUGH)]


def own(view: dict[str, Any], found: list[FoundGateway], others: Findings) -> Findings:
    """Return how the running gateway's own announcement stands; ``others`` is what `namesakes` has found."""
    announced, name = view["announced"], view["status"]["name"]
    if announced is None:
        return []
    if announced["trouble"]:
        return [fault(PART, f"the gateway is not announced: {plain(announced['trouble'])}", _LET_THROUGH)]
    if not announced["name"]:
        return [ok(PART, "the gateway is about to be announced")]
    if all(one.id != view["status"]["id"] for one in found):
        return [
            fault(PART, f"the gateway is announced as {plain(announced['name'])}, but nobody hears it", _LET_THROUGH)
        ]
    if announced["name"] != instance_name(name) and not others:
        what = f"another has the name {plain(name)}: the gateway is announced as {plain(announced['name'])}"
        return [fault(PART, what, _rename(name))]
    return [ok(PART, f"the gateway is seen as {plain(announced['name'])}")]


async def namesakes(reactor: Any, requests: Requests, name: str, own_id: str, found: list[FoundGateway]) -> Findings:
    """Return a fault for each other gateway that calls itself ``name``, also where it is announced under another."""
    others = {one.id: one for one in found if one.id != own_id and _may_be(one.name, name)}
    asked = [ensureDeferred(_calls_itself(reactor, requests, one)) for one in list(others.values())[:MOST_ASKED]]
    names = await gatherResults(asked, consumeErrors=True)
    return [
        _namesake(one, name)
        for one, said in zip(others.values(), names, strict=False)
        if said == name or (said is None and one.name == instance_name(name))
    ]


def _may_be(announced: str, name: str) -> bool:
    return re.fullmatch(rf"{re.escape(instance_name(name))}(-\d+)?", announced) is not None


async def _calls_itself(reactor: Any, requests: Requests, one: FoundGateway) -> str | None:
    """Return the name in a gateway's settings; ``None`` where it does not tell."""
    try:
        url = f"http://{one.address}:{one.port}/api/v2"
        said = (await call(requests, reactor, "GET", url, limit=SAYS_WITHIN)).parsed()
    except NoAnswer:
        return None
    gateway = said.get("gateway") if isinstance(said, dict) else None
    return str(gateway["name"]) if isinstance(gateway, dict) and "name" in gateway else None


def _namesake(one: FoundGateway, name: str) -> Finding:
    what = f"another gateway is called {plain(name)} as well: at {plain(one.address)}, port {one.port}"
    return fault(PART, what, _rename(name))


def _rename(name: str) -> str:
    return f'Give one of the two another name: name = "{plain(name)} 2" in its settings; then restart it'
