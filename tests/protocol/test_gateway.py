"""Section 5, of the gateway itself."""

import re
from typing import Any

import pytest

from tests.api.client import House
from tests.protocol.common import UUID, V2, acknowledges, exactly
from ttgateway import __version__

SETTINGS = f"{V2}/gateway/settings"
ACTIVATE = f"{V2}/gateway/activate"


@pytest.fixture
def house() -> House:
    return House()


def shows(house: House, **changed: object) -> None:
    """Check what is set, ``changed`` from what it is at first."""
    settings: dict[str, Any] = {"zigbeePreset": "A", "targetTimeDefault": 300, "timezone": "UTC", **changed}
    exactly(house.get(SETTINGS), {"status": 200, "returnCode": 13, "settings": settings})


@pytest.mark.parametrize("path", [V2, f"{V2}/gateway"])
def test_the_gateway_tells_who_it_is(house: House, path: str) -> None:
    house.timers.advance(61.9)
    answer = house.get(path)
    shown = answer.json["gateway"]
    assert re.fullmatch(UUID, shown["id"])
    gateway = {
        "name": "ttgateway",
        "id": shown["id"],
        "version": __version__,
        "epoch": house.gateway.epoch,
        "uptime": 61,
    }
    exactly(answer, {"status": 200, "returnCode": 11, "gateway": gateway})


def test_the_check_is_a_word_for_each_part(house: House) -> None:
    answer = house.get(f"{V2}/gateway/check")
    words = {"store": "ok", "notifier": "stopped", "disk": "ok", "clock": "unset"}  # nobody is told, and it is 2016
    exactly(answer, {"status": 200, "returnCode": 14, "check": words})


def test_the_capabilities_tell_what_is_there(house: House) -> None:
    capabilities = {
        "api": ["v1", "v2"],
        "websocket": True,
        "events": True,
        "paging": True,
        "radio": False,
        "listenerOptions": ["secret", "events", "snapshot", "catch_up"],
    }
    exactly(house.get(f"{V2}/capabilities"), {"status": 200, "returnCode": 4, "capabilities": capabilities})


def test_the_settings_of_the_page(house: House) -> None:
    shows(house)
    acknowledges(house.post(SETTINGS, {"timezone": "America/New_York"}), 1004, "Settings successfully changed.")
    shows(house, timezone="America/New_York")


def test_all_three_are_set_at_once(house: House) -> None:
    changed = {"zigbeePreset": "C", "targetTimeDefault": 109, "timezone": "Europe/Berlin"}
    acknowledges(house.post(SETTINGS, changed), 1004, "Settings successfully changed.")
    shows(house, **changed)


@pytest.mark.parametrize("body", [None, {}])
def test_to_set_nothing_changes_nothing(house: House, body: object) -> None:
    acknowledges(house.post(SETTINGS, body), 1004, "Settings successfully changed.")
    shows(house)


@pytest.mark.parametrize(
    ("bad", "code", "message"),
    [
        ({"thisDoesNotExist": 1}, -20, "Invalid settings key: thisDoesNotExist"),
        ({"zigbeePreset": "DAA"}, -21, "Invalid value DAA for key zigbeePreset. Invalid zigbee preset."),
        ({"zigbeePreset": None}, -21, None),
        ({"targetTimeDefault": -1}, -21, None),
        ({"targetTimeDefault": "soon"}, -21, None),
        ({"targetTimeDefault": True}, -21, None),
        ({"timezone": "Mars/Olympus"}, -21, None),
        ({"timezone": ""}, -21, None),
    ],
)
def test_one_bad_setting_lets_none_be_changed(
    house: House, bad: dict[str, object], code: int, message: str | None
) -> None:
    house.post(SETTINGS, {"timezone": "Europe/Berlin", "targetTimeDefault": 7, **bad}).refuses(400, code, message)
    shows(house)


def test_no_cloud_is_configured(house: House) -> None:
    exactly(house.get(ACTIVATE), {"status": 200, "returnCode": 12, "state": "NOT_CONFIGURED"})


@pytest.mark.parametrize("body", [None, {}])
def test_to_activate_without_a_code_is_400(house: House, body: object) -> None:
    house.post(ACTIVATE, body).refuses(400, -18, "Missing device code.")


@pytest.mark.parametrize("code", ["0123456789", "012-3456-78", "012-3456-7890", "abc-defg-hij", 12])
def test_a_code_of_another_form_is_400(house: House, code: object) -> None:
    message = "Malformed device code. Must be in the format of 012-3456-789"
    house.post(ACTIVATE, {"deviceCode": code}).refuses(400, -17, message)


def test_no_code_is_known_here(house: House) -> None:
    house.post(ACTIVATE, {"deviceCode": "012-3456-789"}).refuses(400, -19, "Invalid device code.")
