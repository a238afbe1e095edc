import ipaddress
from typing import Any

import pytest
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from tests.notifier.network import FakeDial, fake_network, pass_time
from tests.support import Names, open_policy, result_of
from ttgateway.machine import IPAddress
from ttgateway.notifier.callbacks.reach import LIMIT, MOST_AT_ONCE, MOST_OF_A_CALLER, Reach
from ttgateway.refusals import (
    CallbackForbidden,
    CallbackInvalid,
    ListenerOptionInvalid,
    ListenerSilent,
    NotNow,
    TooMany,
)


class Reached:
    """What came of reaching one URL."""

    def __init__(self, url: str, *, caller: str = "10.0.0.7", names: Names | None = None, **policy: Any) -> None:
        self.timers = Clock()
        self.dial = FakeDial()
        self.network = fake_network(self.timers, dial=self.dial, names=names, policy=open_policy(**policy))
        self.url, self.caller = url, caller
        self.results: list[object] = []

    def start(self) -> "Reached":
        self.reach = Reach(self.network)
        pending: Deferred[None] = ensureDeferred(self.reach.reach(self.url, self.caller))
        pending.addBoth(self.results.append)
        return self

    def wait(self, seconds: float) -> None:
        pass_time(self.timers, seconds)

    def error(self) -> object:
        self.network.sweep.stop()
        assert isinstance(self.results[0], Failure)
        return self.results[0].value

    def cause(self) -> str:
        error = self.error()
        assert isinstance(error, ListenerSilent)
        return error.cause


@pytest.mark.parametrize("status", [200, 204, 301, 404, 405, 500, 501])
def test_any_answer_to_the_head_means_that_we_can_communicate(status: int) -> None:
    this = Reached("http://10.0.0.2/x").start()
    assert this.dial.peer.received().startswith(b"HEAD /x HTTP/1.1\r\n")
    this.dial.peer.answer(status)
    assert this.results == [None]
    assert not this.dial.peer.open
    this.network.sweep.stop()


def test_who_refuses_the_connection_is_told_so() -> None:
    this = Reached("http://10.0.0.2/x")
    this.dial.down.add("10.0.0.2")
    assert this.start().cause() == "refused"


@pytest.mark.parametrize("silent", [True, False], ids=["no connection", "no answer"])
def test_who_does_not_answer_is_told_within_four_seconds(silent: bool) -> None:
    this = Reached("http://10.0.0.2/x")
    if silent:
        this.dial.silent.add("10.0.0.2")
    this.start().wait(3.9)
    assert this.cause() == "timeout"
    assert this.timers.getDelayedCalls() == []


def test_a_slow_name_and_a_silent_host_together_are_told_within_four_seconds_too() -> None:
    names = Names(**{"kds.local": (ipaddress.ip_address("10.0.0.2"),)})
    this = Reached("http://kds.local/x", names=names)
    this.dial.silent.add("10.0.0.2")
    slow: list[Deferred[tuple[IPAddress, ...]]] = []

    def resolve(name: str) -> Deferred[tuple[IPAddress, ...]]:
        slow.append(Deferred())
        return slow[-1]

    names.resolve, quick = resolve, names.resolve  # type: ignore[method-assign]
    this.start().wait(1.9)
    names.resolve = quick  # type: ignore[method-assign]
    slow[0].callback(names.known["kds.local"])
    this.wait(2.0)
    assert this.cause() == "timeout"


def test_a_silent_address_leaves_time_for_the_next_one() -> None:
    names = Names(**{"kds.local": (ipaddress.ip_address("10.0.0.2"), ipaddress.ip_address("10.0.0.3"))})
    this = Reached("http://kds.local/x", names=names)
    this.dial.silent.add("10.0.0.2")
    this.start().wait(2.4)
    assert this.dial.dialled == ["10.0.0.2"]
    this.wait(0.4)
    assert this.dial.dialled == ["10.0.0.2", "10.0.0.3"]
    this.dial.peer.answer(200)
    assert this.results == [None]
    this.network.sweep.stop()


def test_who_does_not_speak_http_is_told_so() -> None:
    this = Reached("http://10.0.0.2/x").start()
    this.dial.peer.send(b"SSH-2.0-x\r\n")
    assert this.cause() == "protocol"


def test_a_name_that_nobody_knows_is_told_so() -> None:
    assert Reached("http://kds.local/x").start().cause() == "dns"


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("http://127.0.0.1/x", {}),
        ("http://169.254.169.254/x", {}),
        ("http://8.8.8.8/x", {}),
        ("http://10.0.0.2:22/x", {}),
        ("http://kds.local/x", {"kds.local": ("10.0.0.2", "127.0.0.1")}),
    ],
)
def test_what_the_policy_forbids_is_never_contacted(url: str, known: dict[str, tuple[str, ...]]) -> None:
    names = Names(**{name: tuple(map(ipaddress.ip_address, texts)) for name, texts in known.items()})
    this = Reached(url, names=names, allow=[], loopback=False).start()
    assert isinstance(this.error(), CallbackForbidden)
    assert this.dial.dialled == []


