"""A listener that misbehaves costs the good one beside it nothing, ends in time, and is judged by its status line."""

import time
from collections.abc import Callable

import pytest

from tests.system.daemon import Client, Daemon, eventually
from tests.system.hostility import DELIVERED, QUICK, answer_at_accept
from tests.system.listeners import Listener, answer_all
from tests.system.traffic import Traffic, check_prompt

ATTACK = 0.8
"""Seconds of traffic, in which each delivery meets the hostility."""

LONGEST_ATTEMPT = 10.3
MOST_GROWTH = 8 * 1024 * 1024

Listen = Callable[..., Listener]


def under_attack(daemon: Daemon, client: Client, good: Listener, hostile: Listener) -> Traffic:
    """Let orders come while ``hostile`` is as it is; the good listener notices nothing. Returns the traffic."""
    assert client.register(good.url).status == 200
    before = daemon.resident()
    with Traffic(daemon, pace=0.012) as traffic:
        time.sleep(ATTACK)
    eventually(lambda: daemon.account(good.url)["pending"] == 0)
    check_prompt(traffic, good)
    assert traffic.refused() == []
    assert daemon.resident() - before < MOST_GROWTH
    return traffic


def check_recovers(daemon: Daemon, client: Client, listener: Listener, last: int) -> None:
    """Fail unless a listener that behaves again gets all that it has missed, in order."""
    listener.manners = answer_all
    assert client.register(listener.url).status == 200
    eventually(lambda: daemon.account(listener.url)["pending"] == 0)
    assert list(dict.fromkeys(listener.seqs())) == list(range(1, last + 1))
    bodies = {told.id: told.body for told in listener.told}
    assert len(bodies) == last
    assert all(told.body == bodies[told.id] for told in listener.told)
    assert daemon.balance(listener.url) == last


def check_attempts(listener: Listener) -> None:
    """Fail unless each attempt at the first change had its number, the same id and the same bytes."""
    numbers = [int(told.headers["ttgateway-attempt"]) for told in listener.told]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len({(told.id, told.body) for told in listener.told}) <= 1


@pytest.mark.parametrize("kind", QUICK)
def test_a_hostile_listener(daemon: Daemon, client: Client, listen: Listen, kind: str) -> None:
    good, hostile = listen(), listen()
    assert client.register(hostile.url).status == 200
    hostile.misbehave(QUICK[kind].manners)
    traffic = under_attack(daemon, client, good, hostile)
    last = len(traffic.acknowledged)
    account = daemon.account(hostile.url)
    if QUICK[kind].comes_to == DELIVERED:
        eventually(lambda: daemon.account(hostile.url)["pending"] == 0)
        assert hostile.seqs() == list(range(1, last + 1))  # in order and once
        assert daemon.account(hostile.url)["lastFailure"] is None
    else:
        assert (account["delivered"], account["pending"]) == (0, last)
        assert account["lastFailureCause"] == QUICK[kind].comes_to
        check_attempts(hostile)
    attacks = list(hostile.peers)
    eventually(lambda: all(peer.closed for peer in attacks), LONGEST_ATTEMPT)
    assert max(hostile.lifetimes()) < LONGEST_ATTEMPT
    check_recovers(daemon, client, hostile, last)


def test_a_listener_that_refuses_connections(daemon: Daemon, client: Client, listen: Listen) -> None:
    good, dead = listen(), listen()
    assert client.register(dead.url).status == 200
    dead.close()
    traffic = under_attack(daemon, client, good, dead)
    assert daemon.account(dead.url)["lastFailureCause"] == "refused"
    dead.open()
    check_recovers(daemon, client, dead, len(traffic.acknowledged))


def test_an_answer_before_the_request_is_no_delivery_of_what_was_not_sent(
    daemon: Daemon, client: Client, listen: Listen
) -> None:
    good, eager = listen(), listen()
    assert client.register(eager.url).status == 200
    eager.misbehave(answer_at_accept)
    traffic = under_attack(daemon, client, good, eager)
    assert daemon.account(eager.url)["delivered"] <= len(set(eager.seqs()))
    check_recovers(daemon, client, eager, len(traffic.acknowledged))


def test_a_listener_whose_address_is_taken_by_another_service_is_kept(
    daemon: Daemon, client: Client, listen: Listen
) -> None:
    good, other = listen(), listen()
    assert client.register(other.url).status == 200
    other.misbehave(QUICK["SSH banner"].manners)
    under_attack(daemon, client, good, other)
    assert daemon.account(other.url)["state"] in ("retrying", "down")
