"""What happens to the clocks of real daemons, and what must come of it all the same. Each scene has a daemon."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.clocks.daemon import SteppedDaemon
from tests.clocks.pings import Pinged
from tests.system.daemon import Client, eventually
from tests.system.listeners import Listener, status
from tests.system.traffic import Traffic, latencies, percentile
from ttgateway.feeds.websocket import PING_EVERY

HOUR, YEAR = 3600.0, 365 * 86_400.0
DELAYS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds between the tries of a listener that is down (design section 4), which vary by a fifth."""

QUIET = 8.0
"""Seconds without a step, for comparison."""

STALLED = 5.0
"""Seconds that a machine which others keep busy may hold up one delivery; the clock would do so for an hour."""

SLACK = 1.0
"""Seconds that a busy machine may add to any time."""


@dataclass
class Figures:
    """What a scene measured: ``late`` is by how many seconds deliveries came later than they may."""

    late: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def register(client: Client, listener: Listener) -> None:
    """Register a listener, or fail."""
    reply = client.register(listener.url)
    assert reply.status == 200, reply


def retries(daemon: SteppedDaemon, client: Client, chance: random.Random, figures: Figures) -> None:
    """Retries of a listener that is down come when they are due, whatever the clock does while they wait."""
    listener = Listener().open()
    try:
        register(client, listener)
        listener.replies.extend([status(503)] * len(DELAYS))
        client.post_order(1)
        for tries, delay in enumerate(DELAYS, start=1):
            eventually(lambda tries=tries: len(listener.told) >= tries, within=SLACK + 15)  # type: ignore[misc]
            time.sleep(delay * 0.3)
            daemon.step(chance.choice([HOUR, -HOUR, YEAR, -YEAR]))
        eventually(lambda: len(listener.told) > len(DELAYS), within=SLACK + 15)
        told = list(listener.told)
        for delay, before, after in zip(DELAYS, told, told[1:], strict=False):
            waited = after.at - before.answered_at
            assert 0.8 * delay - 0.05 <= waited <= 1.2 * delay + SLACK, f"waited {waited:.2f} s in place of {delay} s"
            figures.late.append(max(0.0, waited - 1.2 * delay))
        for one in told:
            stamp = int(one.headers["webhook-timestamp"])
            assert any(abs(stamp - wall) <= 2 for wall in daemon.walls(one.at)), f"webhook-timestamp {stamp}"
        assert len({one.body for one in told}) == 1
    finally:
        listener.close()


def in_service(daemon: SteppedDaemon, client: Client, chance: random.Random, figures: Figures) -> None:
    """Orders are told at once and in order, and grow older steadily, while the clock is stepped all the time."""
    listener, ages = Listener().open(), Ages(client)
    try:
        register(client, listener)
        for name in range(1, 4):
            client.post_order(name)
        with Traffic(daemon) as traffic:
            time.sleep(QUIET)
            calm = len(traffic.acknowledged)
            for number in range(24):
                daemon.step(chance.choice([HOUR, -HOUR, HOUR / 2, YEAR, -YEAR]))
                client.post_order(1 + number % 3, str(number + 1))
                time.sleep(0.5)
                ages.look()
            daemon.set_to(60.0)
            time.sleep(1.0)
            ages.look()
        assert not traffic.refused() and not traffic.errors
        eventually(lambda: daemon.account(listener.url)["pending"] == 0)
        seen = latencies(traffic, listener)
        before, after = seen[:calm], seen[calm:]
        worst, usual = max(after), max(before)
        assert worst < 2 * usual + STALLED, f"told after {worst:.2f} s, before the steps after {usual:.2f} s at most"
        half = percentile(before, 50), percentile(after, 50)
        assert half[1] < 3 * half[0] + 0.25, (
            f"half is told after {half[1]:.2f} s, before the steps after {half[0]:.2f} s"
        )
        figures.late += after
        seqs = listener.seqs()
        assert seqs == list(range(1, len(seqs) + 1)), "told out of order"
        check_told_ages(listener, SLACK + worst)
        p99 = [percentile(part, 99) * 1000 for part in (before, after)]
        figures.said.append(f"{len(seen)} changes told, p99 {p99[0]:.0f} ms before the steps, {p99[1]:.0f} ms then")
    finally:
        listener.close()


