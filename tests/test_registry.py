from collections.abc import Awaitable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.support import FakeClock, NoCallbacks, OnDemand, memory_store, result_of
from ttgateway.refusals import (
    CallbackInvalid,
    CallbackMissing,
    ChangesGone,
    ListenerOptionInvalid,
    ListenerSilent,
    ListenerUnknown,
    NotNow,
    TooMany,
)
from ttgateway.registry import Registration, Registry
from ttgateway.store.commits import MEND_EVERY
from ttgateway.store.tables import listeners
from ttgateway.store.tables.listeners import CatchUp, Listener, Progress
from ttgateway.watcher import AttemptRecord, Status

URL = "http://10.0.0.1/"


class Callbacks(NoCallbacks):
    """Lower case is canonical; some are silent, and some are not URLs."""

    def __init__(self) -> None:
        self.reached: list[tuple[str, str]] = []
        self.slow: Deferred[None] | None = None

    def canonical(self, url: object) -> str:
        if not str(url).lower().startswith("http://"):
            raise CallbackInvalid("no URL")
        return str(url).lower()

    def check_secret(self, secret: object) -> str:
        if not str(secret).startswith("whsec_"):
            raise ListenerOptionInvalid("Invalid secret.")
        return str(secret)

    async def reach(self, url: str, caller: str) -> None:
        self.reached.append((url, caller))
        if self.slow is not None:
            await self.slow
        if "silent" in url:
            raise ListenerSilent(url, "refused")


class Watching:
    """What the side that calls listeners was told."""

    def __init__(self) -> None:
        self.running = True
        self.told: list[str] = []
        self.hosts: list[str] = []

    def registered(self, listener: Listener, progress: Progress) -> None:
        self.told.append(f"+{listener.url}")

    def removed(self, listener: Listener) -> None:
        self.told.append(f"-{listener.url}")

    def replay(self, listener: Listener) -> None:
        self.told.append(f"replay {listener.url}")

    def resync(self, listener: Listener) -> None:
        self.told.append(f"resync {listener.url}")

    def answered(self, listener: Listener) -> None:
        self.told.append(f"answered {listener.url}")

    def heard(self, host: str) -> None:
        self.hosts.append(host)

    def settle(self) -> None:
        pass

    def status(self, listener: Listener) -> Status:
        return Status("healthy", 3, 1.0, None)

    def attempts(self, listener: Listener) -> list[AttemptRecord]:
        return [AttemptRecord(1.0, 3, 1, "delivered", "200", 0.1, "")]


class Hall:
    """A registry on a slow disk."""

    def __init__(self, most: int = 100) -> None:
        self.timers = Clock()
        self.disk = OnDemand()
        self.clock = FakeClock(self.timers)
        self.store = memory_store(self.timers, clock=self.clock, executor=self.disk)
        self.callbacks = Callbacks()
        counter = iter(range(1, 1_000))
        self.registry = Registry(
            self.store, self.clock, self.callbacks, lambda size: next(counter).to_bytes(size, "big"), most
        )
        self.watching = Watching()
        self.registry.watch(self.watching)

    def ask(self, call: Awaitable[Any]) -> Deferred[Any]:
        return ensureDeferred(call)  # type: ignore[arg-type]

    def register(self, url: object = URL, **options: Any) -> Deferred[Any]:
        return self.ask(self.registry.register(Registration(url=url, api=2, caller="10.0.0.9", **options)))

    def settle(self) -> None:
        while self.disk.waiting:
            self.disk.step()

    def registered(self, url: object = URL, **options: Any) -> Listener:
        pending = self.register(url, **options)
        self.settle()
        kept: Listener = result_of(pending)
        return kept

    def fail(self) -> None:
        """Let what is written now be lost, together with all that waits."""
        self.store.write(lambda db: db.execute("no such statement")).addErrback(lambda _: None)

    def in_file(self) -> list[tuple[Listener, Progress]]:
        pending = self.store.write(listeners.load)
        self.settle()
        return result_of(pending)

    def agree(self) -> list[str]:
        """Return the URLs that both the memory and the file know."""
        self.settle()
        known = [(listener.id, listener.url) for listener, _ in self.registry.all()]
        assert sorted(known) == sorted((listener.id, listener.url) for listener, _ in self.in_file())
        return [url for _, url in known]


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_a_listener_is_reached_and_then_kept(hall: Hall) -> None:
    pending = hall.register("HTTP://10.0.0.1/")
    assert hall.callbacks.reached == [(URL, "10.0.0.9")]
    assert (hall.registry.all(), hall.watching.told) == ([], [])
    hall.settle()
    listener = result_of(pending)
    assert (listener.url, listener.api, listener.registered) == (URL, 2, hall.clock.now().wall)
    assert hall.watching.told == [f"+{URL}"]
    assert hall.agree() == [URL]


