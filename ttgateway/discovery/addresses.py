"""The IPv4 addresses under which others reach what listens here. They change: DHCP moves us, cables are pulled."""

from collections.abc import Iterable
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import NamedTuple

import ifaddr

_INTERFACES = Path("/sys/class/net")
_WITHOUT_LINK = ("down", "lowerlayerdown", "notpresent")  # of operstate; "unknown" is what tunnels have
_DEEPEST = 8


class Place(NamedTuple):
    """An IPv4 address, and the interface that has it."""

    interface: str
    address: str


def own_places() -> list[Place]:
    """Return this machine's IPv4 addresses as they are now, loopback left out; raises ``OSError``."""
    found = [
        Place(adapter.name.partition(":")[0], str(ip.ip))  # eth0:1 is a second address of eth0
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if ip.is_IPv4
    ]
    return [place for place in found if not IPv4Address(place.address).is_loopback]


def reachable(listens: str, places: Iterable[Place], interfaces: Path = _INTERFACES) -> list[str]:
    """Return those of ``places`` that lead to a port which listens on the address ``listens``, sorted.

    Of a port that listens everywhere these are the addresses of interfaces that have a link, and of those rather the
    ones with hardware under them: what a container's bridge or a VPN has leads nobody on the store's network here.
    Link-local addresses count where there is nothing better. ``interfaces`` is the kernel's list of interfaces; where
    it has none (not Linux, another namespace) all have a link and none has hardware.
    """
    wanted = ip_address(listens)
    places = sorted(place for place in places if _has_link(interfaces / place.interface))
    if not wanted.is_unspecified:
        return [place.address for place in places if place.address == listens][:1]
    places = [place for place in places if _has_hardware(interfaces, place.interface)] or places
    addresses = [place.address for place in places]
    return [address for address in addresses if not IPv4Address(address).is_link_local] or addresses


def _has_link(interface: Path) -> bool:
    try:
        return (interface / "operstate").read_text().strip() not in _WITHOUT_LINK
    except OSError:
        return True


def _has_hardware(interfaces: Path, name: str, depth: int = 0) -> bool:
    """Tell whether the interface is hardware, or stands on some: a VLAN, a bond, a bridge with a real port."""
    interface = interfaces / name
    if (interface / "device").exists():
        return True
    lower = (link.name.removeprefix("lower_") for link in interface.glob("lower_*"))
    return depth < _DEEPEST and any(_has_hardware(interfaces, below, depth + 1) for below in lower)
