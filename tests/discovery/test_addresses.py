from pathlib import Path

import ifaddr
import pytest

from ttgateway.discovery.addresses import Place, own_places, reachable

EVERYWHERE = "0.0.0.0"  # noqa: S104  # nothing is bound

WIRE = Place("eth0", "10.0.0.5")
RADIO = Place("wlan0", "10.0.9.5")
CONTAINERS = Place("docker0", "172.17.0.1")
ALONE = Place("eth0", "169.254.7.7")


@pytest.fixture
def interfaces(tmp_path: Path) -> Path:
    """What the kernel tells of interfaces: two with hardware, one without."""
    for name in ("eth0", "wlan0"):
        (tmp_path / name / "device").mkdir(parents=True)
    (tmp_path / "docker0").mkdir()
    for name in ("eth0", "wlan0", "docker0"):
        set_link(tmp_path, name, "up")
    return tmp_path


def set_link(interfaces: Path, name: str, state: str) -> None:
    (interfaces / name / "operstate").write_text(f"{state}\n")


def test_a_port_on_all_addresses_is_reached_at_those_with_hardware(interfaces: Path) -> None:
    assert reachable(EVERYWHERE, [CONTAINERS, RADIO, WIRE], interfaces) == ["10.0.0.5", "10.0.9.5"]
    assert reachable("::", [CONTAINERS, WIRE], interfaces) == ["10.0.0.5"]


def test_where_nothing_has_hardware_all_count(interfaces: Path) -> None:
    assert reachable(EVERYWHERE, [CONTAINERS], interfaces) == ["172.17.0.1"]
    assert reachable(EVERYWHERE, [CONTAINERS, WIRE], interfaces / "none") == ["172.17.0.1", "10.0.0.5"]


def test_a_bridge_or_a_vlan_on_hardware_counts_as_hardware(interfaces: Path) -> None:
    for above, below in (("br0", "eth0.7"), ("eth0.7", "eth0")):
        (interfaces / above).mkdir()
        (interfaces / above / f"lower_{below}").symlink_to(interfaces / below)
    assert reachable(EVERYWHERE, [CONTAINERS, Place("br0", "10.0.7.5")], interfaces) == ["10.0.7.5"]


@pytest.mark.parametrize("state", ["down", "lowerlayerdown"])
def test_an_address_whose_cable_is_pulled_does_not_count(interfaces: Path, state: str) -> None:
    set_link(interfaces, "eth0", state)
    assert reachable(EVERYWHERE, [WIRE, RADIO], interfaces) == ["10.0.9.5"]
    assert reachable("10.0.0.5", [WIRE, RADIO], interfaces) == []


def test_link_local_addresses_count_where_there_is_nothing_better(interfaces: Path) -> None:
    assert reachable(EVERYWHERE, [ALONE], interfaces) == ["169.254.7.7"]
    assert reachable(EVERYWHERE, [ALONE, WIRE], interfaces) == ["10.0.0.5"]


def test_a_port_on_one_address_is_reached_there_while_the_machine_has_it(interfaces: Path) -> None:
    assert reachable("10.0.0.5", [WIRE, RADIO], interfaces) == ["10.0.0.5"]
    assert reachable("172.17.0.1", [WIRE, CONTAINERS], interfaces) == ["172.17.0.1"]
    assert reachable("10.0.0.6", [WIRE, RADIO], interfaces) == []
    assert reachable("fd00::5", [WIRE], interfaces) == []


def test_places_are_the_ipv4_addresses_but_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    adapters = [
        ifaddr.Adapter(name, name, [ifaddr.IP(address, 24, name)])
        for name, address in (
            ("lo", "127.0.0.1"),
            ("eth0", "10.0.0.5"),
            ("eth0:1", "10.0.1.5"),
            ("eth0", ("fd00::5", 0, 0)),
        )
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: adapters)
    assert own_places() == [WIRE, Place("eth0", "10.0.1.5")]
