import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.store.files import clock_at, shop_in
from tests.support import OnDemand, memory_store, result_of
from ttgateway.preferences import Preferences, PreferenceValues
from ttgateway.refusals import NotNow, PreferenceInvalid, PreferenceUnknown
from ttgateway.store.commits import MEND_EVERY
from ttgateway.store.tables import preferences

DEFAULTS = PreferenceValues(zigbee_preset="A", target_time_default=300, timezone="America/New_York")


class Office:
    """Preferences on a slow disk."""

    def __init__(self) -> None:
        self.timers = Clock()
        self.disk = OnDemand()
        self.store = memory_store(self.timers, executor=self.disk)
        self.preferences = Preferences(self.store, "America/New_York")

    def ask(self, **asked: object) -> Deferred[None]:
        return ensureDeferred(self.preferences.change(asked))

    def settle(self) -> None:
        while self.disk.waiting:
            self.disk.step()

    def change(self, **asked: object) -> PreferenceValues:
        pending = self.ask(**asked)
        self.settle()
        result_of(pending)
        return self.preferences.values

    def refusal(self, **asked: object) -> str:
        """Return why this is refused; nothing may have come of it."""
        before = self.preferences.values
        with pytest.raises((PreferenceUnknown, PreferenceInvalid)) as refused:
            result_of(self.ask(**asked))
        assert self.preferences.values == before
        assert not self.disk.waiting
        return str(refused.value)


@pytest.fixture
def office() -> Office:
    return Office()


def test_at_first_the_defaults_hold_and_the_zone_is_that_of_the_file(office: Office) -> None:
    assert office.preferences.values == DEFAULTS
    assert office.preferences.zone is ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("zigbeePreset", ["A", "Z"]),
        ("targetTimeDefault", [1, 86_400]),
        ("timezone", ["UTC", "Europe/Paris", "America/Argentina/Buenos_Aires", "Etc/GMT+5"]),
    ],
)
def test_what_is_allowed_is_set(office: Office, key: str, values: list[object]) -> None:
    for value in values:
        office.change(**{key: value})
        name = {"zigbeePreset": "zigbee_preset", "targetTimeDefault": "target_time_default"}.get(key, key)
        assert getattr(office.preferences.values, name) == value


def test_what_is_not_named_stays_and_the_zone_follows_its_name(office: Office) -> None:
    office.change(targetTimeDefault=109)
    values = office.change(zigbeePreset="D", timezone="Europe/Paris")
    assert values == PreferenceValues(zigbee_preset="D", target_time_default=109, timezone="Europe/Paris")
    assert office.preferences.zone is ZoneInfo("Europe/Paris")


def test_nothing_asked_is_nothing_done(office: Office) -> None:
    assert office.change() == DEFAULTS


def test_an_unknown_key_is_refused_in_the_documented_words(office: Office) -> None:
    assert office.refusal(thisDoesNotExist=1) == "Invalid settings key: thisDoesNotExist"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("zigbeePreset", "DAA", "Invalid value DAA for key zigbeePreset. Invalid zigbee preset."),
        ("zigbeePreset", "a", "Invalid value a for key zigbeePreset. Invalid zigbee preset."),
        ("zigbeePreset", "", "Invalid value  for key zigbeePreset. Invalid zigbee preset."),
        ("zigbeePreset", "A\n", "Invalid value A? for key zigbeePreset. Invalid zigbee preset."),
        ("zigbeePreset", None, "Invalid value null for key zigbeePreset. Invalid zigbee preset."),
        ("zigbeePreset", ["A"], "Invalid value of that kind for key zigbeePreset. Invalid zigbee preset."),
        *(
            (
                "targetTimeDefault",
                value,
                f"Invalid value {shown} for key targetTimeDefault. Invalid target time."
                " Must be whole seconds from 1 to 86400.",
            )
            for value, shown in (
                (0, "0"),
                (86_401, "86401"),
                (-5, "-5"),
                (300.0, "300.0"),
                (True, "true"),
                ("300", "300"),
                (float("nan"), "of that kind"),
            )
        ),
        *(
            ("timezone", value, f"Invalid value {value} for key timezone. Invalid timezone. Must be an IANA zone.")
            for value in (
                "Mars/Olympus",
                "../../etc/passwd",
                "America",
                "right/UTC",
                "localtime",
                "EST ",
                "/",
                "europe/paris",
            )
        ),
    ],
)
def test_what_is_not_allowed_is_refused_and_said(office: Office, key: str, value: object, words: str) -> None:
    assert office.refusal(**{key: value}) == words


