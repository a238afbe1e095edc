from typing import Any

from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.notifier.shop import Shop, answered
from ttgateway.heartbeat import EVERY, Heartbeat, status_line


class Manager:
    """Stands in for `Notices`: keeps what it is sent."""

    def __init__(self, watchdog: float = 60.0, there: bool = True) -> None:
        self.watchdog = watchdog
        self._there = there
        self.sent: list[dict[str, Any]] = []

    def __bool__(self) -> bool:
        return self._there

    def send(self, **notice: object) -> None:
        self.sent.append(notice)

    def send_watchdog(self, seconds: float) -> None:
        self.sent.append({"WATCHDOG_USEC": seconds})

    def taken(self) -> list[dict[str, Any]]:
        sent, self.sent = self.sent, []
        return sent


class Beating:
    """A heartbeat, and what it is told."""

    def __init__(self, manager: Manager) -> None:
        self.timers = Clock()
        self.manager = manager
        self.standing: list[str] = []
        self.status = "fine"
        self.heart = Heartbeat(manager, self.timers, lambda: list(self.standing), lambda: self.status)  # type: ignore[arg-type]


PING = {"WATCHDOG": 1}


def test_it_says_that_it_serves_and_pings_four_times_within_the_watchdogs_time() -> None:
    beating = Beating(Manager(60.0))
    beating.heart.begin()
    assert beating.manager.taken() == [{"WATCHDOG_USEC": 60.0}, {"READY": 1}, {"STATUS": "fine"}, PING]
    beating.timers.pump([1.0] * 60)
    assert beating.manager.taken() == [PING] * 4
    beating.heart.ends()
    assert beating.manager.taken() == [{"STOPPING": 1, "STATUS": "stopping"}]


def test_the_status_is_told_when_it_is_another() -> None:
    beating = Beating(Manager())
    beating.heart.begin()
    beating.manager.taken()
    beating.status = "seq 8"
    beating.timers.advance(15)
    beating.timers.advance(15)
    assert beating.manager.taken() == [{"STATUS": "seq 8"}, PING, PING]
    beating.heart.ends()


def test_it_does_not_ping_while_anything_stands_still_and_says_so_once(logged: Logged) -> None:
    beating = Beating(Manager())
    beating.heart.begin()
    beating.manager.taken()
    beating.standing = ["commits"]
    for _ in range(10):
        beating.timers.advance(15)
    assert beating.manager.taken() == []
    (said,) = logged.flush()
    assert said["what"] == "commits"
    beating.standing = []
    beating.timers.advance(15)
    assert beating.manager.taken() == [PING]
    beating.heart.ends()


def test_without_a_watchdog_the_status_is_told_all_the_same() -> None:
    beating = Beating(Manager(0.0))
    beating.heart.begin()
    beating.status = "seq 9"
    beating.timers.advance(EVERY)
    assert {"STATUS": "seq 9"} in beating.manager.taken()
    beating.heart.ends()


def test_where_there_is_no_systemd_there_is_no_beat() -> None:
    beating = Beating(Manager(0.0, there=False))
    beating.heart.begin()
    assert beating.manager.taken() == []
    assert beating.timers.getDelayedCalls() == []


def test_one_that_begins_anew_does_not_end_and_puts_the_watchdog_off() -> None:
    beating = Beating(Manager())
    beating.heart.begin()
    beating.manager.taken()
    beating.heart.begins_anew()
    beating.heart.ends()
    assert beating.manager.taken() == [{"WATCHDOG_USEC": 0}, {"RELOADING": 1, "STATUS": "recovering the store"}]


def test_the_status_says_what_there_is_in_one_line_and_no_url() -> None:
    shop = Shop()
    shop.register(2)
    shop.post("1")
    answered(shop)
    line = status_line(shop.gateway, "http://10.0.0.1:8000/")
    assert line == "1 active orders; 1 listeners; seq 1; serves at http://10.0.0.1:8000/"
    shop.dial.down.add("10.0.0.2")
    shop.wait(3)  # the kept connection is closed
    shop.post("2")
    assert "; 1 listeners (1 failing); " in status_line(shop.gateway, "")
    shop.close()
    assert status_line(shop.gateway, "").startswith("notifier stopped; stopping; ")
