"""Addresses of every class, and what must come of a listener there; from the RFCs and design section 5, by hand."""

from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

GOOD = "10.0.0.5"
GOOD_6 = "fd00::5"
OWN = "10.77.0.1"
ROUTER = "10.77.0.254"
BROADCAST = "10.77.0.255"
"""The gateway's own address, router and broadcast address (it is on a /24), in the table's world."""
CLIENT = "10.99.0.9"
"""From where its API is called."""


class Place(NamedTuple):
    """An address. ``rule`` is in the message of the refusal, empty where it may be called; ``dialled`` is what is."""

    text: str
    rule: str
    dialled: str

    @property
    def called(self) -> bool:
        """Whether it may be called."""
        return not self.rule


_V4 = {
    "": ("10.0.0.5", "10.255.255.254", "172.16.0.5", "172.31.255.254", "192.168.0.5", "192.168.255.254"),
    "a loopback address": ("127.0.0.1", "127.1.2.3", "127.255.255.254"),
    "the unspecified address": ("0.0.0.0", "0.0.0.1", "0.255.255.255"),  # noqa: S104  # nothing is bound
    "a link-local address": ("169.254.0.1", "169.254.255.254"),
    "metadata service": ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    "a multicast address": ("224.0.0.1", "224.0.0.251", "239.255.255.250"),
    "the broadcast address": ("255.255.255.255", BROADCAST),
    "a reserved address": ("240.0.0.1", "254.1.2.3", "192.0.0.8", "198.18.0.1", "198.19.255.254"),
    "CGNAT": ("100.64.0.1", "100.127.255.254"),
    "router": (ROUTER,),
    "a public address": (
        *("8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.1", "126.255.255.255", "128.0.0.1", "172.15.255.255"),
        *("172.32.0.1", "192.167.255.255", "192.169.0.1", "100.63.255.255", "100.128.0.1", "223.255.255.254"),
        *("192.0.2.1", "198.51.100.7", "203.0.113.7", "169.253.255.255", "169.255.0.1", "198.17.255.255"),
    ),
}

_V6 = {
    "": ("fd00::5", "fc00::5", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "fd20:ce::253", "fd00:42::43"),
    "a loopback address": ("::1",),
    "the unspecified address": ("::",),
    "a link-local address": ("fe80::1", "febf::1"),
    "metadata service": ("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42"),
    "a multicast address": ("ff01::1", "ff02::fb", "ff0e::1"),
    "a reserved address": ("fec0::1", "100::1", "2001:2::1", "2001:10::1"),
    "a public address": ("2606:4700::1111", "2a00::1", "2001:db8::1", "3fff::1", "5f00::1", "fbff::1", "2001:200::1"),
}

_EMBEDDED = ("127.0.0.1", "169.254.169.254", "10.0.0.5", "8.8.8.8", "192.168.0.5", "224.0.0.1", "10.77.0.254")


def _with_tail(prefix: str, low: int) -> str:
    return IPv6Address(int(IPv6Address(prefix)) + low).compressed


def embeddings(text: str) -> dict[str, tuple[str, ...]]:
    """Return the IPv6 addresses by which somebody's router leads to an IPv4 one, by rule."""
    low = int(IPv4Address(text))
    return {
        "a 6to4 address": (_with_tail("2002::1", low << 80),),
        "a Teredo address": (_with_tail("2001::", (low ^ 0xFFFF_FFFF) + (low << 64)),),
        "a NAT64 address": (
            _with_tail("64:ff9b::", low),
            _with_tail("64:ff9b:1::", low),
            _with_tail("64:ff9b:1:fffe::", low),
        ),
        "an IPv4-translated address": (_with_tail("::ffff:0:0:0", low),),
        "an IPv4-compatible address": (_with_tail("::", low),),
        "an ISATAP address": tuple(
            _with_tail(prefix, low)
            for prefix in ("fd00::5efe:0:0", "fd00::200:5efe:0:0", "2a00::5efe:0:0", "fe80::5efe:0:0")
        ),
    }


IPV4 = [Place(text, rule, text) for rule, texts in _V4.items() for text in texts]
IPV6 = [Place(text, rule, text) for rule, texts in _V6.items() for text in texts] + [
    Place(address, rule, address)
    for text in _EMBEDDED
    for rule, addresses in embeddings(text).items()
    for address in addresses
]
PLACES = IPV4 + IPV6
