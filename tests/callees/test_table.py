"""The whole table against the product's own parser, policy, resolver and attempts, on fakes."""

import ipaddress
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred, ensureDeferred, execute
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from tests.callees.addresses import BROADCAST, CLIENT, OWN, PLACES, ROUTER
from tests.callees.table import API_PORT, OTHERS, Case, Fate, rows, rows_of_source
from tests.notifier.network import FakeDial
from ttgateway.machine import IPAddress
from ttgateway.notifier.attempts.attempt import DELIVERY, Destination, Network
from ttgateway.notifier.attempts.outcome import DNS, FORBIDDEN, Outcome, Verdict
from ttgateway.notifier.attempts.sweep import Sweep
from ttgateway.notifier.callbacks import resolver
from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.notifier.callbacks.policy import CallPolicy
from ttgateway.notifier.callbacks.reach import Reach
from ttgateway.refusals import CallbackForbidden, CallbackInvalid, ListenerSilent

TABLE = rows()
FATES = {CallbackInvalid: Fate.INVALID, CallbackForbidden: Fate.FORBIDDEN, ListenerSilent: Fate.UNKNOWN}


class Dns:
    """The system's resolver: it gives the answers of one row, one after the other; the last one stays."""

    def __init__(self, case: Case) -> None:
        self.answers = [list(answer) for answer in case.answers]
        self.host = case.host

    def getaddrinfo(self, host: str, port: None, *, type: int) -> list[tuple[Any, ...]]:  # noqa: A002
        assert host == self.host
        if not self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [(families[ipaddress.ip_address(text).version], type, 6, "", (text, 0, 0, 0)) for text in answer]


class World:
    """A gateway's callbacks as they are wired, on a clock, a DNS and a network of fakes."""

    def __init__(self, **policy: Any) -> None:
        self.timers = Clock()
        self.dial = FakeDial()
        usual: dict[str, Any] = {
            "allow": [],
            "source_only": False,
            "loopback": False,
            "own_ports": {API_PORT},
            "is_own": lambda address: str(address) in (OWN, "127.0.0.1"),
            "default_gateways": lambda: [ipaddress.ip_address(ROUTER)],
            "broadcasts": lambda: [ipaddress.ip_address(BROADCAST)],
        }
        self.policy = CallPolicy(**{**usual, **policy})
        self.begin()

    def begin(self) -> None:
        """Be a new process: nothing is remembered of names."""
        # thread_lookup without its thread
        names = resolver.SystemResolver(lambda name: execute(resolver.system_addresses, name), self.timers)
        self.network = Network(sweep=Sweep(self.timers), resolver=names, policy=self.policy, dial=self.dial)

    def register(self, url: str) -> tuple[Fate, str]:
        """Return what came of a registration, and what the device was told."""
        results: list[object] = []
        reach = Reach(self.network)
        try:
            pending: Deferred[None] = ensureDeferred(reach.reach(reach.canonical(url), CLIENT))
        except CallbackInvalid as refused:
            return Fate.INVALID, str(refused)
        pending.addBoth(results.append)
        if self.dial.peers and not results:
            self.dial.peer.answer(200, "Connection: close")
        self.network.sweep.stop()
        (result,) = results
        if isinstance(result, Failure):
            return FATES[type(result.value)], str(result.value)
        return Fate.CALLED, ""

    def deliver(self, url: str) -> Fate:
        """Return what came of a delivery to a listener that is kept under ``url``."""
        self.begin()
        outcomes: list[Outcome] = []
        destination = Destination(CallbackURL.parse(str(CallbackURL.parse(url))), self.network)
        destination.attempt(b"POST / HTTP/1.1\r\n\r\n", outcomes.append, DELIVERY)
        if not outcomes:
            self.dial.peer.answer(200, "Connection: close")
        self.network.sweep.stop()
        (outcome,) = outcomes
        if outcome.verdict is Verdict.DELIVERED:
            return Fate.CALLED
        return {FORBIDDEN: Fate.FORBIDDEN, DNS: Fate.UNKNOWN}[outcome.cause]

    def dialled(self) -> list[str]:
        """Return the addresses that were dialled since this was last asked."""
        dialled, self.dial.dialled, self.dial.peers = self.dial.dialled, [], []
        return dialled


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    assert made.timers.getDelayedCalls() == []


