from collections.abc import Callable

import pytest
from zeroconf import ServiceInfo

from ttgateway.discovery.announcement import SERVICE, Announcement
from ttgateway.discovery.multicast import MulticastFailed
from ttgateway.discovery.presence import Seen
from ttgateway.discovery.responder import REPEAT_EVERY, Responder

ANNOUNCEMENT = Announcement(name="store", port=8000, id="55555555-0000-4000-8000-000000000000", version="1")


class Network:
    """A network on which names may be taken, and things may fail."""

    def __init__(self) -> None:
        self.addresses = ["10.0.0.5"]
        self.taken: set[str] = set()
        self.others: list[str] = []
        self.fails = False
        self.said: list[str] = []
        self.interrupted = 0
        self.open_now = 0
        self.during_register: Callable[[], None] = lambda: None

    def open(self, addresses: list[str]) -> "Network":
        self._say(f"open {addresses}")
        self.open_now += 1
        return self

    def register(self, info: ServiceInfo) -> None:
        self.during_register()
        number = 2
        while info.name in self.taken:
            info.name = f"store-{number}.{SERVICE}"
            number += 1
        self._say(f"register {info.name.partition('.')[0]}")

    def rename(self, info: ServiceInfo) -> None:
        self.taken.add(info.name)
        self.others = []
        self.register(info)

    def repeat(self, info: ServiceInfo) -> None:
        self._say("repeat")

    def move(self, info: ServiceInfo, addresses: list[str]) -> None:
        self._say(f"move {addresses}")

    def rivals(self, info: ServiceInfo) -> list[str]:
        return self.others

    def interrupt(self) -> None:
        self.interrupted += 1

    def close(self) -> None:
        self.open_now -= 1
        self.said.append("close")

    def _say(self, what: str) -> None:
        if self.fails:
            raise MulticastFailed("no such device")
        self.said.append(what)

    def heard(self) -> list[str]:
        """Return what was said since the last time."""
        said, self.said = self.said, []
        return said


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def responder(network: Network) -> Responder:
    return Responder(ANNOUNCEMENT, lambda: network.addresses, network.open)


def test_it_announces_once_there_is_an_address(network: Network, responder: Responder) -> None:
    network.addresses = []
    assert responder.look() == Seen()
    assert network.heard() == []
    network.addresses = ["10.0.0.5", "10.0.1.5"]
    assert responder.look() == Seen("store", ("10.0.0.5", "10.0.1.5"))
    assert network.heard() == ["open ['10.0.0.5', '10.0.1.5']", "register store"]


def test_where_the_name_is_taken_it_has_the_one_that_is_left(network: Network, responder: Responder) -> None:
    network.taken = {f"store.{SERVICE}"}
    assert responder.look().name == "store-2"


def test_it_moves_with_its_addresses_and_keeps_its_name(network: Network, responder: Responder) -> None:
    network.taken = {f"store.{SERVICE}"}
    responder.look()
    network.heard()
    network.addresses = ["10.0.7.5"]
    assert responder.look() == Seen("store-2", ("10.0.7.5",))
    assert network.heard() == ["move ['10.0.7.5']"]


def test_it_is_silent_while_it_has_no_address(network: Network, responder: Responder) -> None:
    responder.look()
    network.addresses = []
    assert responder.look() == Seen()
    assert network.open_now == 0
    network.addresses = ["10.0.0.5"]
    assert responder.look() == Seen("store", ("10.0.0.5",))


def test_it_says_the_same_again_soon_and_then_each_minute(network: Network, responder: Responder) -> None:
    responder.look()
    network.heard()
    repeats = []
    for _ in range(2 * REPEAT_EVERY + 1):
        responder.look()
        repeats.append(bool(network.heard()))
    assert [look for look, repeated in enumerate(repeats) if repeated] == [0, REPEAT_EVERY, 2 * REPEAT_EVERY]


def test_of_two_with_one_name_the_lesser_host_keeps_it(network: Network, responder: Responder) -> None:
    responder.look()
    network.others = ["ttgateway-666666666666.local."]
    assert responder.look().name == "store"
    network.others = ["ttgateway-444444444444.local."]
    assert responder.look().name == "store-2"
    network.heard()
    responder.look()
    assert network.heard() == ["repeat"]


def test_after_a_failure_it_begins_anew(network: Network, responder: Responder) -> None:
    responder.look()
    network.fails, network.addresses = True, ["10.0.7.5"]
    with pytest.raises(MulticastFailed):
        responder.look()
    assert network.open_now == 0
    network.fails = False
    network.heard()
    assert responder.look() == Seen("store", ("10.0.7.5",))
    assert network.heard() == ["open ['10.0.7.5']", "register store"]


def test_it_says_goodbye_and_nothing_more(network: Network, responder: Responder) -> None:
    responder.look()
    responder.withdraw()
    assert network.open_now == 0
    network.heard()
    assert responder.look() == Seen()
    assert network.heard() == []


def test_a_look_that_is_under_way_can_be_interrupted(network: Network, responder: Responder) -> None:
    network.during_register = responder.interrupt
    responder.look()
    assert network.interrupted == 1
    responder.look()
    assert network.open_now == 0
