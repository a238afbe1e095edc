import socket
import sys
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest

from ttgateway.machine import OwnHosts, default_gateways, ipv4_gateways, ipv6_gateways, is_own_address

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


def test_ipv6_gateways_are_those_of_default_routes() -> None:
    assert ipv6_gateways(IPV6_ROUTES) == {IPv6Address("fd00::1")}


def test_no_routes_have_no_gateways() -> None:
    assert ipv4_gateways("") == ipv6_gateways("") == frozenset()


def test_gateways_of_both_families_are_read_from_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "route").write_text(IPV4_ROUTES)
    (tmp_path / "ipv6_route").write_text(IPV6_ROUTES)
    assert default_gateways(tmp_path / "route", tmp_path / "ipv6_route") == {
        IPv4Address("192.168.1.1"),
        IPv6Address("fd00::1"),
    }


def test_no_gateways_are_known_where_the_kernel_lists_no_routes(tmp_path: Path) -> None:
    assert default_gateways(tmp_path / "route", tmp_path / "ipv6_route") == frozenset()


def test_a_name_can_be_made_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "appliance.shop.example")
    hosts = OwnHosts(["Orders.Example"])
    assert hosts("appliance.local")
    assert hosts("orders.example")
    assert not hosts("ttgateway-0f3c1a2b4d5e.local")
    hosts.add("ttgateway-0f3c1a2b4d5e.local")
    assert hosts("ttgateway-0f3c1a2b4d5e.local")
