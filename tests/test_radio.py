from typing import Any

import msgspec
import pytest
from twisted.internet.task import Clock

from tests.support import NOON, FakeClock
from ttgateway.radio import MOST, Radio, Repeater, RepeaterReport, RepeaterStatus
from ttgateway.refusals import PagingImpossible, PagingUnavailable


class Bridge:
    """A bridge at the other end, and what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def page(self, name: str, tracking: bool) -> None:
        self.told.append(("page", name, tracking))

    def unpage(self, name: str) -> None:
        self.told.append(("unpage", name))

    def pair(self, seconds: int) -> None:
        self.told.append(("pair", seconds))

    def replaced(self) -> None:
        self.told.append(("replaced",))


class Air:
    """A radio on a clock that stands still until it is advanced."""

    def __init__(self, *, configured: bool = True) -> None:
        self.timers = Clock()
        self.clock = FakeClock(self.timers)
        self.radio = Radio(self.clock, configured=configured)

    def bridge(self) -> Bridge:
        """Return a bridge that has just connected, and was told how things stand."""
        bridge = Bridge()
        self.radio.attach(bridge)
        bridge.told.clear()
        return bridge


@pytest.fixture
def air() -> Air:
    return Air()


def test_without_a_bridge_configured_everybody_can_be_paged() -> None:
    radio = Air(configured=False).radio
    assert radio.connected is None
    radio.check_pageable("66")
    radio.paged("66")
    radio.unpaged("66")
    assert (radio.trackers(), radio.repeaters(), radio.pairing) == ([], [], 0)


def test_nobody_can_be_paged_while_the_bridge_is_away(air: Air) -> None:
    assert air.radio.connected is False
    with pytest.raises(PagingUnavailable):
        air.radio.check_pageable("66")
    bridge = air.bridge()
    assert air.radio.connected is True
    air.radio.check_pageable("66")
    air.radio.detach(bridge)
    assert air.radio.connected is False
    with pytest.raises(PagingUnavailable):
        air.radio.check_pageable("66")


def test_a_tracker_that_cannot_be_paged_is_refused_until_it_reports_otherwise(air: Air) -> None:
    air.bridge()
    air.radio.seen("66", False)
    air.radio.seen("66")
    with pytest.raises(PagingImpossible):
        air.radio.check_pageable("66")
    air.radio.check_pageable("67")
    air.radio.seen("66", True)
    air.radio.check_pageable("66")


def test_a_bridge_is_told_of_pages_at_once(air: Air) -> None:
    bridge = air.bridge()
    air.radio.paged("66", tracking=False)
    air.radio.paged("66")
    air.radio.unpaged("66")
    air.radio.unpaged("66")
    assert bridge.told == [("page", "66", False), ("page", "66", True), ("unpage", "66")]


def test_a_bridge_that_connects_is_told_how_things_stand(air: Air) -> None:
    first = air.bridge()
    for name in ("1", "2", "3"):
        air.radio.paged(name, tracking=name != "2")
    air.radio.begin_pairing(60)
    air.radio.detach(first)
    air.timers.advance(20.5)
    air.radio.unpaged("1")
    air.radio.unpaged("3")
    air.radio.paged("3")
    second = Bridge()
    air.radio.attach(second)
    assert second.told == [("unpage", "1"), ("page", "2", False), ("page", "3", True), ("pair", 40)]
    third = Bridge()
    air.radio.attach(third)
    assert third.told == [("page", "2", False), ("page", "3", True), ("pair", 40)]


def test_pages_that_end_while_no_bridge_is_there_are_kept_up_to_a_bound(air: Air) -> None:
    for number in range(MOST + 1):
        air.radio.paged(str(number))
        air.radio.unpaged(str(number))
    bridge = Bridge()
    air.radio.attach(bridge)
    assert bridge.told == [*[("unpage", str(number)) for number in range(1, MOST + 1)], ("pair", 0)]


def test_the_newest_bridge_wins(air: Air) -> None:
    first, second = air.bridge(), air.bridge()
    assert first.told == [("replaced",)]
    air.radio.detach(first)
    assert air.radio.connected is True
    air.radio.paged("66")
    assert (first.told, second.told) == ([("replaced",)], [("page", "66", True)])


def test_what_the_store_has_takes_the_place_of_what_was_known(air: Air) -> None:
    bridge = air.bridge()
    air.radio.paged("1", tracking=False)
    air.radio.paged("2")
    bridge.told.clear()
    air.radio.stands(iter(["1", "3"]))
    assert bridge.told == [("unpage", "2"), ("page", "3", True)]


def test_pairing_ends_by_itself_and_by_command(air: Air) -> None:
    bridge = air.bridge()
    air.radio.begin_pairing(60)
    assert air.radio.pairing == 60
    air.timers.advance(59.5)
    assert air.radio.pairing == 1
    air.timers.advance(0.5)
    assert air.radio.pairing == 0
    air.radio.begin_pairing(254)
    air.radio.end_pairing()
    assert air.radio.pairing == 0
    assert bridge.told == [("pair", 60), ("pair", 254), ("pair", 0)]


def test_trackers_are_kept_with_the_time_when_they_were_seen(air: Air) -> None:
    air.radio.seen("66")
    air.timers.advance(5)
    air.radio.seen("7", False)
    air.timers.advance(5)
    air.radio.seen("66")
    kept = [(tracker.name, tracker.last_seen, tracker.pageable) for tracker in air.radio.trackers()]
    assert kept == [("7", NOON + 5, False), ("66", NOON + 10, True)]
    air.radio.clear_trackers()
    assert air.radio.trackers() == []


def test_the_tracker_not_seen_for_longest_gives_its_place_up(air: Air) -> None:
    for number in range(MOST):
        air.radio.seen(str(number))
    air.radio.seen("0")
    air.radio.seen("new")
    names = [tracker.name for tracker in air.radio.trackers()]
    assert len(names) == MOST
    assert (names[0], names[-2:]) == ("2", ["0", "new"])


def report(address: str = "A", **told: Any) -> RepeaterReport:
    return msgspec.convert({"extendedAddress": address, **told}, RepeaterReport)


def test_a_repeater_keeps_what_a_later_report_leaves_out(air: Air) -> None:
    air.bridge()
    air.radio.reported(report(label="Bar", remainingChildren=4, status="INACTIVE"))
    air.timers.advance(5)
    air.radio.reported(report(remainingChildren=3))
    assert [msgspec.to_builtins(repeater) for repeater in air.radio.repeaters()] == [
        {"extendedAddress": "A", "label": "Bar", "remainingChildren": 3, "status": "ACTIVE", "lastSeen": NOON + 5}
    ]


@pytest.mark.parametrize(("told", "shown"), [(NOON - 9, NOON - 9), (NOON + 9, NOON), (0, 0)])
def test_a_repeater_was_last_seen_when_the_bridge_says_so_and_never_later_than_now(
    air: Air, told: float, shown: float
) -> None:
    air.radio.reported(report(lastSeen=told))
    assert air.radio.repeaters()[0].last_seen == shown


def test_no_repeater_is_active_without_a_bridge(air: Air) -> None:
    bridge = air.bridge()
    air.radio.reported(report("A"))
    air.radio.reported(report("B", status="INACTIVE"))

    def shown() -> dict[str, RepeaterStatus]:
        return {repeater.extended_address: repeater.status for repeater in air.radio.repeaters()}

    assert shown() == {"A": RepeaterStatus.ACTIVE, "B": RepeaterStatus.INACTIVE}
    air.radio.detach(bridge)
    assert shown() == dict.fromkeys("AB", RepeaterStatus.INACTIVE)
    air.bridge()
    assert shown() == {"A": RepeaterStatus.ACTIVE, "B": RepeaterStatus.INACTIVE}


def test_the_repeater_not_told_of_for_longest_gives_its_place_up(air: Air) -> None:
    for number in range(MOST + 1):
        air.radio.reported(report(str(number)))
    repeaters = air.radio.repeaters()
    assert [len(repeaters), repeaters[0].extended_address] == [MOST, "1"]
    air.radio.clear_repeaters()
    assert air.radio.repeaters() == []


def test_a_repeater_is_shown_with_the_names_of_the_protocol(air: Air) -> None:
    fields = {
        "extendedAddress": "00:11:22:33:44:55:66:77",
        "shortAddress": "8CA3",
        "label": "Bar",
        "manufacturerId": "1",
        "profileId": "2",
        "parentShortAddress": "0000",
        "firmwareVersion": "1.2",
        "hardwareVersion": "3",
        "remainingChildren": 4,
        "deviceType": "router",
        "deviceModel": "R1",
        "status": "ACTIVE",
        "lastSeen": NOON,
    }
    air.bridge()
    air.radio.reported(msgspec.convert(fields, RepeaterReport))
    [repeater] = air.radio.repeaters()
    assert isinstance(repeater, Repeater)
    assert msgspec.to_builtins(repeater) == fields
