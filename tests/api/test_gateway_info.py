import pytest

from tests.api.client import House
from tests.conftest import Logged
from tests.support import result_of
from ttgateway.settings import Bridge, Settings

SETTINGS = "/api/v2/gateway/settings"


@pytest.fixture
def house() -> House:
    return House()


def test_the_radio_is_there_where_a_bridge_is_configured() -> None:
    house = House(settings=Settings(bridge=Bridge(at="/run/radio")))
    assert house.get("/api/v2/capabilities").json["capabilities"]["radio"] is True


def test_the_name_is_the_one_in_the_file_of_settings() -> None:
    house = House(settings=Settings(name="Corner Bistro"))
    assert house.ask("GET", "/api/v2", known=False).json["gateway"]["name"] == "Corner Bistro"


def test_the_check_tells_of_what_is_wrong(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.store.findings.damage = "2 changes are lost"
    monkeypatch.setattr(house.store.disk, "free", lambda: 0)
    check = house.get("/api/v2/gateway/check").json["check"]
    assert (check["store"], check["disk"]) == ("damaged", "full")


def test_the_zone_is_that_of_the_file_until_a_client_sets_another() -> None:
    house = House(settings=Settings(timezone="Asia/Tokyo"))
    assert house.get(SETTINGS).json["settings"]["timezone"] == "Asia/Tokyo"
    house.post(SETTINGS, {"timezone": "Europe/Berlin"})
    assert house.get(SETTINGS).json["settings"]["timezone"] == "Europe/Berlin"


def test_settings_that_cannot_be_kept_are_not_changed(house: House, logged: Logged) -> None:
    result_of(house.store.write(lambda db: db.execute("PRAGMA query_only = ON")))
    house.post(SETTINGS, {"zigbeePreset": "B"}).refuses(503, -904)
    assert house.get(SETTINGS).json["settings"]["zigbeePreset"] == "A"
    house.store.commits.stop()
    assert logged.flush()


@pytest.mark.parametrize("key", ["\x1b[31m", "x" * 5000])
def test_a_key_is_quoted_short_and_without_what_a_terminal_obeys(house: House, key: str) -> None:
    message = house.post(SETTINGS, {key: 1}).json["message"]
    assert message.isprintable()
    assert len(message) < 200