def test_a_device_may_be_held_to_its_own_address() -> None:
    this = Reached("http://10.0.0.2/x", source_only=True).start()
    error = this.error()
    assert isinstance(error, CallbackForbidden)
    assert "10.0.0.2 is not the address that this request came from (10.0.0.7)" in str(error)
    own = Reached("http://10.0.0.7/x", source_only=True).start()
    own.dial.peer.answer()
    assert own.results == [None]
    own.network.sweep.stop()


def test_a_name_is_not_a_devices_own_address_as_it_may_move_to_another_device() -> None:
    names = Names(**{"kds.local": (ipaddress.ip_address("10.0.0.7"),)})
    this = Reached("http://kds.local/x", names=names, source_only=True).start()
    assert isinstance(this.error(), CallbackForbidden)
    assert (this.dial.dialled, names.asked) == ([], [])


def test_the_head_goes_to_the_addresses_that_were_judged_and_the_name_is_not_looked_up_again() -> None:
    good, bad = (ipaddress.ip_address(text) for text in ("10.0.0.2", "127.0.0.1"))
    names = Names(**{"kds.local": (good,)})
    this = Reached("http://kds.local/x", names=names, loopback=False, allow=[])
    names.resolve, quick = lambda name: moves(quick(name)), names.resolve  # type: ignore[method-assign]

    def moves(found: Deferred[tuple[IPAddress, ...]]) -> Deferred[tuple[IPAddress, ...]]:
        names.known["kds.local"] = (bad,)
        return found

    this.start()
    assert this.dial.dialled == ["10.0.0.2"]
    this.dial.peer.answer(200)
    assert (this.results, names.asked) == ([None], ["kds.local"])
    this.network.sweep.stop()


def test_a_secret_is_one_with_which_deliveries_can_be_signed() -> None:
    reach = Reach(fake_network(Clock()))
    assert reach.check_secret("whsec_" + "A" * 32) == "whsec_" + "A" * 32
    with pytest.raises(ListenerOptionInvalid):
        reach.check_secret("garlic")


def test_one_spelling_stands_for_all() -> None:
    reach = Reach(fake_network(Clock()))
    assert reach.canonical("HTTP://KDS.local:80/a/../b") == "http://kds.local/b"
    with pytest.raises(CallbackInvalid):
        reach.canonical("ftp://kds.local/")


class Rush:
    """Many HEADs at once, to listeners that never answer."""

    def __init__(self) -> None:
        self.timers = Clock()
        self.network = fake_network(self.timers, dial=FakeDial(), policy=open_policy())
        self.reach = Reach(self.network)
        self.results: list[object] = []

    def ask(self, caller: str) -> object:
        """Ask on behalf of ``caller``; return what that came to, ``None`` where it waits."""
        before = len(self.results)
        ensureDeferred(self.reach.reach("http://10.0.0.9/", caller)).addBoth(self.results.append)
        return self.results[-1].value if len(self.results) > before else None  # type: ignore[attr-defined]

    def end(self) -> None:
        pass_time(self.timers, LIMIT + 0.5)
        self.network.sweep.stop()


def test_one_device_cannot_have_us_call_any_number_of_others_at_once() -> None:
    rush = Rush()
    assert [rush.ask("10.0.0.7") for _ in range(MOST_OF_A_CALLER)] == [None] * MOST_OF_A_CALLER
    assert isinstance(rush.ask("10.0.0.7"), TooMany)
    assert rush.ask("10.0.0.8") is None
    pass_time(rush.timers, LIMIT + 0.5)
    assert rush.ask("10.0.0.7") is None
    rush.end()


def test_so_many_are_called_at_once_and_no_more_whoever_wants_it() -> None:
    rush = Rush()
    for number in range(MOST_AT_ONCE):
        assert rush.ask(f"10.0.1.{number}") is None
    assert isinstance(rush.ask("10.0.0.8"), TooMany)
    assert isinstance(rush.ask(""), TooMany)
    rush.end()
    assert not rush.reach._under_way


def test_the_operator_counts_in_all_alone() -> None:
    rush = Rush()
    assert [rush.ask("") for _ in range(MOST_OF_A_CALLER + 1)] == [None] * (MOST_OF_A_CALLER + 1)
    rush.end()


class Slow(Names):
    """A resolver that knows nothing yet."""

    def resolve(self, name: str) -> Deferred[tuple[IPAddress, ...]]:
        return Deferred()


@pytest.mark.parametrize("url", ["http://10.0.0.2/x", "http://kds.local/x"])
def test_at_a_stop_who_waits_for_an_answer_or_a_look_up_is_told_so(url: str) -> None:
    this = Reached(url, names=Slow()).start()
    assert this.results == []
    this.reach.stop()
    assert isinstance(this.error(), NotNow)
    assert not this.dial.peers or not this.dial.peer.open


def test_after_a_stop_nobody_is_reached() -> None:
    this = Reached("http://10.0.0.2/x")
    this.start().reach.stop()
    again: Deferred[None] = ensureDeferred(this.reach.reach(this.url, this.caller))
    with pytest.raises(NotNow):
        result_of(again)
    assert not this.dial.peer.open
    this.network.sweep.stop()