def check_told_ages(listener: Listener, leeway: float) -> None:
    """Fail unless the ages that a listener was told are right by ``leeway`` seconds, and never run back."""
    first: dict[str, float] = {}
    last: dict[str, int] = {}
    for one in listener.told:
        fields = one.fields
        uuid, age = fields["uuid"], fields["elapsedTime"]
        lived = one.at - first.setdefault(uuid, one.at)
        assert lived - leeway - 1 <= age <= lived + leeway, f"{age} s told of an order of {lived:.1f} s"
        assert age >= last.setdefault(uuid, 0)
        last[uuid] = age


class Ages:
    """The ages of orders as both versions show them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._last: dict[str, int] = {}

    def look(self) -> dict[str, int]:
        """Fail if an age has run back since the last look; return the ages by the orders' names."""
        shown: dict[str, int] = {}
        for version in ("v1", "v2"):
            for order in self.client.call("GET", f"/api/{version}/activeorders").fields["items"]:
                age = order["elapsedTime"]
                assert age >= self._last.get(order["uuid"], 0), f"elapsedTime ran back to {age}"
                self._last[order["uuid"]] = shown[order["name"]] = age
        return shown


def window(daemon: SteppedDaemon, client: Client, chance: random.Random, figures: Figures) -> None:
    """The window for a token is open until it closes, and closes on time; tokens open what they did."""
    unknown = Client(daemon.port)

    def ask() -> int:
        return unknown.call("GET", "/api/v2/accesstoken/generate").status

    for step in (HOUR, -HOUR, YEAR):
        daemon.control("POST", "/button", {})
        daemon.step(step)
        assert [ask(), ask()] == [201, 403], f"a step of {step:.0f} s in an open window"
    for steps in ((HOUR, -2 * HOUR), (-YEAR, HOUR)):
        pressed = time.monotonic()
        daemon.control("POST", "/button", {})
        for step in steps:
            time.sleep(0.3 * daemon.window)
            daemon.step(step)
        time.sleep(max(0.0, pressed + daemon.window + 0.3 - time.monotonic()))
        assert ask() == 403, f"the window is open after {daemon.window} s"
    daemon.control("POST", "/button", {})
    time.sleep(0.5 * daemon.window)
    daemon.step(-HOUR)
    time.sleep(0.4 * daemon.window)
    assert ask() == 201, f"the window is shut before {daemon.window} s"
    assert client.call("GET", "/api/v2/activeorders").status == 200
    unknown.close()


def websocket(daemon: SteppedDaemon, client: Client, chance: random.Random, figures: Figures) -> None:
    """A display on the WebSocket is pinged on time, and stays."""
    reader = Pinged(daemon)
    try:
        for number in range(12):
            reader.read_until(reader.opened + (number + 1) * (PING_EVERY + 3) / 12)
            daemon.step(chance.choice([HOUR, -HOUR, YEAR, -YEAR]))
            client.post_order(7, str(number + 1))
        reader.read_until(time.monotonic() + 1)
        assert not reader.closed
        assert reader.texts == 13, f"{reader.texts} messages"
        assert len(reader.pings) == 1, f"{len(reader.pings)} pings"
        first = reader.pings[0] - reader.opened
        assert PING_EVERY <= first <= PING_EVERY + 1 + SLACK, f"pinged after {first:.1f} s"
        figures.said.append(f"pinged after {first:.1f} s")
    finally:
        reader.close()


