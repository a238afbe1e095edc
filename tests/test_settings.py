import json
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttgateway.settings import (
    Button,
    Settings,
    SettingsError,
    StreamAddress,
    allowed_network,
    load,
    parse,
    stream_address,
)

TABLES = {
    "access": ["open_to_old_devices", "hosts", "origins"],
    "journal": ["keep_days", "keep_changes", "keep_pending", "history_days"],
    "discovery": ["enabled"],
    "button": ["device", "key"],
    "bridge": ["at", "listen"],
}


def test_an_empty_file_is_the_defaults() -> None:
    settings = parse("")
    assert settings == Settings()
    assert (settings.name, settings.zone) == ("ttgateway", ZoneInfo("UTC"))
    assert not settings.access.open_to_old_devices
    assert (settings.journal.keep_days, settings.journal.keep_changes) == (7, 100_000)


def test_every_key_is_taken() -> None:
    settings = parse(
        """
        name = "Till & Grill"
        timezone = "America/New_York"
        [access]
        open_to_old_devices = true
        hosts = ["till.example"]
        origins = ["https://pos.example"]
        [callbacks]
        allow = ["203.0.113.0/24", "203.0.113.7/32 port 8080"]
        source_only = true
        ca_file = "ca.pem"
        [journal]
        keep_days = 1
        keep_changes = 2
        keep_pending = 3
        history_days = 4
        [listeners]
        most = 5
        [bridge]
        at = "serial:/dev/ttyUSB0:115200"
        """
    )
    assert (settings.name, settings.zone) == ("Till & Grill", ZoneInfo("America/New_York"))
    assert (settings.access.hosts, settings.access.origins) == (("till.example",), ("https://pos.example",))
    assert settings.access.open_to_old_devices
    assert settings.callbacks.allow == ("203.0.113.0/24", "203.0.113.7/32 port 8080")
    assert (settings.callbacks.source_only, settings.callbacks.ca_file) == (True, "ca.pem")
    journal = settings.journal
    kept = (journal.keep_days, journal.keep_changes, journal.keep_pending, journal.history_days)
    assert (kept, settings.listeners.most) == ((1, 2, 3, 4), 5)
    assert settings.bridge.at == "serial:/dev/ttyUSB0:115200"


