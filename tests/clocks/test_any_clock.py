"""Whatever the clocks do: orders grow older and never younger, deliveries and windows keep time, nothing is trimmed."""

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.internet.defer import ensureDeferred

from tests.clocks.appliance import NOW, Appliance
from tests.notifier.network import Peer, pass_time
from tests.support import result_of
from ttgateway.refusals import WindowShut
from ttgateway.registry import Registration
from ttgateway.secrets import WINDOW

HOUR, DAY = 3600.0, 86_400.0
HOST = "10.0.0.2"
NAMES = st.sampled_from(["1", "2", "3"])
ZONES = st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"])
STEPS = st.sampled_from([HOUR, -HOUR, 1_800.0, -1_800.0, 3.0, DAY, -DAY, 365 * DAY, -365 * DAY])
SOON = 6.0
"""Seconds after a start within which every listener is tried."""
LONGEST_WAIT = 30.0
"""Seconds between two tries of a listener that is down."""
SAFE = 2.0
"""Seconds by which an age may be off over reboots."""
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


class AnyClock(RuleBasedStateMachine):
    """An appliance to whose clocks anything may happen. What the API and the listener tell is noted here."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="ttgateway-clocks-", dir=MEMORY)
        self.home = Appliance(Path(self.folder.name))
        self.home.secret = result_of(self.home.gateway.secrets.create("till")).secret
        # By name: when the order was started, and for how long the timers have stood still since.
        self.lived: dict[str, list[float]] = {}
        self.changed_at: dict[int, int] = {}  # by seq: the age at the change
        self.ages: dict[str, int] = {}
        self.told: list[int] = []
        self.cleared: list[str] = []
        self.shut_at = 0.0
        self.aheads = {NOW}  # by which the wall clock has been ahead of the timers so far

    @property
    def seconds(self) -> float:
        return self.home.timers.seconds()

    @initialize()
    def begin(self) -> None:
        registering = self.home.gateway.registry.register(Registration(url=f"http://{HOST}/", api=2, caller=HOST))
        registered = ensureDeferred(registering)
        self.home.dial.peer.answer(405)
        result_of(registered)
        self.post("1", "5")

    @rule(name=NAMES, location=st.sampled_from(["", "5", "6"]))
    def post(self, name: str, location: str) -> None:
        body = {"name": name, "orderType": "TO_GO", "locationName": location}
        order = self.home.ask("POST", "/api/v2/activeorders", body)["activeorder"]
        self.lived.setdefault(name, [self.seconds, 0.0])
        self.see(order)
        self.changed_at.setdefault(self.home.store.journal.last, order["elapsedTime"])

    @rule(name=NAMES)
    def clear(self, name: str) -> None:
        assume(name in self.lived)
        order = self.home.ask("DELETE", f"/api/v2/activeorders/{name}")["activeorder"]
        self.see(order)
        self.changed_at[self.home.store.journal.last] = order["elapsedTime"]
        del self.lived[name]
        self.cleared.append(order["uuid"])

    @rule(by=STEPS)
    def step(self, by: float) -> None:
        clock = self.home.clock
        clock.wall_ahead = max(clock.wall_ahead + by, -self.seconds)  # Linux has no time before 1970

    @rule(wall=st.sampled_from([5.0, NOW]))
    def set_clock(self, wall: float) -> None:
        self.home.clock.wall_ahead = wall - self.seconds * (wall == 5.0)

    @rule(zone=ZONES)
    def set_zone(self, zone: str) -> None:
        self.home.ask("POST", "/api/v2/gateway/settings", {"timezone": zone})

    @rule(seconds=st.sampled_from([0.1, 0.7, 3.0, 31.0]))
    def wait(self, seconds: float) -> None:
        pass_time(self.home.timers, seconds)

    @rule(status=st.sampled_from([200, 503]), count=st.integers(1, 4))
    def answer(self, status: int, count: int) -> None:
        for _ in range(count):
            if (peer := self.home.waiting()) is None:
                return
            self.take(peer, status)

    @rule(asleep=st.sampled_from([1.0, HOUR]))
    def suspend(self, asleep: float) -> None:
        """The machine sleeps: uptime and wall clock go on, the timers do not."""
        self.home.clock.up_ahead += asleep
        self.home.clock.wall_ahead += asleep
        for times in self.lived.values():
            times[1] += asleep

    @rule()
    def restart(self) -> None:
        self.home.stop()
        self.home.start()
        self.started_again()

    @rule(wall=st.sampled_from([5.0, None, NOW - HOUR, NOW + 365 * DAY]), off=st.sampled_from([2.0, 600.0, 3 * DAY]))
    def reboot(self, wall: float | None, off: float) -> None:
        """Switch the machine off, and on again; ``None``: its clock goes on meanwhile."""
        self.home.stop()
        before = self.home.clock.now().wall
        after = before + off if wall is None else wall
        self.home.boot(3.0, after)
        self.home.start()
        gained = after - before if 0 <= after - before <= DAY else 0.0
        for times in self.lived.values():
            times[1] += gained
        self.started_again()

    @rule()
    def press(self) -> None:
        self.home.gateway.secrets.press_button()
        self.shut_at = self.home.clock.now().uptime + WINDOW

    @rule()
    def ask_for_token(self) -> None:
        opened = self.home.clock.now().uptime < self.shut_at
        try:
            result_of(self.home.gateway.secrets.create_in_window(None))
        except WindowShut:
            assert not opened
        else:
            assert opened
            self.shut_at = 0.0

    @rule(by=STEPS, seconds=st.sampled_from([1.0, WINDOW - 1, WINDOW]))
    def step_in_an_open_window(self, by: float, seconds: float) -> None:
        self.press()
        self.step(by)
        self.home.timers.advance(seconds)
        self.ask_for_token()

    @rule(by=STEPS, location=st.sampled_from(["7", "8", "9"]))
    def step_in_a_backoff_and_restart(self, by: float, location: str) -> None:
        self.post("1", location)
        pass_time(self.home.timers, LONGEST_WAIT)
        self.answer(503, 1)
        self.step(by)
        self.restart()

    @rule()
    def keep_up(self) -> None:
        """A round of the upkeep forgets nothing: hardly any time has really passed."""
        result_of(self.home.store.upkeep.round())
        assert self.home.store.journal.trimmed == 0
        found = {item["uuid"] for item in self.home.ask("GET", "/api/v2/orders?limit=100")["items"]}
        assert found >= set(self.cleared[-50:])

    @precondition(lambda self: self.cleared)
    @rule()
    def look_at_today(self) -> None:
        today = self.home.ask("GET", "/api/v2/statistics")["statistics"]
        assert 0 <= today["averageSeconds"] <= self.seconds + 40 * DAY
        assert 0 <= today["ordersToday"] <= len(self.cleared)

    def started_again(self) -> None:
        """The window is shut by now, and a listener that is down is tried soon: no due time was kept."""
        self.shut_at = 0.0
        [(listener, _)] = self.home.gateway.registry.all()
        assert (self.home.gateway.registry.status(listener).next_attempt or 0.0) <= SOON

    def see(self, order: dict[str, Any]) -> None:
        """Take note of an order as the API shows it."""
        uuid, age = order["uuid"], order["elapsedTime"]
        assert age >= self.ages.get(uuid, 0), "an age ran back"
        self.ages[uuid] = age
        begun, off = self.lived[order["name"]]
        assert abs(age - (self.seconds - begun + off)) <= SAFE

    def take(self, peer: Peer, status: int) -> None:
        """Answer a delivery, and look at what it tells."""
        first, headers, body = peer.request()
        assert first.startswith("POST")
        change, stamp = json.loads(body), int(headers["webhook-timestamp"])
        assert any(-1 <= stamp - ahead <= self.seconds + 1 for ahead in self.aheads), "a time that no clock has shown"
        peer.answer(status)
        if status != 200:
            return
        self.told.append(change["seq"])
        assert change["elapsedTime"] == self.changed_at[change["seq"]]

    @invariant()
    def ages_only_grow(self) -> None:
        self.aheads.add(self.home.clock.wall_ahead)
        v1 = self.home.ask("GET", "/api/v1/activeorders")["items"]
        v2 = self.home.ask("GET", "/api/v2/activeorders")["items"]
        for order in (*v1, *v2):
            self.see(order)
        assert {order["name"] for order in v2} == set(self.lived)

    @invariant()
    def deliveries_are_in_order_and_on_time(self) -> None:
        assert self.told == list(range(1, len(self.told) + 1))
        behind = len(self.told) < self.home.store.journal.last
        if behind and self.home.waiting() is None:
            [(listener, _)] = self.home.gateway.registry.all()
            status = self.home.gateway.registry.status(listener)
            assert status.next_attempt is not None
            assert status.next_attempt <= LONGEST_WAIT

    def teardown(self) -> None:
        """Let the listener be well, and see that it is told everything soon."""
        for _ in range(700):
            while (peer := self.home.waiting()) is not None:
                self.take(peer, 200)
            if len(self.told) == self.home.store.journal.last:
                break
            pass_time(self.home.timers, 0.1)
        assert self.told == list(range(1, self.home.store.journal.last + 1))
        self.home.stop()
        pass_time(self.home.timers, 5)
        self.folder.cleanup()
        assert self.home.timers.getDelayedCalls() == []


def test_ages_deliveries_and_windows_are_right_whatever_the_clocks_do() -> None:
    run_state_machine_as_test(
        AnyClock,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            phases=(Phase.generate,),
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