def boot(daemon: SteppedDaemon, client: Client, chance: random.Random, figures: Figures) -> None:
    """The machine wakes in 1970, learns the date, and is started again with its clock behind, and ahead."""
    listener = Listener().open()
    try:
        register(client, listener)
        began = time.monotonic()
        client.post_order(1)
        ages = Ages(client)
        now = time.time()  # noqa: TID251
        for wall, word in (
            (30.0, "unset"),
            (now, "ok"),
            (30.0, "unset"),
            (now - HOUR, "ok"),
            (now + YEAR, "ok"),
            (now, "behind"),
        ):
            client.close()
            daemon.stop()
            daemon.set_to(wall)
            daemon.start()
            time.sleep(0.5)
            posted = client.post_order(int(daemon.steps) + 1, "7").fields["activeorder"]
            shown = datetime.fromisoformat(posted["created"]).replace(tzinfo=UTC).timestamp()
            assert any(abs(shown - each) <= 2 for each in daemon.walls(time.monotonic(), 0.0)), posted["created"]
            age, lived = ages.look()["1"], time.monotonic() - began
            assert abs(age - lived) <= 1 + SLACK, f"{age} s shown of an order of {lived:.1f} s"
            shows = client.call("GET", "/api/v2/gateway/check").fields["check"]["clock"]
            assert shows == word, shows
            eventually(lambda: len(listener.told) == daemon.steps + 1, within=3.0)
        for name in range(1, daemon.steps + 2):
            assert client.clear_order(name).status == 200
        found = client.call("GET", "/api/v2/orders?limit=100").fields["items"]
        assert len(found) == daemon.steps + 1
        today = client.call("GET", "/api/v2/statistics").fields["statistics"]
        assert 0 <= today["averageSeconds"] <= time.monotonic() - began, today
        seqs = [told.seq for told in listener.told]
        assert seqs == sorted(set(seqs))
    finally:
        listener.close()


def set_days(daemon: SteppedDaemon, client: Client, chance: random.Random, figures: Figures) -> None:
    """On the days on which clocks are set, and when the zone is, orders age as ever and are found by what is shown."""
    ages, name = Ages(client), 0
    for zone, turn in (
        ("America/New_York", "2026-11-01T06:00:00"),
        ("America/New_York", "2027-03-14T07:00:00"),
        ("Europe/Berlin", "2027-03-28T01:00:00"),
        ("Australia/Lord_Howe", "2027-04-03T15:00:00"),
    ):
        reply = client.call("POST", "/api/v2/gateway/settings", {"timezone": zone})
        assert reply.status == 200, reply
        daemon.set_to(datetime.fromisoformat(turn).replace(tzinfo=UTC).timestamp() - 2)
        orders = []
        for _ in range(4):
            name += 1
            orders.append(client.post_order(name).fields["activeorder"])
            time.sleep(1.2)
            ages.look()
        for order in orders:
            query = f"created_after={order['created']}&limit=100"
            found = client.call("GET", f"/api/v2/orders?{query}").fields["items"]
            assert order["uuid"] in [each["uuid"] for each in found], f"{zone}: {order['created']} is not found"
    shown = ages.look()
    assert shown["1"] - shown[str(name)] in range(15, 35), shown


Scene = Callable[[SteppedDaemon, Client, random.Random, Figures], None]
SCENES: dict[str, Scene] = {scene.__name__: scene for scene in (websocket, window, in_service, set_days, retries, boot)}


def play(scene: Scene, daemon: SteppedDaemon, seed: int) -> tuple[Figures, str]:
    """Play a scene on a daemon that is not started; return its figures and what went wrong, ``""`` for nothing."""
    figures, client = Figures(), None
    try:
        daemon.start()
        client = daemon.client()
        scene(daemon, client, random.Random(seed), figures)  # noqa: S311
        daemon.stop()
        complaints: Any = daemon.complaints()
        return figures, f"logged: {complaints[:3]}" if complaints else ""
    except (AssertionError, OSError, KeyError, IndexError) as error:
        return figures, f"{type(error).__name__}: {error}"
    finally:
        if client is not None:
            client.close()
        daemon.end()
