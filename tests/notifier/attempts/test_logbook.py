import pytest
from twisted.internet.defer import ensureDeferred

from tests.notifier.shop import Shop, answered
from tests.support import result_of
from ttgateway.notifier.attempts.logbook import MOST
from ttgateway.refusals import ListenerSilent
from ttgateway.watcher import AttemptRecord


def test_each_attempt_is_taken_down_newest_first(shop: Shop) -> None:
    listener = shop.register()
    begun = shop.clock.now().wall
    shop.post("1")
    shop.wait(0.5)
    shop.dial.peer.request()
    shop.dial.peer.answer(503)
    shop.wait(0.3)
    answered(shop)
    newest, oldest = shop.gateway.registry.attempts(listener.id)
    assert oldest == AttemptRecord(begun, 1, 1, "down", "503", oldest.seconds, "")
    assert oldest.seconds == pytest.approx(0.5)
    assert (newest.seq, newest.attempt, newest.kind, newest.cause) == (1, 2, "delivered", "200")
    assert newest.at == pytest.approx(begun + 0.7, abs=0.11)


def test_only_the_last_are_kept(shop: Shop) -> None:
    listener = shop.register()
    for number in range(MOST + 5):
        shop.post("1", str(number + 1))
        answered(shop)
    attempts = shop.gateway.registry.attempts(listener.id)
    assert [attempt.seq for attempt in attempts] == list(range(MOST + 5, 5, -1))


def test_they_bear_the_flags_that_the_listener_saw(shop: Shop) -> None:
    listener = shop.register(snapshot=True)
    answered(shop)
    shop.post("1")
    answered(shop)
    shop.replay(listener, 0)
    answered(shop)
    assert shop.flags(listener) == ["snapshot", "snapshot", "", "replay"]


def test_a_head_is_marked_as_such_and_no_attempt_at_a_delivery(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    for _ in range(5):
        while not shop.dial.peer.transport.value():  # type: ignore[no-untyped-call]
            shop.wait(0.1)
        shop.dial.peer.request()
        shop.dial.peer.answer(500)
    assert shop.dial.peer.received().startswith(b"HEAD")
    shop.dial.peer.answer(405)
    newest, *others = shop.gateway.registry.attempts(listener.id)
    assert (newest.seq, newest.attempt, newest.flags, newest.cause) == (1, 0, "head", "405")
    assert {(attempt.kind, attempt.cause) for attempt in others} == {("refused", "500")}
    assert dict(shop.notifier.figures.outcomes) == {("refused", "500"): 5}


def test_attempts_are_counted_by_what_came_of_them(shop: Shop) -> None:
    shop.register()
    shop.post("1")
    shop.dial.peer.request()
    shop.dial.peer.answer(503)
    shop.dial.down.add("10.0.0.2")
    shop.dial.peer.lose()
    shop.wait(0.3)
    shop.dial.down.clear()
    shop.wait(1)
    answered(shop)
    assert dict(shop.notifier.figures.outcomes) == {("down", "503"): 1, ("down", "refused"): 1, ("delivered", "200"): 1}


def test_who_was_told_nothing_has_no_attempts(shop: Shop) -> None:
    listener = shop.register()
    assert shop.gateway.registry.attempts(listener.id) == []
    result_of(shop.notifier.stop())
    assert shop.gateway.registry.attempts(listener.id) == []


def test_what_is_cancelled_leaves_nothing(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    shop.register(3)
    result_of(shop.gateway.registry.remove(listener))
    assert not shop.notifier.figures.outcomes


def test_an_answer_to_a_ping_ends_the_backoff_at_once(shop: Shop) -> None:
    listener = shop.register()
    shop.dial.peer.lose()
    shop.dial.down.add("10.0.0.2")
    shop.post("1")
    shop.wait(60)
    shop.gateway.registry.heard("10.0.0.2")  # in vain, and the next sign of life would have to wait
    shop.dial.down.clear()
    pinging = ensureDeferred(shop.gateway.registry.ping(listener.id))
    assert shop.dial.peer.received().startswith(b"HEAD")
    shop.dial.peer.answer(500)
    result_of(pinging)
    assert [body["seq"] for body, _ in answered(shop)] == [1]


def test_no_answer_to_a_ping_is_told_with_its_cause_and_changes_nothing(shop: Shop) -> None:
    listener = shop.register()
    shop.dial.down.add("10.0.0.2")
    with pytest.raises(ListenerSilent) as silent:
        result_of(shop.gateway.registry.ping(listener.id))
    assert silent.value.cause == "refused"
    assert shop.state(listener) == "healthy"
