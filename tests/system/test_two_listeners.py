"""Some of several listeners are dead for a while: the live one notices nothing, and the dead miss nothing."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener
from tests.system.traffic import Traffic, check_prompt, percentile

DEAD_FOR = 60.0 if os.environ.get("TTGATEWAY_LONG") else 20.0
SHORTLY_DEAD_FOR = 3.0
AT_ONCE = 0.5


@dataclass
class Outage:
    """All that happened: each dead listener is on a host of its own, and orders come from another one."""

    daemon: Daemon
    traffic: Traffic
    listeners: list[Listener]
    waits: dict[str, float]
    """Seconds from a listener's return to the first delivery."""

    back_in: dict[str, float]
    """Seconds in which the next attempt was due when a listener came back, in the operator's list."""

    @property
    def live(self) -> Listener:
        """The one that always answers."""
        return self.listeners[0]

    @property
    def by_itself(self) -> Listener:
        """The one that comes back soon, and says nothing."""
        return self.listeners[1]

    @property
    def by_registering(self) -> Listener:
        """The one that comes back late, and registers again."""
        return self.listeners[2]

    @property
    def by_a_request(self) -> Listener:
        """The one that comes back late, and whose host makes some request."""
        return self.listeners[3]

    @property
    def dead(self) -> list[Listener]:
        """Those that were dead for a while."""
        return self.listeners[1:]


def wait_until_told(listener: Listener, since: float, seen: int, within: float) -> float:
    """Return how long after ``since`` a listener that had been told of ``seen`` changes was told of the next."""
    eventually(lambda: len(listener.told) > seen, within)
    return listener.told[seen].at - since


def bring_back(outage: Outage) -> None:
    """Let the listeners live again, one after the other, and note how soon each is told something."""
    for name, listener in (("registering", outage.by_registering), ("request", outage.by_a_request)):
        outage.back_in[name] = outage.daemon.account(listener.url)["nextAttemptSeconds"]
        seen = len(listener.told)
        listener.open()
        since = time.monotonic()
        if name == "registering":
            device = outage.daemon.client()  # a new connection: the gateway closes one that was idle for a minute
            assert device.register(listener.url).status == 200
        else:
            device = Client(outage.daemon.port, source=listener.host)
            assert device.call("GET", "/api/v2").status == 200
        device.close()
        outage.waits[name] = wait_until_told(listener, since, seen, 30.0)


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    """An outage of three listeners that is over."""
    daemon = Daemon(tmp_path_factory.mktemp("outage")).start()
    listeners = [Listener(host).open() for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")]
    client = daemon.client()
    try:
        for listener in listeners:
            assert client.register(listener.url).status == 200
        with Traffic(daemon, pace=0.02) as traffic:
            time.sleep(1.0)
            outage = Outage(daemon, traffic, listeners, waits={}, back_in={})
            for listener in outage.dead:
                listener.close()
            time.sleep(SHORTLY_DEAD_FOR)
            seen, since = len(outage.by_itself.told), time.monotonic()
            outage.by_itself.open()
            outage.waits["itself"] = wait_until_told(outage.by_itself, since, seen, 10.0)
            time.sleep(DEAD_FOR - (time.monotonic() - since))
            bring_back(outage)
            time.sleep(0.5)
        eventually(lambda: all(shown["pending"] == 0 for shown in daemon.control("GET", "/listeners")))
        yield outage
        daemon.stop()
        assert not daemon.complaints()
    finally:
        client.close()
        daemon.end()
        for listener in listeners:
            listener.close()


def test_the_live_one_notices_nothing(outage: Outage, record_property: Callable[[str, object], None]) -> None:
    worst = check_prompt(outage.traffic, outage.live)
    record_property("live listener", f"p99 {worst * 1000:.0f} ms of {len(outage.traffic.acknowledged)}")
    assert outage.traffic.refused() == []
    confirmed = [each.confirmed - each.sent for each in outage.traffic.acknowledged]
    assert percentile(confirmed, 99) < 0.25


def test_each_gets_everything_in_order_and_once(outage: Outage) -> None:
    last = len(outage.traffic.acknowledged)
    assert last > DEAD_FOR * 10
    for listener in (outage.live, *outage.dead):
        seqs = listener.seqs()
        assert list(dict.fromkeys(seqs)) == list(range(1, last + 1))
        # Only what was being answered when the listener died may come again.
        assert len(seqs) - last <= 1
    changes = [each.change for each in outage.traffic.acknowledged]
    assert [told.change for told in outage.live.told] == changes


def test_one_that_comes_back_soon_is_found_by_itself(outage: Outage) -> None:
    assert outage.waits["itself"] < 2.0 * 1.2 + 0.5  # after 0.2, 0.7, 1.7 and 3.7 s, each with jitter


def test_one_that_registers_again_is_told_at_once(
    outage: Outage, record_property: Callable[[str, object], None]
) -> None:
    record_property("registered again", f"told after {outage.waits['registering'] * 1000:.0f} ms")
    assert outage.back_in["registering"] > AT_ONCE
    assert outage.waits["registering"] < AT_ONCE


def test_one_from_whose_host_any_request_comes_is_told_at_once(
    outage: Outage, record_property: Callable[[str, object], None]
) -> None:
    record_property("request from its host", f"told after {outage.waits['request'] * 1000:.0f} ms")
    assert outage.back_in["request"] > AT_ONCE
    assert outage.waits["request"] < AT_ONCE


def test_the_accounts_balance(outage: Outage) -> None:
    last = len(outage.traffic.acknowledged)
    for listener in (outage.live, *outage.dead):
        account = outage.daemon.account(listener.url)
        assert (account["delivered"], account["pending"], account["state"]) == (last, 0, "healthy")
        assert outage.daemon.balance(listener.url) == last
