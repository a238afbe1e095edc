"""Preferences: what clients may set through the API (protocol section 5), and what survives a restart."""

import re
from collections.abc import Callable, Mapping
from datetime import tzinfo

import msgspec
from twisted.logger import Logger

from ttgateway.refusals import PreferenceInvalid, PreferenceUnknown
from ttgateway.settings import zone_named
from ttgateway.store.store import Store
from ttgateway.store.tables import preferences

LONGEST_TARGET = 86_400
"""Seconds: a day."""

_LONGEST_SHOWN = 64
_LARGEST_SHOWN = 10**15

_PRESET = re.compile(r"[A-Z]", re.ASCII)


class PreferenceValues(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is set. ``target_time_default`` in seconds, ``timezone`` an IANA zone, ``zigbee_preset`` a letter."""

    zigbee_preset: str = "A"
    target_time_default: int = 300
    timezone: str


class Preferences:
    """What is set, with a default for what nobody has set yet; ``timezone`` is that of the file of settings."""

    _log = Logger()

    def __init__(self, store: Store, timezone: str) -> None:
        self._store = store
        kept = {key: text for key, text in store.preferences.items() if self._holds(key, text)}
        self._set(msgspec.convert({"timezone": timezone, **kept}, PreferenceValues, strict=False))

    @property
    def values(self) -> PreferenceValues:
        """What is set; all of it is durable."""
        return self._values

    @property
    def zone(self) -> tzinfo:
        """The zone in which times are shown."""
        return self._zone

    async def change(self, asked: Mapping[str, object]) -> None:
        """Set what ``asked`` names, under the names of the protocol: all of it or nothing, durable on return.

        Raises `PreferenceUnknown`, `PreferenceInvalid` and `NotNow`.
        """
        for key, value in asked.items():
            _check(key, value)
        changed = {_NAMES[key]: value for key, value in asked.items()}
        if changed:
            await self._store.commits.write(
                preferences.saving({key: str(value) for key, value in asked.items()}),
                lambda: self._set(msgspec.structs.replace(self._values, **changed)),
            )

    def _set(self, values: PreferenceValues) -> None:
        self._values = values
        self._zone = zone_named(values.timezone)

    def _holds(self, key: str, text: str) -> bool:
        """Tell whether a stored value can be used: a zone may be unknown to this machine, a file be a newer one's."""
        try:
            _check(key, int(text) if key == "targetTimeDefault" else text)
        except (PreferenceUnknown, PreferenceInvalid, ValueError) as error:
            self._log.warn("A stored setting is not used: {error}", error=error)
            return False
        return True


_NAMES = {field.encode_name: field.name for field in msgspec.structs.fields(PreferenceValues)}


def _is_preset(value: object) -> bool:
    return isinstance(value, str) and _PRESET.fullmatch(value) is not None


def _is_target(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LONGEST_TARGET


def _is_zone(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        zone_named(value)
    except ValueError:
        return False
    return True


_RULES: dict[str, tuple[Callable[[object], bool], str]] = {
    "zigbeePreset": (_is_preset, "Invalid zigbee preset."),
    "targetTimeDefault": (_is_target, f"Invalid target time. Must be whole seconds from 1 to {LONGEST_TARGET}."),
    "timezone": (_is_zone, "Invalid timezone. Must be an IANA zone."),
}


def _check(key: str, value: object) -> None:
    """Raise `PreferenceUnknown` or `PreferenceInvalid` unless ``key`` may be set to ``value``."""
    if key not in _RULES:
        raise PreferenceUnknown(f"Invalid settings key: {_clipped(key)}")
    allowed, rule = _RULES[key]
    if not allowed(value):
        raise PreferenceInvalid(f"Invalid value {_clipped(value)} for key {key}. {rule}")


def _clipped(value: object) -> str:
    """Return ``value`` as it may stand in a message: short, and nothing that a terminal would obey."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float) and abs(value) < _LARGEST_SHOWN:
        return str(value)
    if not isinstance(value, str):
        return "of that kind"
    text = "".join(letter if letter.isprintable() else "?" for letter in value[:_LONGEST_SHOWN])
    return text if len(value) <= _LONGEST_SHOWN else f"{text}..."
