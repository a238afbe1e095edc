"""Half a minute beside listeners that only deadlines and patience can deal with: hanging, dripping, refusing.

They all misbehave at the same time, at one gateway, while a good listener beside them is told of the traffic. Their
host is another one than that from which orders come: a request from it would be a sign of life.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import pytest

from tests.system.daemon import Daemon, eventually
from tests.system.hostility import DELIVERED, SLOW, reply
from tests.system.listeners import Listener, Manners, Peer, answer_all, status
from tests.system.traffic import Traffic, check_prompt

SIEGE = 33.0
LONGEST_ATTEMPT = 10.3
ELSEWHERE = "127.0.0.5"
FOR_EVER = 1000


def fail_even_at_a_head(listener: Listener, peer: Peer) -> None:
    """Answer 500, to a HEAD too."""
    reply(lambda peer: peer.send(status(500)))(listener, peer)


def once(*replies: bytes) -> Manners:
    """Return manners that give these replies to the first requests, and then 200."""

    def manners(listener: Listener, peer: Peer) -> None:
        if not listener.told:
            listener.replies.extend(replies)
        answer_all(listener, peer)

    return manners


@dataclass
class Siege:
    """All that happened."""

    daemon: Daemon
    traffic: Traffic
    good: Listener
    target: Listener
    stubborn: dict[str, Listener]
    accounts: dict[str, dict[str, Any]]
    growth: int

    def gaps(self, name: str) -> list[float]:
        """Return the seconds between two attempts at the same change."""
        told = self.stubborn[name].told
        return [after.at - before.at for before, after in itertools.pairwise(told) if before.seq == after.seq]


def stubborn_manners(target: Listener) -> dict[str, Manners]:
    """Return who refuses, in which way."""
    move = status(302, f"Location: {target.url}")
    late = formatdate(time.time() + 6.0, usegmt=True)  # noqa: TID251  # a listener's clock
    return {
        "moved": once(*[move] * 5),
        "moved for good": once(*[status(308, f"Location: {target.url}")] * FOR_EVER),
        "404": once(*[status(404)] * 5),
        "500 at this change": once(*[status(500)] * 5),
        "500 at everything": fail_even_at_a_head,
        "503": once(*[status(503)] * 3),
        "408": once(*[status(408)] * 2),
        "425": once(*[status(425)] * 2),
        "410": once(status(410)),
        "429 for 4 s": once(status(429, "Retry-After: 4")),
        "503 for 4 s": once(status(503, "Retry-After: 4")),
        "503 until a date": once(status(503, f"Retry-After: {late}")),
        "503 for ever": once(*[status(503, "Retry-After: 99999999")] * FOR_EVER),
        "503 for nonsense": once(*[status(503, "Retry-After: -1e9 parsecs")] * 2),
        **{name: kind.manners for name, kind in SLOW.items()},
    }


def besieged(daemon: Daemon, good: Listener, target: Listener, stubborn: dict[str, Listener]) -> Siege:
    """Let the siege happen."""
    client = daemon.client()
    for listener in (good, *stubborn.values()):
        assert client.register(listener.url).status == 200
    client.close()
    for name, manners in stubborn_manners(target).items():
        stubborn[name].misbehave(manners)
    before = daemon.resident()
    with Traffic(daemon, pace=0.05) as traffic:
        time.sleep(SIEGE)
    growth = daemon.resident() - before
    accounts = {shown["url"]: shown for shown in daemon.control("GET", "/listeners")}
    eventually(lambda: daemon.account(good.url)["pending"] == 0)
    return Siege(daemon, traffic, good, target, stubborn, accounts, growth)


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    """A siege that is over, at a daemon that still runs."""
    daemon = Daemon(tmp_path_factory.mktemp("siege"))
    good, target = Listener().open(), Listener().open()
    small = {"never reads"}
    stubborn = {name: Listener(ELSEWHERE, small_buffer=name in small).open() for name in stubborn_manners(target)}
    try:
        yield besieged(daemon.start(), good, target, stubborn)
        daemon.stop()
        assert not daemon.complaints()
    finally:
        daemon.end()
        for listener in (good, target, *stubborn.values()):
            listener.close()


def test_the_good_listener_notices_nothing(siege: Siege, record_property: Callable[[str, object], None]) -> None:
    worst = check_prompt(siege.traffic, siege.good)
    record_property("good listener", f"p99 {worst * 1000:.0f} ms of {len(siege.traffic.acknowledged)}")
    assert siege.traffic.refused() == []
    assert siege.good.seqs() == list(range(1, len(siege.good.told) + 1))


def test_memory_does_not_grow(siege: Siege) -> None:
    assert siege.growth < 8 * 1024 * 1024


@pytest.mark.parametrize("name", SLOW)
def test_every_attempt_ends_within_ten_seconds(siege: Siege, name: str) -> None:
    listener = siege.stubborn[name]
    began = [peer for peer in listener.peers if peer.opened < siege.traffic.acknowledged[0].sent + SIEGE - 11]
    assert began
    lives = [peer.closed - peer.opened if peer.closed else float("inf") for peer in began]
    assert max(lives) < LONGEST_ATTEMPT


@pytest.mark.parametrize("name", SLOW)
def test_what_is_slow_is_judged_by_its_status_line(siege: Siege, name: str) -> None:
    listener, account = siege.stubborn[name], siege.accounts[siege.stubborn[name].url]
    if SLOW[name].comes_to == DELIVERED:
        assert account["lastFailure"] is None
        assert account["delivered"] >= 2
        assert listener.seqs() == list(range(1, len(listener.told) + 1))
    else:
        assert account["delivered"] == 0
        assert account["lastFailureCause"] == SLOW[name].comes_to
        assert set(listener.seqs()) <= {1}


@pytest.mark.parametrize("name", ["moved", "404", "500 at this change"])
def test_a_change_that_is_refused_five_times_is_parked_and_the_next_goes_on(siege: Siege, name: str) -> None:
    told = siege.stubborn[name].told
    assert [each.seq for each in told[:7]] == [1, 1, 1, 1, 1, 2, 3]
    assert [each.headers["ttgateway-attempt"] for each in told[:6]] == ["1", "2", "3", "4", "5", "1"]
    assert len({(each.id, each.body) for each in told[:5]}) == 1
    assert told[4].at - told[0].at < 30.0
    account = siege.accounts[siege.stubborn[name].url]
    assert account["parked"] == 1
    assert told[5].headers["ttgateway-previous"] == "0"  # a gap that the listener can see
    assert siege.stubborn[name].seqs()[5:] == list(range(2, account["delivered"] + 2))


def test_a_redirect_is_never_followed(siege: Siege) -> None:
    assert siege.target.peers == []
    assert len(siege.stubborn["moved for good"].told) >= 5


def test_a_500_is_asked_by_a_head_whether_it_works(siege: Siege) -> None:
    assert len(siege.stubborn["500 at this change"].heads) == 2  # when it registered, and after five tries


def test_a_listener_that_fails_at_a_head_too_is_down_and_its_change_is_not_parked(siege: Siege) -> None:
    listener = siege.stubborn["500 at everything"]
    account = siege.accounts[listener.url]
    assert (account["parked"], account["delivered"]) == (0, 0)
    assert len([each for each in listener.told if each.method == "POST"]) > 5
    assert {each.seq for each in listener.told if each.method == "POST"} == {1}


@pytest.mark.parametrize(("name", "failures"), [("503", 3), ("408", 2), ("425", 2), ("503 for nonsense", 2)])
def test_a_listener_that_is_down_for_a_while_gets_everything_once(siege: Siege, name: str, failures: int) -> None:
    seqs = siege.stubborn[name].seqs()
    assert seqs == [1] * failures + list(range(1, seqs[-1] + 1))
    assert siege.accounts[siege.stubborn[name].url]["parked"] == 0
    assert siege.accounts[siege.stubborn[name].url]["state"] == "healthy"


def test_a_listener_that_answers_410_is_removed(siege: Siege) -> None:
    listener = siege.stubborn["410"]
    assert listener.url not in siege.accounts
    assert listener.seqs() == [1]


@pytest.mark.parametrize("name", ["429 for 4 s", "503 for 4 s", "503 until a date"])
def test_retry_after_is_honoured(siege: Siege, name: str) -> None:
    (gap,) = siege.gaps(name)
    assert 4.0 <= gap < 6.5


def test_retry_after_keeps_us_away_for_a_minute_at_most(siege: Siege) -> None:
    listener = siege.stubborn["503 for ever"]
    assert listener.seqs() == [1]
    assert 60 - SIEGE - 1 < siege.accounts[listener.url]["nextAttemptSeconds"] <= 60.5 - SIEGE + 1


def test_the_accounts_balance(siege: Siege) -> None:
    names = ("delivered", "coalesced", "filtered", "parked", "pending")
    sums = {url: sum(account[name] for name in names) for url, account in siege.accounts.items()}
    assert len(sums) == len(siege.stubborn)  # one was removed, and the good one is there
    assert max(sums.values()) - min(sums.values()) <= 1
    assert abs(max(sums.values()) - len(siege.traffic.acknowledged)) <= 1


def test_a_listener_that_registers_again_gets_what_it_has_missed(siege: Siege) -> None:
    listener = siege.stubborn["hangs"]
    listener.manners = answer_all
    client = siege.daemon.client()
    assert client.register(listener.url).status == 200
    client.close()
    eventually(lambda: siege.daemon.account(listener.url)["pending"] == 0)
    assert list(dict.fromkeys(listener.seqs())) == siege.good.seqs()


def test_a_hundred_listeners_that_hang_cost_the_good_one_nothing(
    daemon: Daemon, listen: Callable[..., Listener], record_property: Callable[[str, object], None]
) -> None:
    good, hanging = listen(), listen(host=ELSEWHERE)
    client = daemon.client()
    for number in range(100):
        assert client.register(f"{hanging.url}/{number}").status == 200
    assert client.register(good.url).status == 200
    client.close()
    hanging.misbehave(SLOW["hangs"].manners)
    with Traffic(daemon, pace=0.02) as traffic:
        time.sleep(7.0)
    eventually(lambda: daemon.account(good.url)["pending"] == 0)
    worst = check_prompt(traffic, good)
    record_property("beside a hundred that hang", f"p99 {worst * 1000:.0f} ms of {len(traffic.acknowledged)}")
    assert {told.path for told in hanging.told} == {f"/notify/{number}" for number in range(100)}
