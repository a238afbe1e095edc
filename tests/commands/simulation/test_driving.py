from io import StringIO
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from twisted.internet.error import ConnectionRefusedError  # noqa: A004
from twisted.web.client import ResponseNeverReceived

from tests.commands.stand_ins import House
from tests.support import result_of
from ttgateway.commands.gateway.api import GatewayAPI, Refused
from ttgateway.commands.simulation.driving import Driver
from ttgateway.commands.simulation.restaurant import Restaurant
from ttgateway.commands.simulation.tempo import BEHIND, Tempo
from ttgateway.commands.terminal.progress import Progress
from ttgateway.orders.order import ClearedReason, OrderType
from ttgateway.refusals import DiskFull


class Drive:
    """A driver at the gateway of a `House`; ``every`` is the seconds between two steps of its story."""

    def __init__(self, house: House, *, every: float = 0.5, seed: int = 7) -> None:
        self.house = house
        self.said = StringIO()
        secret = result_of(house.gateway.secrets.create("test")).secret
        story = Restaurant(12, 30.0, Random(seed)).story(12 * 3600.0)  # noqa: S311
        self.steps = [
            msgspec.structs.replace(step, at=number * every) for number, step in enumerate(islice(story, 200))
        ]
        self.driver = Driver(
            GatewayAPI("http://gateway", secret, house.console.web(house.reactor), house.reactor),
            iter(self.steps),
            house.ending,
            house.reactor,
            Progress(self.said, house.reactor.seconds),
            Tempo(house.reactor, 1.0),
        )

    def drive(self, changes: int | None) -> None:
        self.house.run(lambda reactor, ending: self.driver.drive(changes))

    def clear(self) -> Any:
        return self.house.run(lambda reactor, ending: self.driver.clear())

    def notes(self) -> list[str]:
        return [line for line in self.said.getvalue().splitlines() if "changes" not in line]

    def active(self) -> list[str]:
        return [order.name for order in result_of(self.house.gateway.active_orders())]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_each_step_is_one_change_when_the_story_has_it(house: House) -> None:
    drive = Drive(house, every=0.25)
    began = house.reactor.seconds()
    drive.drive(30)
    assert drive.driver.made == house.store.journal.last == 30
    assert 7.2 < house.reactor.seconds() - began < 9.5
    assert drive.driver.failures == 0
    assert sorted(drive.active()) == sorted(drive.driver.open)


def test_at_the_end_its_own_orders_are_cleared_and_no_others(house: House) -> None:
    result_of(house.gateway.post("5", OrderType.TO_GO, ""))
    drive = Drive(house, every=0.05)
    drive.drive(20)
    ours = len(drive.driver.open)
    assert ours
    assert drive.clear() == (ours, 0)
    assert drive.active() == ["5"]


def test_a_number_that_somebody_has_is_left_alone(house: House) -> None:
    drive = Drive(house, every=0.05)
    first = drive.steps[0]
    order = result_of(house.gateway.post(first.name, OrderType.TO_GO, "")).order
    drive.drive(10)
    assert result_of(house.gateway.active_order(first.name)) == order


def test_an_order_that_somebody_else_clears_is_forgotten(house: House) -> None:
    drive = Drive(house, every=0.05)
    drive.drive(5)
    assert drive.driver.open
    result_of(house.gateway.clear_all(ClearedReason.MANAGER_OVERRIDE))
    drive.drive(20)
    assert drive.driver.failures == 0
    assert drive.driver.made == 20


def test_a_gateway_that_is_gone_is_told_once_and_tried_until_it_is_back(house: House) -> None:
    drive = Drive(house, every=0.05)
    house.web.down = ConnectionRefusedError()
    house.reactor.callLater(5.0, lambda: setattr(house.web, "down", None))
    drive.drive(5)
    assert drive.driver.made == 5
    assert 3 <= drive.driver.failures <= 7
    assert drive.notes() == [
        "The gateway does not answer (connection refused); trying until it does.",
        "The gateway answers again.",
    ]