@pytest.mark.parametrize(
    ("text", "key", "value", "allowed"),
    [
        ("name = 5", "name", "5", "`str`"),
        ("access = 5", "access", "5", "`object`"),
        ('[access]\nopen_to_old_devices = "yes"', "access.open_to_old_devices", "'yes'", "`bool`"),
        ('[access]\nhosts = ["a", 5]', "access.hosts[1]", "5", "`str`"),
        ('[callbacks]\nallow = "10.0.0.0/8"', "callbacks.allow", "'10.0.0.0/8'", "`array`"),
        ("[journal]\nkeep_days = 0", "journal.keep_days", "0", ">= 1"),
        ("[journal]\nkeep_days = 1.5", "journal.keep_days", "1.5", "`int`"),
        (f"[journal]\nkeep_days = {10**30}", "journal.keep_days", str(10**30), "<= 1000000000"),
        ('[listeners]\nmost = "5"', "listeners.most", "'5'", "`int`"),
        ('timezone = "Mars"', "timezone", "'Mars'", "IANA zone"),
        ('timezone = ""', "timezone", "''", "IANA zone"),
        ('timezone = "../UTC"', "timezone", "'../UTC'", "IANA zone"),
        ('timezone = "localtime"', "timezone", "'localtime'", "IANA zone"),
        ('[log]\nlevel = "loud"', "log.level", "'loud'", "'debug', 'info', 'warn', 'error', 'critical'"),
        ('[log]\nformat = "xml"', "log.format", "'xml'", "one of 'plain', 'json'"),
        ('[access]\nhosts = ["till.example:8000"]', "access.hosts", "'till.example:8000'", "without scheme, port"),
        ('[access]\nhosts = ["http://till.example"]', "access.hosts", "'http://till.example'", "without scheme"),
        ('[access]\nhosts = ["*.till.example"]', "access.hosts", "'*.till.example'", "like 'orders.shop.example'"),
        ('[access]\nhosts = ["till.example."]', "access.hosts", "'till.example.'", "dot at its end"),
        ('[access]\nhosts = ["[fd00::1]"]', "access.hosts", "'[fd00::1]'", "a name without"),
        ('[access]\norigins = ["pos.example"]', "access.origins", "'pos.example'", "like 'https://pos.example'"),
        ('[access]\norigins = ["https://pos.example/"]', "access.origins", "'https://pos.example/'", "without a path"),
        ('[access]\norigins = ["https://POS.example"]', "access.origins", "'https://POS.example'", "lower case"),
        ('[access]\norigins = ["https://pos.example:443"]', "access.origins", ":443'", "usual port"),
        ('[access]\norigins = ["*"]', "access.origins", "'*'", "an origin"),
        ('[callbacks]\nallow = ["home"]', "callbacks.allow", "'home'", "a network like"),
        ('[callbacks]\nallow = ["10.0.0.1/8"]', "callbacks.allow", "'10.0.0.1/8'", "host bits set"),
        ('[callbacks]\nallow = ["10.0.0.0/8 port 0"]', "callbacks.allow", "port 0", "is not a port"),
        ("[bridge]\nat = 5", "bridge.at", "5", "`str`"),
        ('[bridge]\nat = "zigbee"', "bridge.at", "'zigbee'", "unix:/run/zigbee.sock"),
        ('[bridge]\nat = "unix:zigbee.sock"', "bridge.at", "'unix:zigbee.sock'", "full path"),
        (f'[bridge]\nat = "unix:/{"x" * 107}"', "bridge.at", "xxx", "longer than 107 bytes"),
        ('[bridge]\nat = "tcp:7007"', "bridge.at", "'tcp:7007'", "tcp:127.0.0.1:7007"),
        ('[bridge]\nat = "tcp:zigbee.local:7007"', "bridge.at", "zigbee.local", "IPv4 or IPv6 address"),
        ('[bridge]\nat = "tcp:127.0.0.1:65536"', "bridge.at", "65536", "is not a port"),
        ('[bridge]\nat = "serial:/dev/ttyUSB0"', "bridge.at", "ttyUSB0", "is not a speed in baud"),
        ('[bridge]\nat = "serial:ttyUSB0:9600"', "bridge.at", "ttyUSB0", "full path"),
        ('[bridge]\nlisten = "tcp:7007"', "bridge.listen", "'tcp:7007'", "tcp:127.0.0.1:7007"),
        ('[bridge]\nlisten = "serial:/dev/ttyUSB0:9600"', "bridge.listen", "ttyUSB0", "see bridge.at"),
        ('[bridge]\nat = "unix:/a"\nlisten = "unix:/b"', "bridge.listen", "'unix:/b'", "must be empty"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_with_its_key_and_what_is_allowed(
    text: str, key: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingsError) as error:
        parse(text)
    line = str(error.value)
    assert line.startswith(key)
    assert value in line
    assert allowed in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("text", "key", "known"),
    [
        ("colour = 1", "colour", "timezone"),
        ("[access]\nhots = []", "access.hots", "hosts"),
        ("[journal]\nkeep_day = 1", "journal.keep_day", "keep_days"),
        ("[acces]\nhosts = []", "acces", "access"),
    ],
)
def test_a_key_that_we_do_not_know_is_told_with_those_that_we_do(text: str, key: str, known: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{key}: no such key; known are .*{known}"):
        parse(text)


def test_what_is_no_toml_is_told_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ttgateway.toml"
    path.write_text("name = ")
    with pytest.raises(SettingsError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}: not TOML: ")
    path.write_text("name = 5")
    with pytest.raises(SettingsError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}: name = 5")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(b'name = "caf\xe9"')
    for unreadable in (tmp_path / "missing.toml", tmp_path, path):
        with pytest.raises(SettingsError) as error:
            load(unreadable)
        assert str(error.value).startswith(f"{unreadable}: cannot be read: ")


def test_a_file_is_read_as_utf_8(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_bytes('name = "Café"'.encode())
    assert load(tmp_path / "t.toml").name == "Café"


def test_a_file_may_begin_with_the_mark_that_windows_editors_put_there(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_bytes(b'\xef\xbb\xbfname = "x"\r\n')
    assert load(tmp_path / "t.toml").name == "x"


@pytest.mark.parametrize(
    ("text", "network", "port"),
    [
        ("203.0.113.0/24", "203.0.113.0/24", None),
        ("203.0.113.7", "203.0.113.7/32", None),
        ("203.0.113.7/32 port 8080", "203.0.113.7/32", 8080),
        ("2001:db8::/32 port 65535", "2001:db8::/32", 65535),
    ],
)
def test_an_allowed_network_is_a_network_and_perhaps_a_port(text: str, network: str, port: int | None) -> None:
    assert allowed_network(text) == (ip_network(network), port)


@pytest.mark.parametrize("host", ["till", "Till.Example", "10.0.0.5", "fd00::1", "kasse-1.shop_7.example"])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert parse(f"[access]\nhosts = ['{host}']").access.hosts == (host,)


@pytest.mark.parametrize(
    "origin",
    [
        "https://pos.example",
        "http://10.0.0.9:8080",
        "http://[fd00::1]:81",
        "https://a:80",
        "null",
        "capacitor://localhost",
    ],
)
def test_an_origin_is_what_a_browser_sends(origin: str) -> None:
    assert parse(f"[access]\norigins = ['{origin}']").access.origins == (origin,)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "+1", "x", "1 2", "٣"])
def test_what_is_no_port_is_refused(port: str) -> None:
    with pytest.raises(ValueError, match="is not a port"):
        allowed_network(f"10.0.0.0/8 port {port}")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:/run/a b:7.sock", StreamAddress("unix", "/run/a b:7.sock")),
        ("tcp:127.0.0.1:7007", StreamAddress("tcp", "127.0.0.1", 7007)),
        ("tcp:[::1]:65535", StreamAddress("tcp", "::1", 65535)),
        ("serial:/dev/serial/by-id/usb-1:2:115200", StreamAddress("serial", "/dev/serial/by-id/usb-1:2", 115_200)),
    ],
)
def test_a_stream_is_at_a_socket_a_port_or_a_device(text: str, address: StreamAddress) -> None:
    assert stream_address(text) == address


def test_a_bridge_is_configured_by_either_key() -> None:
    configured = [
        parse(text).bridge.configured for text in ("", '[bridge]\nat = "unix:/a"', '[bridge]\nlisten = "unix:/b"')
    ]
    assert configured == [False, True, True]


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        parse(text)
    except SettingsError as error:
        assert str(error)


@given(st.text(), st.text(), st.text() | st.from_regex(r"(unix|tcp|serial):\\S*"))
def test_no_value_raises_anything_else(zone: str, network: str, bridge: str) -> None:
    # A JSON string is a TOML one, but for the escapes that JSON does not need and the surrogates that TOML forbids.
    quoted = [json.dumps(text.replace("\x7f", ""), ensure_ascii=False) for text in (zone, network, bridge)]
    try:
        parse(f"timezone = {quoted[0]}\n[callbacks]\nallow = [{quoted[1]}]\n[bridge]\nat = {quoted[2]}")
    except SettingsError as error:
        assert str(error)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "1" * 5_000,
        "a = " + "[" * 5_000,
        "a = " + "{b = " * 5_000,
        '"a\\nb" = 1',
        "[journal]\nkeep_days = 0x" + "f" * 5_000,
        "name = [" + "1, " * 50_000 + "]",
        "timezone = '" + "A/" * 5_000 + "'",
        "[callbacks]\nallow = ['" + "1" * 5_000 + "']",
        "[bridge]\nat = 'unix:" + "x" * 5_000 + "'",
        "[button]\ndevice = '" + "x" * 5_000 + "'",
        '"' + "k" * 5_000 + '" = 1',
    ],
)
def test_whatever_is_wrong_is_said_in_one_line_that_is_not_long(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(text)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 1_000


KEYS = [f"{table}.{key}" for table in ("access", "journal", "discovery", "button", "bridge") for key in TABLES[table]]
TOML_VALUES = st.recursive(
    st.sampled_from(
        ["1", "-1", "0", "1.5", "nan", "inf", "true", "false", "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z"]
    )
    | st.text(st.characters(codec="utf-8", exclude_characters="\x7f"))
    .map(json.dumps)
    .filter(lambda text: "\\ud" not in text)
    | st.integers(-(2**70), 2**70).map(str),
    lambda values: (
        st.lists(values, max_size=3).map(lambda kept: f"[{', '.join(kept)}]") | values.map("{{x = {}}}".format)
    ),
    max_leaves=4,
)


@given(st.sampled_from([*KEYS, "name", "timezone", "access", "button", "nothing", "journal.nothing"]), TOML_VALUES)
def test_a_value_of_any_type_is_taken_or_the_error_names_its_key(key: str, value: str) -> None:
    try:
        parse(f"{key} = {value}")
    except SettingsError as error:
        said = str(error)
        assert said.startswith(key), said
        assert said.isprintable()
        assert any(words in said for words in ("expected", "must be", "known are")), said


@pytest.mark.parametrize(
    "table", ['device = "event0"', 'device = "/dev/a\\u0000b"', "key = -1", "key = 768", 'key = "28"']
)
def test_what_is_no_button_is_refused(table: str) -> None:
    with pytest.raises(SettingsError, match=f"^button.{table.partition(' ')[0]} = "):
        parse(f"[button]\n{table}")


def test_a_button_is_a_device_and_perhaps_a_key() -> None:
    assert parse('[button]\ndevice = "/dev/input/event0"\nkey = 28').button == Button("/dev/input/event0", 28)
