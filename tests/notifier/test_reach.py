import ipaddress
from typing import Any

import pytest
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from tests.notifier.network import FakeDial, fake_network, pass_time
from tests.support import Names, open_policy
from ttgateway.machine import IPAddress
from ttgateway.notifier.reach import Reach
from ttgateway.refusals import CallbackForbidden, CallbackInvalid, ListenerSilent


class Reached:
    """What came of reaching one URL."""

    def __init__(self, url: str, *, caller: str = "10.0.0.7", names: Names | None = None, **policy: Any) -> None:
        self.timers = Clock()
        self.dial = FakeDial()
        self.network = fake_network(self.timers, dial=self.dial, names=names, policy=open_policy(**policy))
        self.url, self.caller = url, caller
        self.results: list[object] = []

    def start(self) -> "Reached":
        pending: Deferred[None] = ensureDeferred(Reach(self.network).reach(self.url, self.caller))
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
    assert isinstance(this.error(), CallbackForbidden)
    own = Reached("http://10.0.0.7/x", source_only=True).start()
    own.dial.peer.answer()
    assert own.results == [None]
    own.network.sweep.stop()


def test_one_spelling_stands_for_all() -> None:
    reach = Reach(fake_network(Clock()))
    assert reach.canonical("HTTP://KDS.local:80/a/../b") == "http://kds.local/b"
    with pytest.raises(CallbackInvalid):
        reach.canonical("ftp://kds.local/")
