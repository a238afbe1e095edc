"""``kill -9`` of the daemon under traffic: nothing is lost, nothing is out of order, hardly anything is told twice.

`tests.crash` (``make crash``) does so for longer, with more listeners, and in more moments.
"""

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener, Told
from tests.system.traffic import Acknowledged, Traffic

KILLS = 8
TILLS = 4
"""They post at the same time: what one was told is then often not yet what the disk has begun to write."""

WRITTEN_WITHIN = 0.05
"""The promise: what was acknowledged longer ago than this is not told again."""

NOISE = 0.15
"""What a busy machine may add: the write itself, threads that wait for a processor, and ours too."""

FIRST_DELIVERY_WITHIN = 2.0

pytestmark = pytest.mark.timeout(400)
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@dataclass
class Life:
    """One life of the daemon, from its start to its kill."""

    started: float
    ended: float = float("inf")
    told: dict[Listener, list[Told]] = field(default_factory=dict)


@dataclass
class Run:
    """All that happened."""

    daemon: Daemon
    tills: list[Traffic]
    listeners: list[Listener]
    lives: list[Life]

    @property
    def acknowledged(self) -> list[Acknowledged]:
        """What the daemon has confirmed to all tills."""
        return [each for till in self.tills for each in till.acknowledged]


def killed_again_and_again(daemon: Daemon, listeners: list[Listener]) -> list[Life]:
    """Kill the daemon `KILLS` times; return its lives."""
    chance = random.Random(2026)  # noqa: S311
    lives = [Life(daemon.started_at)]
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.3, 1.0))
        daemon.kill()
        lives[-1].ended = time.monotonic()
        daemon.start()
        lives.append(Life(daemon.started_at))
        seen = [len(listener.told) for listener in listeners]
        eventually(lambda seen=seen: all(len(one.told) > n for one, n in zip(listeners, seen, strict=True)))  # type: ignore[misc]
    return lives


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Traffic to two listeners, and a daemon that is killed again and again."""
    daemon = Daemon(tmp_path_factory.mktemp("kill"))
    listeners = [Listener().open(), Listener().open()]
    try:
        daemon.start()
        client = daemon.client()
        assert client.call("GET", f"/api/v1/register?http_client={listeners[0].url}").status == 200
        assert client.register(listeners[1].url, secret=SECRET).status == 200
        client.close()
        tills = [Traffic(daemon, pace=0.002, first=number * 1_000_000) for number in range(1, TILLS + 1)]
        with contextlib.ExitStack() as stack:
            for till in tills:
                stack.enter_context(till)
            lives = killed_again_and_again(daemon, listeners)
        eventually(lambda: all(shown["pending"] == 0 for shown in daemon.control("GET", "/listeners")))
        for life in lives:
            for one in listeners:
                life.told[one] = [told for told in one.told if life.started <= told.at < life.ended]
        yield Run(daemon, tills, listeners, lives)
        daemon.stop()
        assert not daemon.complaints()
    finally:
        daemon.end()
        for listener in listeners:
            listener.close()


def test_no_acknowledged_change_is_lost(run: Run) -> None:
    assert len(run.lives) == KILLS + 1
    assert len(run.acknowledged) > KILLS * 20
    for listener in run.listeners:
        told = {each.change for each in listener.told}
        assert [each.change for each in run.acknowledged if each.change not in told] == []


def test_what_was_refused_was_refused_for_the_kill_only(run: Run) -> None:
    # An order may have been cleared by a request whose answer the kill has swallowed.
    refused = [reply for till in run.tills for reply in till.refused()]
    assert {reply.status for reply in refused} <= {404}
    assert len(refused) <= KILLS * TILLS


def test_within_each_life_changes_come_in_order_without_a_gap_and_once(run: Run) -> None:
    for listener in run.listeners:
        for life in run.lives:
            seqs = [told.seq for told in life.told[listener]]
            assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


def test_each_life_goes_on_where_the_one_before_was_killed(run: Run) -> None:
    for listener in run.listeners:
        last = 0
        for life in run.lives:
            seqs = [told.seq for told in life.told[listener]]
            assert seqs[0] <= last + 1  # else a change is missing in between
            last = seqs[-1]


def test_a_repeat_has_the_same_id_and_the_same_bytes(run: Run) -> None:
    for listener in run.listeners:
        by_seq: dict[int, Told] = {}
        for told in listener.told:
            first = by_seq.setdefault(told.seq, told)
            assert (told.id, told.body) == (first.id, first.body)
        assert len({told.id for told in listener.told}) == len(by_seq)


def test_only_what_was_acknowledged_just_before_the_kill_is_told_again(
    run: Run, record_property: Callable[[str, object], None]
) -> None:
    ages: list[float] = []
    for listener in run.listeners:
        for before, after in zip(run.lives, run.lives[1:], strict=False):
            again = {told.seq for told in after.told[listener]}
            ages += [before.ended - told.answered_at for told in before.told[listener] if told.seq in again]
    each = len(ages) / KILLS / len(run.listeners)
    record_property("repeats", f"{len(ages)} in {KILLS} kills and {len(run.listeners)} listeners: {each:.1f} each")
    record_property("oldest repeat", f"{max(ages, default=0.0) * 1000:.0f} ms before the kill")
    assert max(ages, default=0.0) <= WRITTEN_WITHIN + NOISE
    assert sum(age > WRITTEN_WITHIN for age in ages) <= KILLS // 8


def test_the_first_delivery_comes_within_two_seconds_of_the_start(
    run: Run, record_property: Callable[[str, object], None]
) -> None:
    waits = [life.told[listener][0].at - life.started for life in run.lives[1:] for listener in run.listeners]
    record_property(
        "first delivery", f"at most {max(waits):.2f} s after the start, mean {sum(waits) / len(waits):.2f} s"
    )
    assert max(waits) <= FIRST_DELIVERY_WITHIN


def test_the_registrations_survive_and_the_accounts_balance(run: Run) -> None:
    last = max(told.seq for told in run.listeners[0].told)
    for listener in run.listeners:
        account = run.daemon.account(listener.url)
        assert (account["delivered"], account["pending"], account["parked"]) == (last, 0, 0)
        assert account["state"] == "healthy"


def test_a_fresh_listener_is_told_of_what_comes_after_all_that(run: Run) -> None:
    listener = Listener().open()
    client: Client = run.daemon.client()
    try:
        assert client.register(listener.url).status == 200
        client.post_order(1)
        eventually(lambda: len(listener.told) == 1)
        assert listener.seqs() == [max(told.seq for told in run.listeners[0].told)]
    finally:
        client.close()
        listener.close()


def test_after_a_quiet_moment_a_kill_has_nothing_told_again(daemon: Daemon, client: Client) -> None:
    listener = Listener().open()
    try:
        assert client.register(listener.url).status == 200
        for name in range(1, 21):
            client.post_order(name)
        eventually(lambda: len(listener.told) == 20)
        time.sleep(0.3)
        daemon.kill()
        daemon.start()
        time.sleep(1.0)
        assert listener.seqs() == list(range(1, 21))
    finally:
        listener.close()
