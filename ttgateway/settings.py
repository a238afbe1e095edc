"""Settings: a TOML file becomes one frozen `Settings` value; ``etc/ttgateway.toml`` explains every key."""

import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

_Positive = Annotated[int, Meta(ge=1, le=1_000_000_000)]


class SettingsError(Exception):
    """The settings cannot be used; the text is one line that names file, key, value and what is allowed."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file; a key that we do not know is an error, not a silent nothing."""


class Access(_Table, frozen=True):
    """Who may call us."""

    open_to_old_devices: bool = False
    """Whether ``register``, ``orders`` and v1 ``activeorders`` are served without a secret (protocol section 2)."""
    hosts: tuple[str, ...] = ()
    """Names under which we are called besides our addresses, ``localhost`` and the machine's own names."""
    origins: tuple[str, ...] = ()
    """Origins (``https://pos.example``) whose pages may call us from a browser."""


class Callbacks(_Table, frozen=True):
    """Whom we call (design section 5)."""

    allow: tuple[str, ...] = ()
    """Networks that may be called besides private ones: ``NETWORK`` or ``NETWORK port PORT``."""
    source_only: bool = False
    """Whether a device may register only its own address."""
    ca_file: str = ""
    """A PEM file with the authorities that vouch for ``https`` listeners, in place of the system's."""


class Journal(_Table, frozen=True):
    """How much is kept."""

    keep_days: _Positive = 7
    keep_changes: _Positive = 100_000
    keep_pending: _Positive = 1_000_000
    """The most changes kept for a listener that is away; further behind, it gets a snapshot."""
    history_days: _Positive = 400
    """How long cleared orders are kept."""


class Listeners(_Table, frozen=True):
    """How many may register."""

    most: _Positive = 10_000


class Settings(_Table, frozen=True):
    """All settings of one gateway."""

    name: str = "ttgateway"
    """What the gateway calls itself."""
    timezone: str = "UTC"
    """The IANA zone in which times are shown."""
    access: Access = Access()
    callbacks: Callbacks = Callbacks()
    journal: Journal = Journal()
    listeners: Listeners = Listeners()

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone in which times are shown."""
        return ZoneInfo(self.timezone)


def load(path: Path) -> Settings:
    """Return the settings in the TOML file at ``path``; raise `SettingsError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from None
    try:
        return parse(text)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def parse(text: str) -> Settings:
    """Return the settings in a TOML text; raise `SettingsError`."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"not TOML: {error}") from None
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(_explained(str(error), raw)) from None
    _check_zone(settings.timezone)
    for network in settings.callbacks.allow:
        _check_network(network)
    return settings


def allowed_network(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, int | None]:
    """Return what an entry of ``callbacks.allow`` opens: a network, a port (``None``: all); raise ``ValueError``."""
    network, _, port = text.partition(" port ")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{port!r} is not a port")
    return ipaddress.ip_network(network), int(port) if port else None


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise SettingsError(f"timezone = {name!r}: must be an IANA zone like 'Europe/Paris'") from None


def _check_network(text: str) -> None:
    try:
        allowed_network(text)
    except ValueError as error:
        raise SettingsError(
            f"callbacks.allow: {text!r}: must be a network like '203.0.113.0/24' or '203.0.113.7/32 port 8080': {error}"
        ) from None


def _explained(message: str, raw: dict[str, Any]) -> str:
    """Turn msgspec's words (``Expected `int`, got `str` - at `$.journal.keep_days```) into ours."""
    what, _, where = message.partition(" - at `$")
    path = [part for part in re.split(r"\.|(?=\[)", where.rstrip("`")) if part]
    if "unknown field" in what:
        path.append(what.split("`")[1])
        known: Any = Settings
        for part in path[:-1]:
            known = next(f.type for f in msgspec.structs.fields(known) if f.name == part)
        names = ", ".join(f.name for f in msgspec.structs.fields(known))
        return f"{'.'.join(path)}: no such key; known are {names}"
    value: Any = raw
    for part in path:
        value = value[int(part[1:-1]) if part.startswith("[") else part]
    return f"{'.'.join(path).replace('.[', '[')} = {value!r}: {what[0].lower()}{what[1:]}"