def test_a_story_is_played_as_fast_as_wanted(house: House) -> None:
    drive = Drive(house, every=30.0)
    api, said, tempo = drive.driver._api, Progress(drive.said, float), Tempo(house.reactor, 60.0)
    fast = Driver(api, iter(drive.steps), house.ending, house.reactor, said, tempo)
    began = house.reactor.seconds()
    house.run(lambda reactor, ending: fast.drive(10))
    assert 4.5 <= house.reactor.seconds() - began < 6.5


@pytest.mark.parametrize(("nights", "seconds"), [(False, 60.0), (True, 12 * 3600.0)])
def test_a_night_is_played_only_where_it_is_wanted(house: House, nights: bool, seconds: float) -> None:
    drive = Drive(house)
    evening, morning = 23 * 3600.0, 35 * 3600.0
    ats = (evening, morning)
    story = [msgspec.structs.replace(step, at=at) for step, at in zip(drive.steps, ats, strict=False)]
    api, said = drive.driver._api, Progress(drive.said, float)
    tempo = Tempo(house.reactor, 3600.0, nights=nights)
    driver = Driver(api, iter(story), house.ending, house.reactor, said, tempo)
    began = house.reactor.seconds()
    house.run(lambda reactor, ending: driver.drive(2))
    assert seconds / 3600.0 <= house.reactor.seconds() - began < seconds / 3600.0 + 1.0


def test_after_an_outage_what_was_missed_is_not_made_up_for(house: House) -> None:
    drive = Drive(house, every=0.5)
    house.web.down = ConnectionRefusedError()
    house.reactor.callLater(10.0, lambda: setattr(house.web, "down", None))
    began = house.reactor.seconds()
    drive.drive(6)
    assert house.reactor.seconds() - began > 10.0 + 5 * 0.5 - BEHIND


def test_a_full_disk_is_told_and_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    drive = Drive(house, every=0.05)

    def full() -> None:
        if house.reactor.seconds() < 4.0:
            raise DiskFull("The disk is full.")

    monkeypatch.setattr(house.store.disk, "check_room", full)
    drive.drive(5)
    assert drive.notes() == [
        "The gateway refuses for now (507): The disk is full. Trying again.",
        "The gateway answers again.",
    ]


def test_a_secret_that_is_revoked_ends_it(house: House) -> None:
    drive = Drive(house, every=0.05)
    (token,) = house.gateway.secrets.all()
    result_of(house.gateway.secrets.revoke(token))
    with pytest.raises(Refused):
        drive.drive(5)


def test_the_end_is_not_kept_waiting_by_a_gateway_that_is_gone(house: House) -> None:
    drive = Drive(house, every=0.05)
    house.web.down = ConnectionRefusedError()
    house.reactor.callLater(2.0, house.ending.ask)
    drive.drive(None)
    assert drive.driver.made == 0
    assert house.reactor.seconds() < 3.0


def test_an_order_of_which_no_answer_came_is_cleared_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    drive = Drive(house, every=0.05)
    sent = house.web.request

    def request(method: str, url: str, **options: Any) -> Any:
        answer = sent(method, url, **options)
        if method != "POST":
            return answer
        house.ending.ask()

        def lose(response: Any) -> None:
            raise ResponseNeverReceived([])

        return answer.addCallback(lose)

    monkeypatch.setattr(house.web, "request", request)
    drive.drive(None)
    assert len(drive.active()) == 1
    assert drive.driver.open == []
    drive.clear()
    assert drive.active() == []


def test_orders_that_cannot_be_cleared_are_counted(house: House) -> None:
    drive = Drive(house, every=0.05)
    drive.drive(10)
    left = len(drive.driver.open)
    house.web.down = ConnectionRefusedError()
    assert drive.clear() == (0, left)
