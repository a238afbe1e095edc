"""Who watches the gateway, and what it is told."""

import json

import pytest

from tests.api.client import Answer, House
from tests.conftest import Logged
from ttgateway.api.routes import STRANGERS_BURST
from ttgateway.metrics import CONTENT_TYPE
from ttgateway.store.commits import MEND_EVERY
from ttgateway.store.disk import LEAST_FREE
from ttgateway.store.tables.listeners import Listener, Progress
from ttgateway.watcher import AttemptRecord, Status

TEN_YEARS = 10 * 366 * 86_400.0
WELL = {"store": "ok", "notifier": "ok", "disk": "ok", "clock": "ok"}


class Telling:
    """The side that calls listeners, of a gateway that has none."""

    def __init__(self) -> None:
        self.running = True

    def registered(self, listener: Listener, progress: Progress) -> None:
        pass

    def removed(self, listener: Listener) -> None:
        pass

    def replay(self, listener: Listener) -> None:
        pass

    def resync(self, listener: Listener) -> None:
        pass

    def answered(self, listener: Listener) -> None:
        pass

    def heard(self, host: str) -> None:
        pass

    def settle(self) -> None:
        pass

    def status(self, listener: Listener) -> Status:
        return Status("healthy", 0, 0.0, None)

    def attempts(self, listener: Listener) -> list[AttemptRecord]:
        return []


class Watched(House):
    """A house that lacks nothing, and a watcher that knows no secret."""

    def __init__(self) -> None:
        super().__init__()
        self.telling = Telling()
        self.gateway.registry.watch(self.telling)

    def look(self, path: str) -> Answer:
        return self.ask("GET", path, known=False)

    def fail_a_commit(self) -> None:
        self.store.write(lambda db: db.execute("no such statement")).addErrback(lambda _: None)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr("tests.support.NOON", 1_474_571_332.0 + TEN_YEARS)  # the machine knows what year it is
    return Watched()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_gateway_that_lacks_nothing_says_so_to_anybody(house: Watched, path: str) -> None:
    answer = house.look(path)
    assert answer.json == {"status": 200, "check": WELL}
    assert answer.headers["cache-control"] == "no-store"
    assert house.ask("GET", path + "/", known=False).json == answer.json


def test_a_store_that_is_damaged_is_unwell_and_ready(house: Watched) -> None:
    house.store.findings.damage = "2 changes are lost"
    answer = house.look("/healthz")
    check = {**WELL, "store": "damaged"}
    assert answer.json == {"status": 503, "message": "Not well: store damaged.", "check": check}
    assert house.look("/readyz").json == {"status": 200, "check": check}


def test_a_disk_without_room_is_well_and_not_ready(house: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.store.disk, "free", lambda: LEAST_FREE - 1)
    answer = house.look("/readyz")
    check = {**WELL, "disk": "low"}
    assert answer.json == {"status": 503, "message": "Not ready: disk low.", "check": check}
    assert answer.headers["retry-after"] == "1"
    assert house.look("/healthz").json == {"status": 200, "check": check}


def test_a_store_that_cannot_be_written_is_neither_until_it_can(house: Watched, logged: Logged) -> None:
    house.fail_a_commit()
    logged.flush()
    assert house.look("/healthz").json["message"] == "Not well: store mending."
    assert house.look("/readyz").json["message"] == "Not ready: store mending."
    house.timers.advance(MEND_EVERY)
    assert (house.look("/healthz").status, house.look("/readyz").status) == (200, 200)


def test_all_that_is_wrong_is_named(house: Watched) -> None:
    house.store.findings.damage = "2 changes are lost"
    house.telling.running = False
    assert house.look("/healthz").json["message"] == "Not well: store damaged, notifier stopped."


def test_metrics_want_a_secret(house: Watched) -> None:
    answer = house.look("/metrics")
    answer.refuses(401, answer.json.get("returnCode"))
    assert b"ttgateway_" not in answer.body
    shown = house.get("/metrics")
    assert (shown.status, shown.headers["content-type"]) == (200, CONTENT_TYPE)
    assert b"\nttgateway_last_seq 0.0\n" in shown.body


def test_the_metrics_are_those_of_the_present(house: Watched) -> None:
    house.post("/api/v2/activeorders", {"name": "66", "orderType": "TO_GO"})
    assert b"\nttgateway_active_orders 1.0\n" in house.get("/metrics").body
    house.delete("/api/v2/activeorders/66")
    assert b"\nttgateway_active_orders 0.0\n" in house.get("/metrics").body


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_head_is_answered_as_get_without_a_body(house: Watched, path: str) -> None:
    got, headed = house.get(path), house.ask("HEAD", path)
    assert (headed.status, headed.body) == (200, b"")
    assert headed.headers["content-type"] == got.headers["content-type"]
    assert int(headed.headers["content-length"]) > 0


def test_head_tells_of_what_is_wrong_too(house: Watched) -> None:
    house.store.findings.damage = "2 changes are lost"
    headed = house.ask("HEAD", "/healthz", known=False)
    assert (headed.status, headed.body) == (503, b"")


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_other_methods_are_not_allowed(house: Watched, path: str) -> None:
    answer = house.post(path, {})
    assert (answer.status, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})


def test_who_floods_the_health_without_a_secret_is_slowed_and_others_are_not(house: Watched) -> None:
    statuses = [house.look("/healthz").status for _ in range(STRANGERS_BURST + 1)]
    assert statuses == [200] * STRANGERS_BURST + [429]
    assert house.ask("GET", "/healthz", known=False, peer="10.0.0.8").status == 200
    assert house.get("/healthz").status == 200


def test_no_secret_nor_what_was_lost_is_shown_to_strangers(house: Watched) -> None:
    house.store.findings.damage = "/var/lib/ttgateway: 2 changes are lost"
    shown = house.look("/healthz").body + house.look("/readyz").body
    assert b"/var/lib" not in shown
    assert house.secret.encode() not in shown + house.get("/metrics").body
    assert set(json.loads(house.look("/healthz").body)) == {"status", "message", "check"}
