"""What Prometheus reads, read as Prometheus does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Logged
from tests.notifier.shop import Shop, answered
from tests.support import result_of
from ttgateway import __version__
from ttgateway.figures import DeliveryFigures
from ttgateway.metrics import MOST_SHOWN, Metrics
from ttgateway.refusals import NotNow
from ttgateway.settings import Bridge, Settings
from ttgateway.store.commits import MEND_EVERY
from ttgateway.store.tables.listeners import Listener
from ttgateway.watcher import Status

DOCS = Path(__file__).parent.parent / "docs/operations.rst"


class Scraped:
    """One scrape of a shop's metrics."""

    def __init__(self, shop: Shop, deliveries: DeliveryFigures | None = None, feeds: int | None = None) -> None:
        counted = None if feeds is None else lambda: feeds
        metrics = Metrics(shop.gateway, shop.store, deliveries or DeliveryFigures(), counted)
        self.text = metrics.text().decode()
        self.families = list(text_string_to_metric_families(self.text))
        self._samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        """Return the value of a sample of ours."""
        return float(self._samples[(f"ttgateway_{name}", *sorted(labels.items()))])

    def has(self, name: str) -> bool:
        """Tell whether there is any sample of this name."""
        return any(key[0] == f"ttgateway_{name}" for key in self._samples)

    def fates(self) -> dict[str, float]:
        """Return the accounts of all listeners."""
        names = ("accepted", "delivered", "coalesced", "filtered", "parked", "pending")
        return {name: self("listener_changes", fate=name) for name in names}


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.close()


def test_an_idle_gateway_shows_who_it_is_and_zeros(shop: Shop) -> None:
    shop.timers.advance(7.5)
    scraped = Scraped(shop)
    assert scraped("build_info", version=__version__) == 1
    assert scraped("uptime_seconds") == 7
    for name in ("last_seq", "active_orders", "pending", "oldest_pending_seconds", "store_damaged", "commits_total"):
        assert scraped(name) == 0, name
    assert not scraped.has("attempts_total")


def test_it_counts_changes_and_active_orders(shop: Shop) -> None:
    shop.post("1")
    shop.post("2")
    shop.clear("1")
    scraped = Scraped(shop)
    assert (scraped("last_seq"), scraped("active_orders")) == (3, 1)


def test_listeners_are_counted_by_state(shop: Shop) -> None:
    for last in (2, 3, 4):
        shop.register(last)
    shop.dial.down |= {"10.0.0.3", "10.0.0.4"}
    for peer in shop.dial.peers:
        peer.lose()
    shop.post("1")
    shop.dial.peer.answer()  # of the one that lives
    scraped = Scraped(shop)
    assert [scraped("listeners", state=state) for state in ("healthy", "retrying", "down")] == [1, 2, 0]
    shop.wait(60)
    scraped = Scraped(shop)
    assert [scraped("listeners", state=state) for state in ("healthy", "retrying", "down")] == [1, 0, 2]
    assert scraped("pending") == 2
    assert scraped("oldest_pending_seconds") == pytest.approx(60, abs=0.2)


