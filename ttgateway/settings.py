"""Settings: a TOML file becomes one frozen `Settings` value; ``etc/ttgateway.toml`` explains every key."""

import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from ttgateway.explaining import explained, shown
from ttgateway.keys import ANY_KEY, HIGHEST_KEY

Format = Literal["plain", "json"]
"""Of the log."""
Level = Literal["debug", "info", "warn", "error", "critical"]
"""Of a line of the log."""

_Positive = Annotated[int, Meta(ge=1, le=1_000_000_000)]

_ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")  # not localtime, nor right/ with its leap seconds
_LONGEST_ZONE = 64
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.IGNORECASE | re.ASCII)
_ORIGIN = re.compile(r"null|[a-z][a-z0-9+.-]*://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.ASCII)
_USUAL_PORT = re.compile(r"http://.*:80|https://.*:443")  # which browsers leave out
_LONGEST_SOCKET_PATH = 107  # bytes, of Linux


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


class Bridge(_Table, frozen=True):
    """Where the radio bridge is; at most one of the two is set, and neither where there is no bridge."""

    at: str = ""
    """Where we connect to it (`stream_address`)."""
    listen: str = ""
    """Where it connects to us; the same, but for a serial port."""

    @property
    def configured(self) -> bool:
        """Whether there is to be a bridge."""
        return bool(self.at or self.listen)


class Discovery(_Table, frozen=True):
    """How the gateway is found."""

    enabled: bool = True
    """Whether it announces itself on the network (protocol section 9)."""


class Button(_Table, frozen=True):
    """The appliance's button, if it is a Linux input device."""

    device: str = ""
    """The device's path; ``""`` where there is none."""
    key: Annotated[int, Meta(ge=0, le=HIGHEST_KEY)] = ANY_KEY
    """The code of the key that counts."""


class Log(_Table, frozen=True):
    """What is written to standard output."""

    format: Format = "plain"
    level: Level = "info"
    """The least level that is written."""


class StreamAddress(msgspec.Struct, frozen=True):
    """Where a stream is: the path of a Unix socket, IP address and port, or the path of a serial port and its baud."""

    kind: Literal["unix", "tcp", "serial"]
    where: str
    number: int = 0


class Opening(NamedTuple):
    """What may be called besides private networks: a network, and of it one port (``None``: all)."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    port: int | None

    def __str__(self) -> str:
        """Return it as it stands in the settings."""
        return str(self.network) if self.port is None else f"{self.network} port {self.port}"


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
    bridge: Bridge = Bridge()
    discovery: Discovery = Discovery()
    button: Button = Button()
    log: Log = Log()

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone in which times are shown."""
        return ZoneInfo(self.timezone)


def load(path: Path) -> Settings:
    """Return the settings in the TOML file at ``path``; raise `SettingsError`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
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
    except (ValueError, RecursionError) as error:  # TOMLDecodeError; a number too long, or nesting too deep, for Python
        raise SettingsError(f"not TOML: {shown(error)}") from None
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(explained(str(error), raw, Settings)) from None
    _check_zone(settings.timezone)
    _check_access(settings.access)
    for network in settings.callbacks.allow:
        _check_network(network)
    _check_bridge(settings.bridge)
    _check_device(settings.button.device)
    return settings


def allowed_network(text: str) -> Opening:
    """Return what an entry of ``callbacks.allow`` opens; raise ``ValueError``."""
    network, _, port = text.partition(" port ")
    if port and not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        raise ValueError(f"{port!r} is not a port")
    return Opening(ipaddress.ip_network(network), int(port) if port else None)


def stream_address(text: str) -> StreamAddress:
    """Return where ``unix:PATH``, ``tcp:ADDRESS:PORT`` or ``serial:DEVICE:BAUD`` is; raise ``ValueError``."""
    kind, _, rest = text.partition(":")
    if kind == "unix":
        return StreamAddress("unix", _path(rest))
    where, _, digits = rest.rpartition(":")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0
    if kind == "tcp":
        if not 0 < number < 65536:
            raise ValueError(f"{digits!r} is not a port")
        return StreamAddress("tcp", str(ipaddress.ip_address(where.removeprefix("[").removesuffix("]"))), number)
    if kind == "serial":
        if not number:
            raise ValueError(f"{digits!r} is not a speed in baud")
        return StreamAddress("serial", _path(where), number)
    raise ValueError(f"{kind!r} is neither unix, tcp nor serial")


def _path(text: str) -> str:
    if not text.startswith("/") or "\0" in text:
        raise ValueError(f"{text!r} is not a full path")
    if len(text.encode()) > _LONGEST_SOCKET_PATH:
        raise ValueError(f"the path is longer than {_LONGEST_SOCKET_PATH} bytes")
    return text


def zone_named(name: str) -> ZoneInfo:
    """Return the IANA zone of this name; raise ``ValueError`` where there is none."""
    try:
        if len(name) <= _LONGEST_ZONE and _ZONE.fullmatch(name):
            return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        pass
    raise ValueError(f"{name[:_LONGEST_ZONE]!r} is not an IANA zone")


def _check_zone(name: str) -> None:
    try:
        zone_named(name)
    except ValueError:
        raise SettingsError(f"timezone = {shown(name)}: must be an IANA zone like 'Europe/Paris'") from None


def _check_access(access: Access) -> None:
    """Refuse what no request can ever have: it would open nothing, and nobody would know why."""
    for host in access.hosts:
        if not _HOST.fullmatch(host) and not _is_address(host):
            like = "a name without scheme, port and dot at its end, like 'orders.shop.example'"
            raise SettingsError(f"access.hosts: {shown(host)}: must be {like}")
    for origin in access.origins:
        if not _ORIGIN.fullmatch(origin) or _USUAL_PORT.fullmatch(origin):
            like = "an origin as browsers send it, in lower case, without a path and its usual port"
            raise SettingsError(f"access.origins: {shown(origin)}: must be {like}, like 'https://pos.example'")


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _check_network(text: str) -> None:
    try:
        allowed_network(text)
    except ValueError as error:
        raise SettingsError(
            f"callbacks.allow: {shown(text)}: must be a network like '203.0.113.0/24' or '203.0.113.7/32 port 8080':"
            f" {shown(error)}"
        ) from None


def _check_bridge(bridge: Bridge) -> None:
    for key, text, example in (
        ("bridge.at", bridge.at, "'unix:/run/zigbee.sock', 'tcp:127.0.0.1:7007' or 'serial:/dev/ttyUSB0:115200'"),
        ("bridge.listen", bridge.listen, "'unix:/run/ttgateway/bridge.sock' or 'tcp:127.0.0.1:7007'"),
    ):
        try:
            serial = bool(text) and stream_address(text).kind == "serial"
            if serial and key == "bridge.listen":
                raise ValueError("a serial port is opened by the gateway, see bridge.at")
        except ValueError as error:
            raise SettingsError(f"{key} = {shown(text)}: must be like {example}: {shown(error)}") from None
    if bridge.at and bridge.listen:
        raise SettingsError(f"bridge.listen = {bridge.listen!r}: must be empty where bridge.at is set: {bridge.at!r}")


def _check_device(device: str) -> None:
    if device and (not device.startswith("/") or "\0" in device):
        raise SettingsError(f"button.device = {shown(device)}: must be a full path like '/dev/input/event0'")