def test_the_same_url_again_is_the_same_listener_with_its_new_wishes(hall: Hall) -> None:
    first = hall.registered()
    progress = hall.registry.all()[0][1]
    progress.cursor = 9
    second = hall.registered("HTTP://10.0.0.1/", catch_up="latest", events=["ORDER_PAGED"], secret="whsec_x")
    assert (second.id, second.registered) == (first.id, first.registered)
    assert (second.catch_up, second.events, second.secret) == (CatchUp.LATEST, ("ORDER_PAGED",), "whsec_x")
    assert hall.registry.all() == [(second, progress)]
    assert hall.watching.told == [f"+{URL}"] * 2
    assert hall.in_file()[0][0] == second


def test_a_new_listener_hears_only_of_what_comes_after(hall: Hall) -> None:
    hall.store.journal.last = 41
    hall.registered()
    progress = hall.registry.all()[0][1]
    assert (progress.base, progress.cursor, progress.delivered) == (41, 41, 0)


def test_two_that_register_one_url_at_once_are_one(hall: Hall) -> None:
    pending = [hall.register(), hall.register()]
    hall.settle()
    first, second = map(result_of, pending)
    assert first.id == second.id
    assert hall.agree() == [URL]


def test_two_that_are_reached_at_once_are_one_though_neither_was_known(hall: Hall) -> None:
    hall.callbacks.slow = Deferred()
    pending = [hall.register(), hall.register()]
    hall.callbacks.slow.callback(None)
    hall.settle()
    first, second = map(result_of, pending)
    assert first.id == second.id
    assert hall.agree() == [URL]


@pytest.mark.parametrize("together", [1, 2, 3])
def test_a_commit_that_fails_leaves_no_listener(hall: Hall, logged: Logged, together: int) -> None:
    hall.fail()
    pending = [hall.register() for _ in range(together)]
    hall.settle()
    for one in pending:
        with pytest.raises(NotNow):
            result_of(one)
    assert hall.watching.told == []
    assert hall.agree() == []
    assert hall.registered().url == URL
    assert hall.agree() == [URL]
    logged.flush()


@pytest.mark.parametrize("together", [1, 2])
def test_a_commit_that_fails_leaves_a_known_listener_as_it_was(hall: Hall, logged: Logged, together: int) -> None:
    before = hall.registered()
    hall.fail()
    pending = [hall.register(catch_up="latest", snapshot=True) for _ in range(together)]
    hall.settle()
    for one in pending:
        with pytest.raises(NotNow):
            result_of(one)
    [(after, progress)] = hall.registry.all()
    assert (after, progress.snapshot_due) == (before, False)
    assert hall.agree() == [URL]
    logged.flush()
    hall.timers.advance(MEND_EVERY)


def test_a_listener_that_asks_for_a_snapshot_is_due_one(hall: Hall) -> None:
    hall.registered(snapshot=True)
    assert hall.registry.all()[0][1].snapshot_due
    assert hall.in_file()[0][1].snapshot_due


def test_a_snapshot_asked_for_survives_news_that_are_written_with_it(hall: Hall) -> None:
    hall.registered()
    progress = hall.registry.all()[0][1]
    hall.store.cursors.moved("000000000001", progress)
    hall.registered(snapshot=True)
    assert hall.in_file()[0][1].snapshot_due
    assert progress.snapshot_due
    hall.timers.advance(1)
    hall.settle()
    assert hall.in_file()[0][1].snapshot_due


def test_a_snapshot_that_was_told_meanwhile_is_not_told_twice(hall: Hall) -> None:
    hall.registered(snapshot=True)
    progress = hall.registry.all()[0][1]
    pending = hall.register()
    progress.snapshot_due = False
    hall.settle()
    result_of(pending)
    assert not progress.snapshot_due


