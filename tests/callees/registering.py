"""The rows of the table, registered at the real daemon: what it answers, and whom it calls."""

import random
import time

from tests.callees.addresses import GOOD, OWN
from tests.callees.gateway import Api
from tests.callees.table import PORT, Case, Fate
from tests.callees.world import LURING_PORT, World

BRIDGE_PORT = 7700
ANSWERED_WITHIN = 4.0
"""Seconds within which a device that registers has its answer, however slow the DNS is."""

_LURING = (200, 301, 302, 303, 305, 307, 308, 401, 407, 421)
_KEPT_OF = 10
_EVERY = 200


def register(world: World, api: Api, cases: list[Case], seed: int) -> list[Case]:
    """Register each row by both versions; return those that stay registered: all that flip, some of the others."""
    order, kept = random.Random(seed), []  # noqa: S311
    for number, case in enumerate(cases):
        if case.answers:
            world.dns.answers[case.host] = case.answers[0]
        if case.fate is Fate.CALLED:
            world.allow(case)
        for version in order.sample((1, 2), 2):
            before = world.sinks.accepted.total()
            world.judge(case, api.register(case.url, version), version)
            called = world.sinks.accepted.total() - before
            if called != (case.fate is Fate.CALLED):
                world.wrong.append(f"{case.name}: {case.url!r}, v{version}: {called} connections at registration")
        if case.fate is Fate.CALLED and case.later is Fate.CALLED and order.randrange(_KEPT_OF):
            api.unregister(case.url)
        elif case.fate is Fate.CALLED:
            kept.append(case)
        if number % _EVERY == 0:
            world.strangers(f"registrations up to {case.name}")
    return kept


def register_besides(world: World, api: Api) -> None:
    """Register what is no row: the port on which our bridge connects, a slow name, listeners that lead elsewhere."""
    for host in (OWN, f"[::ffff:{OWN}]"):
        case = Case("bridge", f"http://{host}:{BRIDGE_PORT}/", Fate.FORBIDDEN, Fate.FORBIDDEN, "this gateway itself")
        world.judge(case, api.register(case.url, 2), 2)
    slow = Case("slow name", f"http://slow.test:{PORT}/x", Fate.UNKNOWN, Fate.UNKNOWN, "not responding")
    world.dns.silent.add(slow.host)
    began = time.monotonic()
    world.judge(slow, api.register(slow.url, 2), 2)
    if time.monotonic() - began > ANSWERED_WITHIN:
        world.wrong.append(f"a slow name kept the device waiting for {time.monotonic() - began:.1f} s")
    for status in _LURING:
        url = f"http://{GOOD}:{LURING_PORT}/lure/{status}"
        world.judge(Case(f"lure {status}", url, Fate.CALLED, Fate.CALLED), api.register(url, 2), 2)
