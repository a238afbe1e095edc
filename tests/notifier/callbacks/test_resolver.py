import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, TypeVar

import pytest
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from ttgateway.notifier.callbacks.resolver import (
    DEADLINE,
    FRESH,
    KEPT,
    MOST_NAMES,
    Addresses,
    NameNotFound,
    Resolver,
    SystemResolver,
    thread_lookup,
)

HERE: Addresses = (ip_address("10.0.0.1"),)
THERE: Addresses = (ip_address("10.0.0.2"),)
NAME = "kitchen.local"

E = TypeVar("E", bound=Exception)


def result_of(deferred: Deferred[Addresses]) -> Addresses:
    """Return what ``deferred`` has fired with; fail where it has not, or with an error."""
    results: list[Addresses] = []
    deferred.addCallback(results.append)
    assert deferred.called
    assert results, "it failed"
    return results[0]


def error_of(deferred: Deferred[Any], kind: type[E]) -> E:
    """Return the error that ``deferred`` has failed with; fail where it is of another kind, or there is none."""
    failures: list[Failure] = []
    deferred.addErrback(failures.append)
    assert failures, "it has not failed"
    assert isinstance(failures[0].value, kind)
    return failures[0].value


class Dns:
    """Look-ups that a test answers by hand; those of the ``known`` are answered at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.running: list[Deferred[Addresses]] = []
        self.known: dict[str, Addresses] = {}

    def look_up(self, name: str) -> Deferred[Addresses]:
        self.asked.append(name)
        if name in self.known:
            return succeed(self.known[name])
        self.running.append(Deferred())
        return self.running[-1]

    def answer(self, addresses: Addresses) -> None:
        self.running.pop(0).callback(addresses)

    def refuse(self) -> None:
        self.running.pop(0).errback(NameNotFound("no such name"))


class World:
    """A resolver, with the clock and the DNS that it sees."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.dns = Dns()
        self.resolver = SystemResolver(self.dns.look_up, self.clock)

    def resolved(self, name: str = NAME) -> Addresses:
        """Return what is served at once."""
        return result_of(self.resolver.resolve(name))

    def learn(self, addresses: Addresses = HERE) -> None:
        """Let the resolver look up and find ``addresses``."""
        waiting = self.resolver.resolve(NAME)
        self.dns.answer(addresses)
        assert result_of(waiting) == addresses


@pytest.fixture
def world() -> World:
    return World()


def test_a_name_is_looked_up(world: World) -> None:
    waiting = world.resolver.resolve(NAME)
    assert not waiting.called
    world.dns.answer(HERE)
    assert result_of(waiting) == HERE
    assert world.dns.asked == [NAME]


def test_the_system_resolver_is_a_resolver(world: World) -> None:
    resolver: Resolver = world.resolver
    world.dns.known[NAME] = HERE
    assert result_of(resolver.resolve(NAME)) == HERE


def test_a_name_that_does_not_exist_is_not_found_with_the_reason(world: World) -> None:
    waiting = world.resolver.resolve(NAME)
    world.dns.refuse()
    assert str(error_of(waiting, NameNotFound)) == "no such name"


def test_a_failure_is_not_remembered(world: World) -> None:
    waiting = world.resolver.resolve(NAME)
    world.dns.refuse()
    error_of(waiting, NameNotFound)
    world.learn()


def test_nobody_waits_longer_than_the_deadline(world: World) -> None:
    waiting = world.resolver.resolve(NAME)
    world.clock.advance(DEADLINE - 0.1)
    assert not waiting.called
    world.clock.advance(0.1)
    assert "no answer within 2 s" in str(error_of(waiting, NameNotFound))


def test_an_answer_after_the_deadline_is_remembered(world: World) -> None:
    waiting = world.resolver.resolve(NAME)
    world.clock.advance(DEADLINE)
    error_of(waiting, NameNotFound)
    world.dns.answer(HERE)
    assert world.resolved() == HERE


def test_a_failure_after_the_deadline_disturbs_nobody(world: World) -> None:
    waiting = world.resolver.resolve(NAME)
    world.clock.advance(DEADLINE)
    error_of(waiting, NameNotFound)
    world.dns.refuse()
    world.learn()


def test_all_who_ask_for_a_name_share_one_look_up(world: World) -> None:
    first = world.resolver.resolve(NAME)
    world.clock.advance(1)
    second = world.resolver.resolve(NAME)
    other = world.resolver.resolve("pager.local")
    assert world.dns.asked == [NAME, "pager.local"]
    world.dns.answer(HERE)
    assert result_of(first) == result_of(second) == HERE
    assert not other.called
    world.dns.refuse()
    error_of(other, NameNotFound)


def test_a_look_up_past_its_deadline_is_joined_and_not_doubled(world: World) -> None:
    early = world.resolver.resolve(NAME)
    world.clock.advance(DEADLINE)
    error_of(early, NameNotFound)
    late = world.resolver.resolve(NAME)
    assert world.dns.asked == [NAME]
    world.dns.answer(HERE)
    assert result_of(late) == HERE


