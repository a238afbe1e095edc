import resource
import socket
import sys
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest

from ttgateway.machine import (
    OwnHosts,
    broadcasts,
    default_gateways,
    files_allowed,
    ipv4_broadcasts,
    ipv4_gateways,
    ipv6_gateways,
    is_own_address,
)

NONE = "0.0.0.0"  # noqa: S104  # nothing is bound
IPV6_ROUTES = """\
fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth0
20010db8000000000000000000000000 20 00000000000000000000000000000000 00 fd000000000000000000000000000002 00000400 00000002 00000000 00000003     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
"""  # noqa: E501  # as the kernel prints them


def number(address: str) -> str:
    """Spell an IPv4 address as this machine's kernel does."""
    return f"{int.from_bytes(IPv4Address(address).packed, sys.byteorder):08X}"


def route(destination: str, gateway: str, flags: str, mask: str) -> str:
    return f"eth0\t{number(destination)}\t{number(gateway)}\t{flags}\t0\t0\t0\t{number(mask)}\t0\t0\t0   \n"


IPV4_ROUTES = (
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT   \n"
    + route(NONE, "192.168.1.1", "0003", NONE)
    + route("192.168.1.0", NONE, "0001", "255.255.255.0")
    + route("10.0.0.0", "192.168.1.9", "0003", "255.0.0.0")
    + route(NONE, NONE, "0001", NONE)
)


class Probe:
    """A UDP socket of a machine whose addresses are 10.0.0.2 and fd00::2."""

    def __init__(self, family: int, kind: int) -> None:
        assert kind == socket.SOCK_DGRAM
        self._own = {socket.AF_INET: "10.0.0.2", socket.AF_INET6: "fd00::2"}[socket.AddressFamily(family)]

    def __enter__(self) -> "Probe":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def bind(self, at: tuple[str, int]) -> None:
        if at != (self._own, 0):
            raise OSError("Cannot assign requested address")


@pytest.mark.parametrize(
    ("address", "own"), [("10.0.0.2", True), ("10.0.0.3", False), ("fd00::2", True), ("fd00::3", False)]
)
def test_an_address_is_our_own_if_a_socket_can_be_bound_to_it(
    monkeypatch: pytest.MonkeyPatch, address: str, own: bool
) -> None:
    monkeypatch.setattr(socket, "socket", Probe)
    assert is_own_address(ip_address(address)) is own


def test_no_ipv6_address_is_ours_where_there_is_no_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_ipv6(family: int, kind: int) -> Probe:
        raise OSError("Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", without_ipv6)
    assert not is_own_address(ip_address("fd00::2"))


def test_ipv4_gateways_are_those_of_default_routes() -> None:
    assert ipv4_gateways(IPV4_ROUTES) == {IPv4Address("192.168.1.1")}


@pytest.mark.parametrize(
    ("flags", "mask", "is_default"), [("0013", NONE, True), ("0011", NONE, False), ("0013", "128.0.0.0", False)]
)
def test_a_default_route_is_for_all_addresses_and_goes_by_a_gateway(flags: str, mask: str, is_default: bool) -> None:
    found = {IPv4Address("10.1.1.1")} if is_default else frozenset()
    assert ipv4_gateways("header\n" + route(NONE, "10.1.1.1", flags, mask)) == found
    assert (ipv4_broadcasts("header\n" + route("10.1.0.0", NONE, flags, "255.255.0.0")) == frozenset()) is (
        "13" in flags
    )


@pytest.mark.parametrize(
    ("flags", "length", "is_default"), [("00000013", "00", True), ("00000011", "00", False), ("00000013", "10", False)]
)
def test_an_ipv6_default_route_is_for_all_addresses_and_goes_by_a_gateway(
    flags: str, length: str, is_default: bool
) -> None:
    zeros, router = "0" * 32, "fd" + "0" * 29 + "1"
    line = f"{zeros} {length} {zeros} 00 {router} 00000400 00000002 00000000 {flags} eth0\n"
    assert ipv6_gateways(line) == ({IPv6Address("fd00::1")} if is_default else frozenset())


def test_ipv6_gateways_are_those_of_default_routes() -> None:
    assert ipv6_gateways(IPV6_ROUTES) == {IPv6Address("fd00::1")}


def test_no_routes_have_no_gateways() -> None:
    assert ipv4_gateways("") == ipv6_gateways("") == frozenset()


def test_networks_that_need_no_gateway_have_a_broadcast_address() -> None:
    assert ipv4_broadcasts(IPV4_ROUTES) == {IPv4Address("192.168.1.255"), IPv4Address("255.255.255.255")}
    assert ipv4_broadcasts("") == frozenset()


@pytest.mark.parametrize(
    ("network", "mask", "broadcast"),
    [
        ("10.1.0.0", "255.255.0.0", "10.1.255.255"),
        ("10.1.1.4", "255.255.255.252", "10.1.1.7"),
        ("10.1.1.4", "255.255.255.254", None),
        ("10.1.1.4", "255.255.255.255", None),
    ],
)
def test_a_network_of_two_addresses_has_no_broadcast(network: str, mask: str, broadcast: str | None) -> None:
    expected = frozenset() if broadcast is None else {IPv4Address(broadcast)}
    assert ipv4_broadcasts("header\n" + route(network, NONE, "0001", mask)) == expected


def test_broadcast_addresses_are_read_from_the_kernel(tmp_path: Path) -> None:
    assert broadcasts(tmp_path / "route") == frozenset()
    (tmp_path / "route").write_text(IPV4_ROUTES)
    assert IPv4Address("192.168.1.255") in broadcasts(tmp_path / "route")


def test_gateways_of_both_families_are_read_from_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "route").write_text(IPV4_ROUTES)
    (tmp_path / "ipv6_route").write_text(IPV6_ROUTES)
    assert default_gateways(tmp_path / "route", tmp_path / "ipv6_route") == {
        IPv4Address("192.168.1.1"),
        IPv6Address("fd00::1"),
    }


def test_no_gateways_are_known_where_the_kernel_lists_no_routes(tmp_path: Path) -> None:
    assert default_gateways(tmp_path / "route", tmp_path / "ipv6_route") == frozenset()


@pytest.mark.parametrize("host", ["elsewhere.example", "", "10.0.0", "localhost.example"])
def test_a_name_that_is_not_ours_is_not_taken_for_an_address(host: str) -> None:
    assert OwnHosts(["orders.example"])(host) is False


def test_a_name_can_be_made_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "appliance.shop.example")
    hosts = OwnHosts(["Orders.Example"])
    assert hosts("appliance.local")
    assert hosts("localhost")
    assert hosts("appliance.shop.example")
    assert hosts("orders.example")
    assert not hosts("ttgateway-0f3c1a2b4d5e.local")
    hosts.add("ttgateway-0f3c1a2b4d5e.local")
    assert hosts("ttgateway-0f3c1a2b4d5e.local")


@pytest.mark.parametrize(
    ("soft", "hard", "allowed", "is_set"),
    [
        (1_024, 524_288, 16_384, True),
        (1_024, 4_096, 4_096, True),
        (256, 256, 256, False),
        (20_000, 20_000, 16_384, False),
        (1_024, resource.RLIM_INFINITY, 16_384, True),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 16_384, False),
    ],
)
def test_as_many_files_may_be_open_as_we_want_and_the_system_lets_us(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, allowed: int, is_set: bool
) -> None:
    made: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: made.append(limits))
    assert files_allowed() == allowed
    assert made == ([(allowed, hard)] if is_set else [])