def judge(world: World, case: Case) -> list[str]:
    """Return what is wrong with what came of one row."""
    wrong = []
    fate, told = world.register(case.url)
    if fate is not case.fate or (fate is not Fate.CALLED and case.rule not in told):
        wrong.append(f"{case.name}: {case.url!r}: {fate.name} {told!r} in place of {case.fate.name} ({case.rule})")
    wrong += wrong_dials(world, case, case.fate)
    if case.fate is not Fate.INVALID and not wrong:
        fate = world.deliver(case.url)
        if fate is not case.later:
            wrong.append(f"{case.name}: {case.url!r}: later {fate.name} in place of {case.later.name}")
        wrong += wrong_dials(world, case, case.later)
    return wrong


def wrong_dials(world: World, case: Case, fate: Fate) -> list[str]:
    dialled = world.dialled()
    if fate is not Fate.CALLED:
        return [f"{case.name}: {case.url!r}: dialled {dialled}"] if dialled else []
    expected = {str(ipaddress.ip_address(text)) for text in (*case.dialled, *(case.answers[-1:] or ((),))[0])}
    good = len(dialled) == 1 and dialled[0] in expected
    return [] if good else [f"{case.name}: {case.url!r}: dialled {dialled} in place of one of {expected}"]


def test_the_table_is_large_and_has_every_fate() -> None:
    fates = Counter(case.fate for case in TABLE)
    assert len(TABLE) >= 2_000
    assert len({case.url for case in TABLE}) >= 2_000
    assert all(fates[fate] >= 8 for fate in Fate)
    assert sum(case.fate is not case.later for case in TABLE) >= 200


def test_each_row_comes_to_what_the_table_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = []
    for case in TABLE:
        monkeypatch.setattr(socket, "getaddrinfo", Dns(case).getaddrinfo)
        world.begin()
        wrong += judge(world, case)
    assert not wrong, "\n".join([f"{len(wrong)} rows are wrong:", *wrong[:20]])


def test_what_the_settings_no_longer_allow_is_not_dialled(world: World) -> None:
    everything = [(ipaddress.ip_network(text), None) for text in ("0.0.0.0/0", "::/0")]
    wide = World(allow=everything, loopback=True)
    for place in PLACES:
        host = f"[{place.text}]" if ":" in place.text else place.text
        fate, told = wide.register(f"http://{host}:8080/x")
        assert (fate is Fate.CALLED) == ("No setting allows it" not in told)
        assert bool(wide.dialled()) == (fate is Fate.CALLED)
        if not place.called:
            assert world.deliver(f"http://{host}:8080/x") is Fate.FORBIDDEN
            assert world.dialled() == []


@pytest.mark.parametrize("port", OTHERS)
def test_no_network_that_is_opened_opens_a_port_of_others(port: int) -> None:
    world = World(allow=[(ipaddress.ip_network("0.0.0.0/0"), None)], loopback=True)
    assert world.register(f"http://10.0.0.5:{port}/x")[0] is Fate.FORBIDDEN
    assert world.dialled() == []


def test_with_source_only_a_device_registers_its_own_address_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world, wrong = World(source_only=True), []
    for case in rows_of_source():
        monkeypatch.setattr(socket, "getaddrinfo", Dns(case).getaddrinfo)
        world.begin()
        wrong += judge(world, case)
    assert not wrong, "\n".join([f"{len(wrong)} rows are wrong:", *wrong[:20]])


def test_an_answer_that_comes_between_the_check_and_the_dial_is_judged_itself(world: World) -> None:
    good: tuple[IPAddress, ...] = (ipaddress.ip_address("10.0.0.5"),)
    bad: tuple[IPAddress, ...] = (ipaddress.ip_address("127.0.0.1"),)
    answers = [good, bad]
    names = resolver.SystemResolver(lambda name: execute(answers.pop, 0), world.timers)
    world.network = Network(sweep=Sweep(world.timers), resolver=names, policy=world.policy, dial=world.dial)
    world.dial.down.add("10.0.0.5")
    assert world.register("http://kds.test:8080/x")[0] is Fate.UNKNOWN
    assert world.dialled() == ["10.0.0.5"]
    assert world.register("http://kds.test:8080/x")[0] is Fate.FORBIDDEN  # the failed dial has put the name in doubt
    assert world.dialled() == []
