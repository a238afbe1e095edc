"""A real daemon, watched as Prometheus and a supervisor watch it."""

import http.client
import time
from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener


def scrape(daemon: Daemon) -> dict[str, float]:
    """Return each sample by its name and its labels' values."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    try:
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {daemon.secret}"})
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    assert response.status == 200, text
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_happens_shows_in_the_metrics(daemon: Daemon, client: Client, listen: Callable[..., Listener]) -> None:
    listener = listen()
    assert client.register(listener.url).status == 200
    before = scrape(daemon)
    for name in range(1, 21):
        assert client.post_order(name).status == 200
    eventually(lambda: scrape(daemon)["ttgateway_listener_changes delivered"] == 20)
    after = scrape(daemon)
    assert (after["ttgateway_last_seq"], after["ttgateway_active_orders"]) == (20, 20)
    assert (after["ttgateway_listeners healthy"], after["ttgateway_pending"]) == (1, 0)
    fates = ("delivered", "coalesced", "filtered", "parked", "pending")
    assert after["ttgateway_listener_changes accepted"] == 20
    assert sum(after[f"ttgateway_listener_changes {fate}"] for fate in fates) == 20
    commits = after["ttgateway_commits_total"] - before["ttgateway_commits_total"]
    assert commits >= 1
    assert after["ttgateway_commit_seconds_count"] == after["ttgateway_commits_total"]
    assert 0 < after["ttgateway_commit_seconds_sum"] < 20
    assert after["ttgateway_disk_free_bytes"] > 0
    assert abs(after["ttgateway_clock_drift_seconds"]) < 2.0
    assert after["ttgateway_clock_plausible"] == 1
    assert after["process_resident_memory_bytes"] > 10_000_000
    assert all(after[f"ttgateway_part_ok {part}"] == 1 for part in ("store", "notifier", "disk", "clock"))


def test_a_listener_that_is_gone_shows(daemon: Daemon, client: Client, listen: Callable[..., Listener]) -> None:
    listener = listen()
    assert client.register(listener.url).status == 200
    listener.close()
    assert client.post_order(1).status == 200
    eventually(lambda: scrape(daemon)["ttgateway_listeners retrying"] == 1)
    time.sleep(0.2)
    shown = scrape(daemon)
    assert shown["ttgateway_pending"] == 1
    assert 0.1 < shown["ttgateway_oldest_pending_seconds"] < 10
    assert listener.url not in str(shown)


def test_health_is_told_without_a_secret_and_metrics_are_not(daemon: Daemon) -> None:
    stranger = Client(daemon.port)
    well = {"store": "ok", "notifier": "ok", "disk": "ok", "clock": "ok"}
    for path in ("/healthz", "/readyz"):
        assert stranger.call("GET", path).fields == {"status": 200, "check": well}
        assert stranger.call("HEAD", path)[:2] == (200, None)
    assert stranger.call("GET", "/metrics").status == 401
    stranger.close()


def test_a_store_that_was_damaged_shows_at_each_start(daemons: Callable[..., Daemon]) -> None:
    daemon = daemons()
    daemon.state.mkdir()
    (daemon.state / "ttgateway.db").write_bytes(b"this is no database" * 1000)
    for _ in range(2):
        daemon.start()
        stranger = Client(daemon.port)
        assert stranger.call("GET", "/healthz").status == 503
        assert stranger.call("GET", "/readyz").status == 200
        stranger.close()
        assert scrape(daemon)["ttgateway_store_damaged"] == 1
        daemon.stop()
    assert all("#critical" in line for line in daemon.complaints())
    daemon.log_file.unlink()  # it has told what it should