@pytest.mark.parametrize(
    "options",
    [
        {"secret": "short"},
        {"events": []},
        {"events": "ORDER_CREATED"},
        {"events": ["ORDER_EATEN"]},
        {"events": [["ORDER_CREATED"]]},
        {"events": {"ORDER_CREATED": 1}},
        {"events": 5},
        {"catch_up": "sometimes"},
        {"catch_up": []},
        {"catch_up": True},
    ],
)
def test_a_malformed_option_is_refused_before_anybody_is_called(hall: Hall, options: dict[str, object]) -> None:
    with pytest.raises(ListenerOptionInvalid):
        result_of(hall.register(**options))
    assert hall.callbacks.reached == []
    assert hall.agree() == []


@pytest.mark.parametrize(("url", "error"), [(None, CallbackMissing), ("", CallbackMissing), (5, CallbackInvalid)])
def test_what_is_no_url_is_refused(hall: Hall, url: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        result_of(hall.register(url))
    with pytest.raises(error):
        result_of(hall.ask(hall.registry.unregister(url)))


def test_who_does_not_answer_is_told_so_in_its_own_spelling(hall: Hall) -> None:
    with pytest.raises(ListenerSilent, match="Client not responding at HTTP://Silent/") as silent:
        result_of(hall.register("HTTP://Silent/"))
    assert silent.value.cause == "refused"
    assert hall.agree() == []


def test_at_most_so_many_register_and_known_ones_may_again() -> None:
    hall = Hall(most=2)
    for number in (1, 2):
        hall.registered(f"http://10.0.0.{number}/")
    with pytest.raises(TooMany):
        result_of(hall.register("http://10.0.0.3/"))
    assert len(hall.callbacks.reached) == 2
    assert hall.registered("http://10.0.0.1/")


def test_the_last_place_is_not_given_out_twice() -> None:
    hall = Hall(most=1)
    hall.callbacks.slow = Deferred()
    pending = [hall.register(f"http://10.0.0.{number}/") for number in (1, 2)]
    hall.callbacks.slow.callback(None)
    hall.settle()
    with pytest.raises(TooMany):
        result_of(pending[1])
    assert hall.agree() == ["http://10.0.0.1/"]


def test_a_removed_listener_is_gone_from_everywhere_when_that_is_durable(hall: Hall) -> None:
    listener = hall.registered()
    removed = hall.ask(hall.registry.unregister("HTTP://10.0.0.1/"))
    assert hall.watching.told == [f"+{URL}"]
    hall.settle()
    assert result_of(removed) == listener
    assert hall.watching.told == [f"+{URL}", f"-{URL}"]
    assert hall.agree() == []
    with pytest.raises(ListenerUnknown):
        result_of(hall.ask(hall.registry.unregister(URL)))


def test_a_removal_that_fails_leaves_the_listener(hall: Hall, logged: Logged) -> None:
    hall.registered()
    hall.fail()
    removed = hall.ask(hall.registry.unregister(URL))
    hall.settle()
    with pytest.raises(NotNow):
        result_of(removed)
    assert hall.agree() == [URL]
    logged.flush()


def test_two_that_remove_one_listener_at_once_are_told_one_after_the_other(hall: Hall) -> None:
    listener = hall.registered()
    first = hall.ask(hall.registry.unregister(URL))
    second = hall.ask(hall.registry.unregister(URL))
    gone = hall.ask(hall.registry.remove(listener))  # as when it answered 410 meanwhile
    assert not second.called
    hall.settle()
    assert result_of(first) == listener
    with pytest.raises(ListenerUnknown):
        result_of(second)
    result_of(gone)
    assert hall.watching.told == [f"+{URL}", f"-{URL}"]


def test_who_registers_while_it_is_removed_is_a_listener_afterwards(hall: Hall) -> None:
    old = hall.registered()
    removed = hall.ask(hall.registry.unregister(URL))
    new = hall.register()
    hall.settle()
    result_of(removed)
    assert result_of(new).id != old.id
    assert hall.agree() == [URL]
    assert hall.watching.told == [f"+{URL}", f"-{URL}", f"+{URL}"]


def test_who_is_removed_while_it_registers_again_is_none_afterwards(hall: Hall) -> None:
    hall.registered()
    again = hall.register()
    removed = hall.ask(hall.registry.unregister(URL))
    hall.settle()
    result_of(again)
    result_of(removed)
    assert hall.agree() == []


def test_removing_and_registering_lost_together_leave_the_old_listener(hall: Hall, logged: Logged) -> None:
    old = hall.registered()
    hall.fail()
    pending = [hall.ask(hall.registry.unregister(URL)), hall.register()]
    hall.settle()
    for one in pending:
        with pytest.raises(NotNow):
            result_of(one)
    assert [listener for listener, _ in hall.registry.all()] == [old]
    assert hall.agree() == [URL]
    logged.flush()


def test_who_watches_is_told_of_those_that_are_there_and_of_each_sign_of_life(hall: Hall) -> None:
    hall.registered()
    late = Watching()
    hall.registry.watch(late)
    hall.registry.heard("10.0.0.9")
    assert (late.told, late.hosts) == ([f"+{URL}"], ["10.0.0.9"])
    assert hall.registry.status(hall.registry.all()[0][0]).pending == 3


def test_while_who_watches_does_not_run_nobody_is_told_anything(hall: Hall) -> None:
    listener = hall.registered()
    assert hall.registry.delivers
    hall.watching.running = False
    assert not hall.registry.delivers
    assert hall.registry.status(listener).state == "down"


def test_a_listener_is_found_by_its_id_with_its_progress_and_its_attempts(hall: Hall) -> None:
    listener = hall.registered()
    assert hall.registry.listener(listener.id) == hall.registry.all()[0]
    assert [attempt.seq for attempt in hall.registry.attempts(listener.id)] == [3]


def test_nobody_is_found_by_another_id(hall: Hall) -> None:
    hall.registered()
    registry = hall.registry
    for call in (registry.listener, registry.attempts):
        with pytest.raises(ListenerUnknown):
            call("000000000009")
    for asked in (registry.replay("000000000009", 0), registry.resync("000000000009"), registry.ping("000000000009")):
        with pytest.raises(ListenerUnknown):
            result_of(hall.ask(asked))
    assert not hall.disk.waiting


def test_who_is_not_kept_yet_is_not_found(hall: Hall) -> None:
    pending = hall.register()
    with pytest.raises(ListenerUnknown):
        hall.registry.listener("000000000001")
    hall.settle()
    assert hall.registry.listener(result_of(pending).id)


def at_seq(hall: Hall, cursor: int) -> tuple[Listener, Progress]:
    """Register a listener, and let it have come to ``cursor``."""
    listener = hall.registered()
    progress = hall.registry.all()[0][1]
    progress.cursor = progress.delivered = cursor
    return listener, progress


def test_a_replay_is_durable_before_it_begins_and_is_answered(hall: Hall) -> None:
    listener, progress = at_seq(hall, 9)
    pending = hall.ask(hall.registry.replay(listener.id, 4))
    assert not pending.called
    assert not progress.replaying
    assert hall.watching.told == [f"+{URL}"]
    hall.settle()
    result_of(pending)
    assert (progress.replay_after, progress.replay_upto) == (4, 9)
    assert hall.watching.told == [f"+{URL}", f"replay {URL}"]
    in_file = hall.in_file()[0][1]
    assert (in_file.replay_after, in_file.replay_upto) == (4, 9)


def test_what_moves_while_a_replay_is_written_is_not_undone(hall: Hall) -> None:
    listener, progress = at_seq(hall, 9)
    progress.replay_after, progress.replay_upto = 2, 5
    pending = hall.ask(hall.registry.replay(listener.id, 4))
    progress.replay_after, progress.cursor = 3, 11
    hall.settle()
    result_of(pending)
    assert (progress.replay_after, progress.replay_upto, progress.cursor) == (3, 11, 11)
    hall.timers.advance(0.1)
    in_file = hall.in_file()[0][1]
    assert (in_file.replay_after, in_file.replay_upto, in_file.cursor) == (3, 11, 11)


@pytest.mark.parametrize("since", [9, 10, 2**53])
def test_a_replay_of_nothing_is_granted_without_a_write(hall: Hall, since: int) -> None:
    listener, progress = at_seq(hall, 9)
    result_of(hall.ask(hall.registry.replay(listener.id, since)))
    assert not progress.replaying
    assert not hall.disk.waiting


@pytest.mark.parametrize("since", [-1, 2**53 + 1, True, 1.0, "1", None, [], float("nan")])
def test_what_is_no_seq_is_refused(hall: Hall, since: Any) -> None:
    listener, _ = at_seq(hall, 9)
    with pytest.raises(ListenerOptionInvalid):
        result_of(hall.ask(hall.registry.replay(listener.id, since)))


def test_a_replay_of_what_is_no_longer_kept_is_refused(hall: Hall) -> None:
    listener, _ = at_seq(hall, 9)
    hall.store.journal.trimmed_to(5)
    with pytest.raises(ChangesGone, match="up to 5"):
        result_of(hall.ask(hall.registry.replay(listener.id, 4)))
    pending = hall.ask(hall.registry.replay(listener.id, 5))
    hall.settle()
    result_of(pending)


def test_a_resync_is_durable_before_it_begins_and_is_answered(hall: Hall) -> None:
    listener, progress = at_seq(hall, 9)
    pending = hall.ask(hall.registry.resync(listener.id))
    assert not pending.called
    assert not progress.snapshot_due
    hall.settle()
    result_of(pending)
    assert progress.snapshot_due
    assert hall.watching.told == [f"+{URL}", f"resync {URL}"]
    assert hall.in_file()[0][1].snapshot_due


@pytest.mark.parametrize("what", ["replay", "resync"])
def test_one_that_cannot_be_written_is_none(hall: Hall, logged: Logged, what: str) -> None:
    listener, progress = at_seq(hall, 9)
    hall.fail()
    registry = hall.registry
    pending = hall.ask(registry.replay(listener.id, 0) if what == "replay" else registry.resync(listener.id))
    hall.settle()
    with pytest.raises(NotNow):
        result_of(pending)
    assert (progress.replaying, progress.snapshot_due) == (False, False)
    assert hall.watching.told == [f"+{URL}"]
    logged.flush()
    hall.timers.advance(MEND_EVERY)


@pytest.mark.parametrize("what", ["replay", "resync"])
def test_who_is_removed_meanwhile_is_unknown(hall: Hall, what: str) -> None:
    listener, _ = at_seq(hall, 9)
    registry = hall.registry
    removed = hall.ask(registry.remove(listener))
    pending = hall.ask(registry.replay(listener.id, 0) if what == "replay" else registry.resync(listener.id))
    hall.settle()
    result_of(removed)
    with pytest.raises(ListenerUnknown):
        result_of(pending)
    assert hall.agree() == []
    assert hall.watching.told == [f"+{URL}", f"-{URL}"]


def test_both_are_kept_where_nobody_is_told_anything(hall: Hall) -> None:
    listener, _ = at_seq(hall, 9)
    hall.store.listeners = hall.in_file()
    hall.store.listeners[0][1].cursor = 9
    again = Registry(hall.store, hall.clock, hall.callbacks, lambda size: b"\0" * size, 100)
    pending = [hall.ask(again.replay(listener.id, 3)), hall.ask(again.resync(listener.id))]
    hall.settle()
    for one in pending:
        result_of(one)
    assert (again.attempts(listener.id), again.all()[0][1].replaying) == ([], True)
    assert hall.in_file()[0][1].snapshot_due


def test_a_ping_reaches_the_listener_and_its_answer_is_a_sign_of_life(hall: Hall) -> None:
    listener = hall.registered()
    result_of(hall.ask(hall.registry.ping(listener.id, "10.0.0.7")))
    assert hall.callbacks.reached[-1] == (URL, "10.0.0.7")
    assert hall.watching.told == [f"+{URL}", f"answered {URL}"]


def test_a_ping_without_an_answer_fails_with_the_cause(hall: Hall) -> None:
    listener = hall.registered()
    hall.callbacks.slow = Deferred()
    pending = hall.ask(hall.registry.ping(listener.id))
    hall.callbacks.slow.errback(ListenerSilent(URL, "timeout"))
    with pytest.raises(ListenerSilent) as silent:
        result_of(pending)
    assert silent.value.cause == "timeout"
    assert hall.watching.told == [f"+{URL}"]


def test_a_restart_knows_who_registered(hall: Hall) -> None:
    listener = hall.registered(events=["ORDER_PAGED", "ORDER_CREATED"])
    hall.store.listeners = hall.in_file()
    again = Registry(hall.store, hall.clock, hall.callbacks, lambda size: b"\0" * size, 100)
    assert [known for known, _ in again.all()] == [listener]
    assert listener.events == ("ORDER_CREATED", "ORDER_PAGED")
    again.heard("10.0.0.9")
    assert (again.status(listener).state, again.delivers) == ("down", False)
