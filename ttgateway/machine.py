"""What this machine is on its network: which names and addresses are its own, and who its routers are."""

import resource
import socket
import sys
from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from pathlib import Path

IPAddress = IPv4Address | IPv6Address

ENOUGH_FILES = 16_384
"""More files than we ever have open: the connections of thousands of clients and listeners."""

_IPV4_ROUTES = Path("/proc/net/route")
_IPV6_ROUTES = Path("/proc/net/ipv6_route")
_VIA_GATEWAY = 0x2  # RTF_GATEWAY of <linux/route.h>


def is_own_address(address: IPAddress) -> bool:
    """Tell whether ``address`` is one of this machine's own: a UDP socket can be bound to it. No packet is sent.

    Multicast and unspecified addresses can be bound to as well: ask about those elsewhere.
    """
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


class OwnHosts:
    """Tells whether the host in a request's ``Host`` header is this machine: against DNS rebinding (design section 5).

    Ours are ``localhost``, the machine's name (alone, and with ``.local``), ``names``, and the machine's own addresses.
    """

    def __init__(self, names: Collection[str]) -> None:
        machine = socket.gethostname().lower()
        short = machine.partition(".")[0]
        self._names = frozenset({"localhost", machine, f"{short}.local", *(name.lower() for name in names)})

    def add(self, name: str) -> None:
        """Take ``name``, lower case, for ours too."""
        self._names |= {name}

    def __call__(self, host: str) -> bool:
        """Tell whether ``host``, lower case and without a port, is ours."""
        if host in self._names:
            return True
        try:
            return is_own_address(ip_address(host))
        except ValueError:
            return False


def files_allowed(enough: int = ENOUGH_FILES) -> int:
    """Let this process have ``enough`` files open, if the system allows that many; return how many it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = enough if hard == resource.RLIM_INFINITY else min(hard, enough)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def default_gateways(ipv4_routes: Path = _IPV4_ROUTES, ipv6_routes: Path = _IPV6_ROUTES) -> frozenset[IPAddress]:
    """Return the routers of this machine's default routes; none where the kernel does not list its routes (not Linux).

    They are read anew each time: DHCP may bring another one at any moment.
    """
    return ipv4_gateways(_text(ipv4_routes)) | ipv6_gateways(_text(ipv6_routes))


def broadcasts(ipv4_routes: Path = _IPV4_ROUTES) -> frozenset[IPAddress]:
    """Return the broadcast addresses of the networks that this machine is on, read anew each time (IPv4 alone)."""
    return ipv4_broadcasts(_text(ipv4_routes))


def ipv4_gateways(routes: str) -> frozenset[IPAddress]:
    """Return the gateways of the default routes in ``routes``, the text of ``/proc/net/route``.

    Its fields are interface, destination, gateway, flags, three counts and the mask; an address is the hexadecimal of
    the number that the machine sees in its four bytes.
    """
    rows = [line.split() for line in routes.splitlines()[1:]]
    return frozenset(_ipv4(row[2]) for row in rows if int(row[7], 16) == 0 and int(row[3], 16) & _VIA_GATEWAY)


def ipv4_broadcasts(routes: str) -> frozenset[IPAddress]:
    """Return the broadcast addresses of the networks in ``routes``, as in `ipv4_gateways`, that need no gateway.

    A network of one or two addresses has none (RFC 3021).
    """
    rows = [line.split() for line in routes.splitlines()[1:]]
    direct = [IPv4Network(f"{_ipv4(row[1])}/{_ipv4(row[7])}") for row in rows if not int(row[3], 16) & _VIA_GATEWAY]
    return frozenset(network.broadcast_address for network in direct if network.prefixlen < 31)


def _ipv4(text: str) -> IPv4Address:
    return IPv4Address(int(text, 16).to_bytes(4, sys.byteorder))


def ipv6_gateways(routes: str) -> frozenset[IPAddress]:
    """Return the gateways of the default routes in ``routes``, the text of ``/proc/net/ipv6_route``.

    Its fields are destination and its prefix length, source and its prefix length, next hop, metric, two counts, flags
    and interface; an address is the hexadecimal of its sixteen bytes.
    """
    rows = [line.split() for line in routes.splitlines()]
    return frozenset(
        IPv6Address(bytes.fromhex(row[4])) for row in rows if int(row[1], 16) == 0 and int(row[8], 16) & _VIA_GATEWAY
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