def test_one_who_cancels_disturbs_nobody_else(world: World) -> None:
    leaving = world.resolver.resolve(NAME)
    staying = world.resolver.resolve(NAME)
    leaving.cancel()
    error_of(leaving, CancelledError)
    world.dns.answer(HERE)
    assert result_of(staying) == HERE


def test_one_who_cancels_because_another_got_the_answer_disturbs_nobody(world: World) -> None:
    first = world.resolver.resolve(NAME)
    second = world.resolver.resolve(NAME)
    first.addCallback(lambda _: second.cancel())
    world.dns.answer(HERE)
    result_of(first)
    error_of(second, CancelledError)
    assert world.resolved() == HERE


@pytest.mark.parametrize("end", [lambda world: world.dns.answer(HERE), lambda world: world.dns.refuse()])
def test_no_timer_is_left_when_look_ups_have_ended(world: World, end: Callable[[World], None]) -> None:
    waiting = [world.resolver.resolve(NAME) for _ in range(3)]
    waiting[0].cancel()
    for one in waiting:
        one.addErrback(lambda _: None)
    end(world)
    assert all(one.called for one in waiting)
    assert world.clock.getDelayedCalls() == []


def test_a_look_up_in_the_background_needs_no_timer(world: World) -> None:
    world.learn()
    world.clock.advance(FRESH)
    world.resolved()
    assert world.dns.running
    assert world.clock.getDelayedCalls() == []


def test_a_fresh_answer_is_served_without_a_look_up(world: World) -> None:
    world.learn()
    world.clock.advance(FRESH - 1)
    assert world.resolved() == HERE
    assert world.dns.asked == [NAME]


def test_an_older_answer_is_served_at_once_while_it_is_looked_up(world: World) -> None:
    world.learn()
    world.clock.advance(FRESH)
    assert world.resolved() == HERE
    assert world.resolved() == HERE
    assert world.dns.asked == [NAME, NAME]
    world.dns.answer(THERE)
    assert world.resolved() == THERE
    assert world.dns.asked == [NAME, NAME]


def test_an_older_answer_is_served_though_its_look_up_fails(world: World) -> None:
    world.learn()
    world.clock.advance(KEPT - 1)
    assert world.resolved() == HERE
    world.dns.refuse()
    assert world.resolved() == HERE


def test_an_answer_older_than_an_hour_does_not_serve(world: World) -> None:
    world.learn()
    world.clock.advance(KEPT)
    waiting = world.resolver.resolve(NAME)
    assert not waiting.called
    world.dns.refuse()
    error_of(waiting, NameNotFound)


def test_the_age_of_an_answer_counts_from_when_it_came(world: World) -> None:
    world.clock.advance(KEPT)
    world.learn()
    world.clock.advance(FRESH - 1)
    assert world.resolved() == HERE
    world.clock.advance(KEPT - FRESH)
    assert world.resolved() == HERE
    world.dns.refuse()


def test_a_forgotten_name_is_looked_up_before_it_is_served(world: World) -> None:
    world.learn(HERE)
    world.resolver.forget(NAME)
    waiting = world.resolver.resolve(NAME)
    assert not waiting.called
    world.dns.answer(THERE)
    assert result_of(waiting) == THERE
    assert world.resolved() == THERE


def test_the_last_good_answer_serves_when_looking_up_a_forgotten_name_fails(world: World) -> None:
    world.learn()
    world.resolver.forget(NAME)
    waiting = world.resolver.resolve(NAME)
    world.dns.refuse()
    assert result_of(waiting) == HERE


def test_the_last_good_answer_serves_when_looking_up_a_forgotten_name_takes_too_long(world: World) -> None:
    world.learn()
    world.resolver.forget(NAME)
    waiting = world.resolver.resolve(NAME)
    world.clock.advance(DEADLINE)
    assert result_of(waiting) == HERE


def test_a_forgotten_answer_older_than_an_hour_does_not_serve(world: World) -> None:
    world.learn()
    world.resolver.forget(NAME)
    world.clock.advance(KEPT - 1)
    waiting = world.resolver.resolve(NAME)
    world.clock.advance(DEADLINE)
    error_of(waiting, NameNotFound)


def test_one_who_cancels_does_not_get_the_last_good_answer(world: World) -> None:
    world.learn()
    world.resolver.forget(NAME)
    waiting = world.resolver.resolve(NAME)
    waiting.cancel()
    error_of(waiting, CancelledError)


def test_an_unknown_name_can_be_forgotten(world: World) -> None:
    world.resolver.forget(NAME)
    world.learn()