def test_a_listener_that_refuses_a_change_is_retrying(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    shop.dial.peer.answer(400)
    scraped = Scraped(shop)
    assert scraped("listeners", state="retrying") == 1
    assert scraped("listener_failing", listener=listener.id) == 1


def test_one_that_was_down_and_is_back_is_healthy(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    shop.dial.peer.received()
    shop.dial.peer.answer(503)
    assert Scraped(shop)("listener_failing", listener=listener.id) == 1
    shop.wait(0.3)
    answered(shop)
    scraped = Scraped(shop)
    assert scraped("listeners", state="healthy") == 1
    assert scraped("listener_failing", listener=listener.id) == 0


def test_the_accounts_of_all_listeners_balance_whatever_became_of_the_changes(shop: Shop) -> None:
    shop.register(2)
    shop.register(3, events=["ORDER_PAGED"])
    shop.register(4, catch_up="latest")
    shop.post("1")
    for peer in list(shop.dial.peers):
        if peer.received():
            peer.answer(503 if str(peer.address) == "10.0.0.4" else 400)
    shop.post("2")
    shop.wait(40)
    fates = Scraped(shop).fates()
    assert fates["accepted"] == 6
    assert fates["filtered"] == 2
    assert fates["pending"] > 0
    assert fates["accepted"] == sum(value for name, value in fates.items() if name != "accepted")


def test_each_of_a_few_listeners_is_shown_by_its_id_and_never_by_its_url(shop: Shop) -> None:
    listener = shop.register()
    shop.post("1")
    scraped = Scraped(shop)
    assert scraped("listener_pending", listener=listener.id) == 1
    assert scraped("listener_failing", listener=listener.id) == 0
    assert "10.0.0.2" not in scraped.text
    answered(shop)
    assert Scraped(shop)("listener_pending", listener=listener.id) == 0


def register_many(shop: Shop, count: int) -> None:
    """Put ``count`` listeners into the registry, for which nobody need be reached."""
    for number in range(count):
        url = f"http://10.1.{number // 256}.{number % 256}/"
        listener = Listener(id=f"{number:012x}", url=url, api=2, registered=0.0)
        result_of(shop.gateway.registry._keep(listener))


def test_of_more_listeners_than_can_be_shown_there_are_totals_only(shop: Shop) -> None:
    register_many(shop, MOST_SHOWN)
    shown = Scraped(shop)
    assert shown.text.count("ttgateway_listener_pending{") == MOST_SHOWN
    register_many(shop, MOST_SHOWN + 1)
    shown = Scraped(shop)
    assert not shown.has("listener_pending")
    assert not shown.has("listener_failing")
    assert shown("listeners", state="healthy") == MOST_SHOWN + 1


def test_a_scrape_asks_no_queue_of_those_that_never_failed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    register_many(shop, 20)
    asked: list[Listener] = []

    def status(listener: Listener) -> Status:
        asked.append(listener)
        return Status("healthy", 0, 0.0, None)

    monkeypatch.setattr(shop.notifier, "status", status)
    assert Scraped(shop)("listeners", state="healthy") == 20
    assert asked == []


def test_of_a_notifier_that_is_stopped_every_listener_is_down(shop: Shop) -> None:
    shop.register()
    result_of(shop.notifier.stop())
    scraped = Scraped(shop)
    assert scraped("listeners", state="down") == 1
    assert scraped("part_ok", part="notifier") == 0


def test_attempts_and_delays_are_shown(shop: Shop) -> None:
    figures = DeliveryFigures()
    figures.attempt("down", "timeout")
    for seconds in (0.002, 0.003, 7200.0):
        figures.attempt("delivered", "200")
        figures.waits.observe(seconds)
    scraped = Scraped(shop, figures)
    assert scraped("attempts_total", kind="delivered", cause="200") == 3
    assert scraped("attempts_total", kind="down", cause="timeout") == 1
    buckets = [scraped("change_to_delivery_seconds_bucket", le=le) for le in ("0.001", "0.0025", "5.0", "+Inf")]
    assert buckets == [0, 1, 2, 3]
    assert scraped("change_to_delivery_seconds_count") == 3
    assert scraped("change_to_delivery_seconds_sum") == pytest.approx(7200.005)


def test_commits_are_shown_with_those_that_failed(shop: Shop, logged: Logged) -> None:
    shop.post("1")
    with pytest.raises(NotNow):
        result_of(shop.store.write(lambda db: db.execute("no such statement")))
    logged.flush()
    scraped = Scraped(shop)
    assert (scraped("commits_total"), scraped("commit_failures_total")) == (1, 1)
    assert (scraped("commit_writes_count"), scraped("commit_seconds_count")) == (1, 1)
    assert scraped("part_ok", part="store") == 0
    shop.wait(MEND_EVERY + 0.1)
    assert Scraped(shop)("part_ok", part="store") == 1


def test_damage_shows(shop: Shop) -> None:
    shop.store.findings.damage = "2 changes are lost"
    scraped = Scraped(shop)
    assert (scraped("store_damaged"), scraped("part_ok", part="store")) == (1, 0)


def test_a_step_of_the_clock_shows(shop: Shop) -> None:
    assert (Scraped(shop)("clock_drift_seconds"), Scraped(shop)("clock_plausible")) == (0, 0)  # 2016 cannot be now
    shop.clock.wall_ahead += 10 * 366 * 86_400.0
    scraped = Scraped(shop)
    assert scraped("clock_drift_seconds") == pytest.approx(10 * 366 * 86_400.0)
    assert scraped("clock_plausible") == 1


@pytest.fixture
def full_shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop with a disk and a radio bridge, besides all else."""
    shop = Shop(settings=Settings(bridge=Bridge(at="unix:/run/bridge")))
    monkeypatch.setattr(shop.store.disk, "free", lambda: 4096)
    yield shop
    shop.close()


def test_what_there_is_not_has_no_series(shop: Shop) -> None:
    scraped = Scraped(shop)
    for name in ("disk_free_bytes", "websocket_feeds", "radio_connected"):
        assert not scraped.has(name)


def test_disk_feeds_and_bridge_are_shown_where_there_are_such(full_shop: Shop) -> None:
    scraped = Scraped(full_shop, feeds=3)
    shown = (scraped("disk_free_bytes"), scraped("websocket_feeds"), scraped("radio_connected"))
    assert shown == (4096, 3, 0)


def test_the_process_is_shown_too(shop: Shop) -> None:
    names = {family.name for family in Scraped(shop).families}
    assert {"process_resident_memory_bytes", "process_cpu_seconds", "process_open_fds"} <= names
    assert all(name.startswith(("ttgateway_", "process_")) for name in names)


def test_two_gateways_in_one_process_do_not_share_figures(shop: Shop) -> None:
    shop.post("1")
    other = Shop()
    assert (Scraped(shop)("last_seq"), Scraped(other)("last_seq")) == (1, 0)
    other.close()


def test_the_operations_page_lists_each_metric_and_no_other(full_shop: Shop) -> None:
    families = Scraped(full_shop, feeds=0).families
    names = {family.name + ("_total" if family.type == "counter" else "") for family in families}
    shown = re.findall(r"^   \* - ``(ttgateway_\w+)(?:\{.*\})?``$", DOCS.read_text(), re.MULTILINE)
    assert sorted(shown) == sorted(name for name in names if name.startswith("ttgateway_"))
