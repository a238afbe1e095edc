from zoneinfo import ZoneInfo

import apsw
import pytest

from tests.store.files import clock_at
from ttgateway.store import opening
from ttgateway.store.tables import preferences

PARIS, UTC = ZoneInfo("Europe/Paris"), ZoneInfo("UTC")


@pytest.fixture
def db() -> apsw.Connection:
    clock = clock_at()
    return opening.open_memory(clock.boot, clock.now())


def test_nothing_is_set_at_first(db: apsw.Connection) -> None:
    assert preferences.load(db) == {}


def test_what_is_saved_replaces_what_it_names_and_leaves_the_rest(db: apsw.Connection) -> None:
    preferences.saving({"zigbeePreset": "A", "timezone": "UTC"})(db)
    preferences.saving({"zigbeePreset": "B"})(db)
    assert preferences.load(db) == {"zigbeePreset": "B", "timezone": "UTC"}


@pytest.mark.parametrize(("stored", "found"), [({}, UTC), ({"timezone": "Europe/Paris"}, PARIS)])
def test_a_stored_zone_wins(db: apsw.Connection, stored: dict[str, str], found: ZoneInfo) -> None:
    preferences.saving(stored)(db)
    assert preferences.zone(db, UTC) is found


def test_a_stored_zone_that_is_not_known_here_does_not(db: apsw.Connection) -> None:
    preferences.saving({"timezone": "Mars/Olympus"})(db)
    assert preferences.zone(db, PARIS) is PARIS