def test_the_name_used_least_recently_makes_room(world: World) -> None:
    names = [f"n{number}" for number in range(MOST_NAMES + 1)]
    world.dns.known = dict.fromkeys(names, HERE)
    for name in names[:-1]:
        world.resolved(name)
    world.resolved(names[0])
    world.resolved(names[-1])
    world.dns.asked.clear()
    for name in (names[0], names[2], names[-1]):
        world.resolved(name)
    assert world.dns.asked == []
    world.resolved(names[1])
    assert world.dns.asked == [names[1]]


def test_names_looked_up_at_one_time_are_bounded(world: World) -> None:
    world.learn()
    world.resolver.forget(NAME)
    running = [world.resolver.resolve(f"n{number}") for number in range(MOST_NAMES)]
    assert str(error_of(world.resolver.resolve("more"), NameNotFound)) == "too many names are looked up at present"
    assert result_of(world.resolver.resolve(NAME)) == HERE  # the last good answer serves
    joined = world.resolver.resolve("n0")
    world.dns.answer(THERE)
    assert result_of(joined) == THERE
    running.append(world.resolver.resolve("more"))
    while world.dns.running:
        world.dns.answer(HERE)
    assert {result_of(one) for one in running[1:]} == {HERE}


@pytest.mark.parametrize("asynchronous", [True, False])
def test_a_look_up_that_goes_wrong_is_logged_and_finds_nothing(
    monkeypatch: pytest.MonkeyPatch, asynchronous: bool
) -> None:
    def broken(_name: str) -> Deferred[Addresses]:
        if asynchronous:
            return fail(RuntimeError("broken"))
        raise RuntimeError("broken")

    log = Log()
    monkeypatch.setattr(SystemResolver, "_log", Logger(observer=log))
    error_of(SystemResolver(broken, Clock()).resolve(NAME), NameNotFound)
    assert [event["log_failure"].type for event in log.events] == [RuntimeError]


@implementer(ILogObserver)
class Log:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        self.events.append(event)


@implementer(IReactorFromThreads)
class InlineReactor:
    """Runs at once what a thread asks for."""

    def callFromThread(self, callable: Callable[..., Any], *args: object, **kwargs: object) -> None:  # noqa: A002
        callable(*args, **kwargs)


class InlinePool(ThreadPool):
    """Runs work at once, in the caller's thread."""

    def callInThreadWithCallback(  # noqa: N802  # the names are Twisted's
        self,
        onResult: Callable[[bool, Any], object] | None,  # noqa: N803
        func: Callable[..., Any],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        assert onResult is not None
        try:
            result = func(*args, **kwargs)
        except Exception:
            onResult(False, Failure())
        else:
            onResult(True, result)


def row(address: str, zone: int = 0) -> tuple[Any, ...]:
    """Return what ``getaddrinfo`` says of one address."""
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 0, 0, zone))
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))


def looked_up(monkeypatch: pytest.MonkeyPatch, reply: list[tuple[Any, ...]] | Exception) -> Deferred[Addresses]:
    """Look a name up by a system resolver that gives ``reply``."""

    def getaddrinfo(host: str, port: None, *, type: int) -> list[tuple[Any, ...]]:  # noqa: A002
        assert (host, port, type) == (NAME, None, socket.SOCK_STREAM)
        if isinstance(reply, Exception):
            raise reply
        return reply

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return thread_lookup(InlineReactor(), InlinePool())(NAME)


def test_the_system_is_asked_and_ipv4_comes_first_and_each_address_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = [row("fd00::2"), row("10.0.0.9"), row("fd00::1"), row("10.0.0.1"), row("10.0.0.9"), row("fd00::2")]
    found = result_of(looked_up(monkeypatch, reply))
    assert [str(address) for address in found] == ["10.0.0.9", "10.0.0.1", "fd00::2", "fd00::1"]


def test_addresses_that_need_a_zone_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = [row("fe80::1%eth0"), row("fe80::2", zone=3), row("fd00::1")]
    assert result_of(looked_up(monkeypatch, reply)) == (ip_address("fd00::1"),)


def test_a_name_may_have_sixteen_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(f"10.0.0.{number}") for number in range(16)] * 2
    assert result_of(looked_up(monkeypatch, rows)) == tuple(ip_address(f"10.0.0.{number}") for number in range(16))


def test_a_name_with_more_addresses_is_not_called_as_not_all_of_them_would_be_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting = looked_up(monkeypatch, [row(f"10.0.0.{number}") for number in range(17)])
    assert str(error_of(waiting, NameNotFound)) == "it has more than 16 addresses"


@pytest.mark.parametrize(
    "reply",
    [
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        OSError("Too many open files"),
        UnicodeError("label empty or too long"),
        [],
        [row("fe80::1", zone=3)],
    ],
)
def test_a_system_that_knows_no_usable_address_finds_nothing(
    monkeypatch: pytest.MonkeyPatch, reply: list[tuple[Any, ...]] | Exception
) -> None:
    error_of(looked_up(monkeypatch, reply), NameNotFound)