def test_a_number_that_has_no_end_is_not_written_out(office: Office) -> None:
    assert "Invalid value of that kind for key" in office.refusal(targetTimeDefault=10**5000)


def test_all_or_nothing_is_set(office: Office) -> None:
    assert "zigbeePreset" in office.refusal(timezone="Europe/Paris", zigbeePreset="DAA")
    assert "thisDoesNotExist" in office.refusal(targetTimeDefault=5, thisDoesNotExist=1)


@pytest.mark.parametrize("hostile", ["x" * 60_000, "\x1b[2J\u202e\ud800\x00" * 100])
def test_what_is_shown_of_a_hostile_request_is_short_and_printable(office: Office, hostile: str) -> None:
    for words in (
        office.refusal(zigbeePreset=hostile),
        office.refusal(timezone=hostile),
        office.refusal(**{hostile: 1}),
    ):
        assert len(words) < 200
        assert words.isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(["zigbeePreset", "targetTimeDefault", "timezone"]) | st.text(), JSON, max_size=4)
)
def test_whatever_is_asked_is_set_or_refused(asked: dict[str, Any]) -> None:
    office = Office()
    pending = office.ask(**asked)
    office.settle()
    try:
        result_of(pending)
    except (PreferenceUnknown, PreferenceInvalid) as refusal:
        assert str(refusal).isprintable()
        assert office.preferences.values == DEFAULTS
    else:
        stored = office.store.write(preferences.load)
        office.settle()
        assert result_of(stored) == {key: str(value) for key, value in asked.items()}


def test_a_change_holds_only_when_it_is_durable(office: Office) -> None:
    pending = office.ask(timezone="Europe/Paris")
    assert not pending.called
    assert office.preferences.values == DEFAULTS
    office.settle()
    assert pending.called
    assert office.preferences.values.timezone == "Europe/Paris"


def test_two_changes_at_once_end_with_both(office: Office) -> None:
    pending = [
        office.ask(zigbeePreset="B", targetTimeDefault=5),
        office.ask(zigbeePreset="C"),
        office.ask(timezone="UTC"),
    ]
    office.settle()
    assert [result_of(one) for one in pending] == [None] * 3
    assert office.preferences.values == PreferenceValues(zigbee_preset="C", target_time_default=5, timezone="UTC")


def test_a_change_that_could_not_be_written_is_refused_and_not_seen(office: Office, logged: Logged) -> None:
    office.change(zigbeePreset="B")
    office.store.write(lambda db: db.execute("no such statement")).addErrback(lambda _: None)
    pending = office.ask(zigbeePreset="C", timezone="Europe/Paris")
    office.settle()
    with pytest.raises(NotNow):
        result_of(pending)
    assert office.preferences.values.zigbee_preset == "B"
    assert office.preferences.zone is ZoneInfo("America/New_York")
    logged.flush()
    office.timers.advance(MEND_EVERY)
    office.settle()
    assert office.change(zigbeePreset="C").zigbee_preset == "C"


def test_what_was_set_survives_a_restart_and_wins_over_the_file(tmp_path: Path) -> None:
    shop = shop_in(tmp_path, clock_at())
    asked = {"zigbeePreset": "D", "targetTimeDefault": 109, "timezone": "Europe/Paris"}
    result_of(Preferences(shop.store, "UTC").change(asked))
    result_of(shop.store.stop())
    again = shop_in(tmp_path, clock_at("boot-2"))
    after = Preferences(again.store, "Asia/Tokyo")
    assert after.values == PreferenceValues(zigbee_preset="D", target_time_default=109, timezone="Europe/Paris")
    assert after.zone is ZoneInfo("Europe/Paris")
    result_of(again.store.stop())


def test_a_stored_value_that_cannot_be_used_gives_way_to_the_default(tmp_path: Path) -> None:
    shop = shop_in(tmp_path, clock_at())
    stored = {"zigbeePreset": "C", "targetTimeDefault": "many", "timezone": "Mars/Olympus", "ofANewerGateway": "1"}
    result_of(shop.store.write(preferences.saving(stored)))
    result_of(shop.store.stop())
    again = shop_in(tmp_path, clock_at())
    values = Preferences(again.store, "UTC").values
    assert values == PreferenceValues(zigbee_preset="C", target_time_default=300, timezone="UTC")
    result_of(again.store.stop())


def test_the_values_go_by_the_names_of_the_protocol() -> None:
    assert json.loads(msgspec.json.encode(DEFAULTS)) == {
        "zigbeePreset": "A",
        "targetTimeDefault": 300,
        "timezone": "America/New_York",
    }
