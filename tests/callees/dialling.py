"""Deliveries by the real daemon: names that flip, restarts, settings that are narrowed, redirects."""

import time
from pathlib import Path
from typing import Any

from tests.callees.addresses import CLIENT, GOOD, PLACES
from tests.callees.gateway import BOTH_FAMILIES, Api, StoreGateway
from tests.callees.registering import register
from tests.callees.sinks import SEEN_WITHIN
from tests.callees.table import PORT, Case, Fate, rows_of_source
from tests.callees.world import World

PATIENCE = 60.0
"""Seconds within which every listener has been tried."""
IDLE = 2.5
"""Seconds after which the daemon has closed connections that it kept."""

WIDE = '[discovery]\nenabled = false\n[callbacks]\nallow = ["0.0.0.0/0", "::/0"]\n'
NARROW = "[discovery]\nenabled = false\n"
SOURCE_ONLY = f"{NARROW}[callbacks]\nsource_only = true\n"


def _forbidden(shown: dict[str, Any]) -> bool:
    return bool(shown["lastFailureCause"] == "forbidden" and shown["pending"])


def _delivered(shown: dict[str, Any]) -> bool:
    return not shown["pending"]


class Deliveries:
    """Listeners that stay registered, and orders of which they are to be told."""

    def __init__(self, world: World, gateway: StoreGateway, api: Api, kept: list[Case]) -> None:
        self._world, self._gateway, self._api, self._kept = world, gateway, api, kept
        shown = gateway.listeners()
        named = {url: case for case in kept for url in shown if _names(url, case)}
        self.flipping = [url for url, case in named.items() if case.later is Fate.FORBIDDEN]
        self.steady = [url for url, case in named.items() if case.later is Fate.CALLED]
        self.luring = [url for url in shown if "/lure/" in url]
        if len(self.flipping) != sum(case.later is Fate.FORBIDDEN for case in kept):
            world.wrong.append("some listeners that flip are not among those that the operator is shown")
        self._orders = 0

    def post(self) -> None:
        """Start an order."""
        self._orders += 1
        self._api.post_order(self._orders)

    def await_all(self, urls: list[str], when: str, *, forbidden: bool) -> None:
        """Wait until each listener has been told, or is ``forbidden``; then look who was called."""
        left = self._gateway.waits(urls, _forbidden if forbidden else _delivered, PATIENCE)
        state = "refused at the dial" if forbidden else "told"
        self._world.figures[f"listeners {state}"] += len(urls) - len(left)
        shown = self._gateway.listeners()
        self._world.wrong += [f"{when}: {url}: not {state} in time: {shown[url]}" for url in left[:20]]
        time.sleep(SEEN_WITHIN)
        self._world.strangers(when)

    def flip(self) -> None:
        """Let the DNS say from now on what it says in the end."""
        for case in self._kept:
            if case.answers:
                self._world.dns.answers[case.host] = case.answers[-1]


def _names(url: str, case: Case) -> bool:
    return bool(case.answers) and url == f"http://{case.host}:{PORT}/x"


def deliver(deliveries: Deliveries, world: World, gateway: StoreGateway) -> None:
    """Let orders go out while names are good; then flip, in the life of one process and across a restart."""
    everyone = deliveries.flipping + deliveries.steady
    deliveries.post()
    deliveries.await_all(everyone, "all are good", forbidden=False)
    deliveries.flip()
    time.sleep(IDLE)
    world.sinks.shut(PORT)  # so that each dial fails, and the names are put in doubt
    deliveries.post()
    deliveries.await_all(deliveries.flipping, "names have flipped", forbidden=True)
    world.sinks.open(PORT)
    gateway.restart()
    deliveries.post()
    deliveries.await_all(deliveries.flipping, "restarted after names have flipped", forbidden=True)
    deliveries.await_all(deliveries.steady, "restarted", forbidden=False)
    lured = {line.split(" ")[1] for _, line in world.sinks.requests if line.startswith("POST /lure/")}
    world.figures["listeners that lead elsewhere told"] = len(lured)
    if len(lured) != len(deliveries.luring) or not lured:
        world.wrong.append(f"of {len(deliveries.luring)} listeners that lead elsewhere {len(lured)} were told")


def narrow(world: World, folder: Path) -> None:
    """Register every address that settings can open, deliver, and narrow the settings: nobody is called any more."""
    gateway = StoreGateway(folder, WIDE)
    gateway.start()
    try:
        api = Api(gateway.secret)
        hosts = [f"[{place.text}]" if ":" in place.text else place.text for place in PLACES if not place.called]
        urls = [f"http://{host}:{PORT}/opened" for host in hosts]
        opened = [url for url in urls if api.register(url, 2).status == 200]
        steady = f"http://{GOOD}:{PORT}/opened"
        api.register(steady, 2)
        api.post_order(1)
        left = gateway.waits([*opened, steady], _delivered, PATIENCE)
        time.sleep(IDLE)
        before = world.called_strangers()
        if left or len(opened) < 20 or len(before) < 20:
            world.wrong.append(f"wide settings: {len(opened)} registered, {len(before)} called, not told: {left[:5]}")
        gateway.restart(NARROW)
        api.post_order(2)
        left = gateway.waits(opened, _forbidden, PATIENCE) + gateway.waits([steady], _delivered, PATIENCE)
        world.wrong += [f"settings narrowed: {url}: {gateway.listeners()[url]}" for url in left[:20]]
        world.figures["listeners refused after settings were narrowed"] += len(opened)
        api.close()
        time.sleep(SEEN_WITHIN)
        world.strangers("settings narrowed")
        gateway.stop()
        world.wrong += gateway.complaints()
    finally:
        gateway.end()


def only_own(world: World, folder: Path, seed: int) -> None:
    """Let a device register what is its own and what is not, where only the former may be; and tell whom it may."""
    world.allow_nobody()
    gateway = StoreGateway(folder, SOURCE_ONLY, BOTH_FAMILIES)
    gateway.start()
    try:
        api = Api(gateway.secret)
        cases = rows_of_source()
        register(world, api, cases, seed)
        own = f"http://{CLIENT}:{PORT}/own"
        api.register(own, 2)
        api.post_order(1)
        shown = gateway.listeners()
        left = gateway.waits(list(shown), _delivered, PATIENCE)
        world.wrong += [f"own address only: {url}: {shown[url]}" for url in left[:20]]
        told = sum(target == (CLIENT, PORT) and line.startswith("POST /own") for target, line in world.sinks.requests)
        world.figures["devices that registered themselves told"] += told
        api.close()
        time.sleep(SEEN_WITHIN)
        world.strangers("own address only")
        gateway.stop()
        world.wrong += gateway.complaints()
    finally:
        gateway.end()
