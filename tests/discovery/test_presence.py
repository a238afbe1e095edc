from collections.abc import Iterator

import pytest
from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.discovery.test_responder import ANNOUNCEMENT
from tests.support import OnDemand, result_of
from tests.told import Told
from ttgateway.discovery.multicast import MulticastFailed
from ttgateway.discovery.presence import LOOK_EVERY, WITHDRAW_WITHIN, Presence, Seen

THERE = Seen("store", ("10.0.0.5",))


class Announcing:
    """A responder that sees what it is told to."""

    announcement = ANNOUNCEMENT

    def __init__(self) -> None:
        self.sees: Seen | Exception = THERE
        self.interrupted = False

    def look(self) -> Seen:
        if isinstance(self.sees, Exception):
            raise self.sees
        return self.sees

    def withdraw(self) -> None:
        self.look()

    def interrupt(self) -> None:
        self.interrupted = True


class Thread(OnDemand):
    """An executor that notes its end."""

    closed = False

    def close(self) -> None:
        self.closed = True


class Store:
    """A presence, and what it is made of."""

    def __init__(self) -> None:
        self.timers = Clock()
        self.thread = Thread()
        self.responder = Announcing()
        self.presence = Presence(self.responder, self.thread, self.timers)
        self.presence.start()

    def look(self, sees: Seen | Exception) -> None:
        """Let the look that is due see something, and the time go on to the next one."""
        self.responder.sees = sees
        self.thread.step()
        self.timers.advance(LOOK_EVERY)

    def stop(self) -> None:
        stopped = self.presence.stop()
        while self.thread.waiting:
            self.thread.step()
        result_of(stopped)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What is told to people."""
    with Told() as told:
        yield told


def test_it_looks_again_and_again_but_never_twice_at_once(store: Store) -> None:
    store.timers.advance(10 * LOOK_EVERY)
    assert len(store.thread.waiting) == 1
    store.look(THERE)
    assert len(store.thread.waiting) == 1
    store.stop()


def test_the_name_is_known_while_it_is_announced(store: Store) -> None:
    assert store.presence.announced_name == ""
    store.look(THERE)
    assert store.presence.announced_name == "store"
    store.look(MulticastFailed("no such device"))
    assert store.presence.announced_name == ""
    store.stop()


def test_what_changes_is_told_once(store: Store, lines: list[str]) -> None:
    for sees in (THERE, THERE, Seen(), Seen(), Seen("store-2", ("10.0.0.5", "10.0.1.5"))):
        store.look(sees)
    store.stop()
    assert lines == [
        "Announced on the network as store at 10.0.0.5, port 8000",
        "Not announced on the network: this machine has no address that leads to the gateway",
        "Announced on the network as store-2 at 10.0.0.5, 10.0.1.5, port 8000: the name store is taken",
    ]


def test_trouble_is_told_once_and_its_end_too(store: Store, lines: list[str]) -> None:
    for sees in (OSError("no"), OSError("no"), MulticastFailed("other"), THERE):
        store.look(sees)
    store.stop()
    assert lines == [
        "Not announced on the network, trying again: no",
        "Not announced on the network, trying again: other",
        "Announced on the network as store at 10.0.0.5, port 8000",
    ]


def test_a_fault_of_ours_is_logged_and_tried_again_too(store: Store, logged: Logged) -> None:
    store.look(ZeroDivisionError())
    assert len(logged.flush()) == 1
    store.look(THERE)
    assert store.presence.announced_name == "store"
    store.stop()


def test_in_the_end_it_says_goodbye_and_ends_its_thread(store: Store) -> None:
    store.look(THERE)
    store.stop()
    assert store.responder.interrupted
    assert store.thread.closed


def test_a_goodbye_that_hangs_is_not_waited_for(store: Store, lines: list[str]) -> None:
    store.thread.step()
    stopped = store.presence.stop()
    store.timers.advance(WITHDRAW_WITHIN)
    result_of(stopped)
    assert not store.thread.closed
    assert lines[-1].startswith("No goodbye on the network")


def test_a_goodbye_that_fails_is_told(store: Store, lines: list[str]) -> None:
    store.thread.step()
    store.responder.sees = MulticastFailed("no such device")
    store.stop()
    assert lines[-1] == "No goodbye on the network: no such device"


def test_why_it_is_not_announced_can_be_asked() -> None:
    store = Store()
    assert (store.presence.announced_name, store.presence.trouble) == ("", "")
    store.look(MulticastFailed("no interface can multicast"))
    assert store.presence.trouble == "no interface can multicast"
    store.look(Seen())
    assert store.presence.trouble == "this machine has no address that leads to the gateway"
    store.look(THERE)
    assert (store.presence.announced_name, store.presence.trouble) == ("store", "")
