"""Whom we may call: a list of what is allowed, not of what is forbidden (design section 5, faults section c).

Private networks are allowed, the operator's settings open more, and a few things nothing opens. An address is judged
when a listener registers and again at each dial; what was judged is what is dialled, never the name again.
"""

from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Any

from ttgateway.machine import IPAddress
from ttgateway.refusals import CallbackForbidden
from ttgateway.settings import Opening

IPNetwork = IPv4Network | IPv6Network

# Ports on which other services listen (and which therefore make us somebody's tool), but no listener of orders.
PORTS_OF_OTHERS = frozenset(
    {1, 7, 9, 19, 21, 22, 23, 25, 53, 110, 111, 135, 139, 143, 445, 465, 514, 515, 587, 631, 993, 995}
    | {2049, 2375, 3306, 3389, 5432, 5900, 6379, 9100, 11211, 27017}
)


def _networks(*texts: str) -> tuple[IPNetwork, ...]:
    return tuple(ip_network(text) for text in texts)


# Written out, because `ipaddress` calls loopback private, and 6to4 and NAT64 global.
_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")

# Amazon (its containers too, and all of the prefix that it gives out such services in), Azure, Oracle, Alibaba, Google,
# Scaleway. The IPv6 ones lie among the private addresses, which are open without being listed.
_METADATA = _networks(
    *("169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32", "168.63.129.16/32", "192.0.0.192/32"),
    *("100.100.100.200/32", "fd00:ec2::/32", "fd20:ce::254/128", "fd00:42::42/128"),
)

_NEVER = (
    ("the unspecified address", _networks("0.0.0.0/8", "::/128")),
    ("a multicast address", _networks("224.0.0.0/4", "ff00::/8")),
    ("the broadcast address", _networks("255.255.255.255/32")),
    ("a cloud's metadata service", _METADATA),
)
# Where such an address leads is up to somebody's router, not to the address that we can judge.
_EMBEDDING = (
    ("a 6to4 address", _networks("2002::/16")),
    ("a Teredo address", _networks("2001::/32")),
    ("a NAT64 address", _networks("64:ff9b::/96", "64:ff9b:1::/48")),
    ("an IPv4-translated address", _networks("::ffff:0:0:0/96")),
    ("an IPv4-compatible address", _networks("::/96")),
)
# The upper half of an interface id that embeds an IPv4 address in any network, a private one too (RFC 5214, 6.1).
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})

_CLOSED = (
    ("a link-local address", _networks("169.254.0.0/16", "fe80::/10")),
    ("an address of a carrier's network (CGNAT)", _networks("100.64.0.0/10")),
    (
        "a reserved address",
        _networks("192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "100::/64", "2001::/23", "fec0::/10"),
    ),
)


class CallPolicy:
    """Decides whether an address and port may be called.

    ``allow`` is what the settings open, each entry a network and a port (``None``: every port but `PORTS_OF_OTHERS`);
    `allow_also` adds what the operator opens by command, of which ``revision`` counts the changes.
    ``source_only`` is whether a device may register only its own address; ``loopback`` is whether we listen on loopback
    only, and so may call it; ``own_ports`` are the ports on which we listen, read at each check; ``is_own`` tells
    whether an address is this machine's, ``default_gateways`` names its routers, and ``broadcasts`` the addresses at
    which all of a network of its own would hear.
    """

    def __init__(
        self,
        *,
        allow: Sequence[tuple[IPNetwork, int | None]],
        source_only: bool,
        loopback: bool,
        own_ports: Collection[int],
        is_own: Callable[[IPAddress], bool],
        default_gateways: Callable[[], Collection[IPAddress]],
        broadcasts: Callable[[], Collection[IPAddress]] = frozenset,
    ) -> None:
        self._allow = tuple(Opening(*entry) for entry in allow)
        self._also: tuple[Opening, ...] = ()
        self.revision = 0
        self._source_only = source_only
        self._loopback = loopback
        self._own_ports = own_ports
        self._is_own = is_own
        self._default_gateways = default_gateways
        self._broadcasts = broadcasts

    @property
    def rules(self) -> dict[str, Any]:
        """What opens more than private networks, by its name."""
        return {
            "private": [str(network) for network in _PRIVATE],
            "settings": [str(entry) for entry in self._allow],
            "command": [str(entry) for entry in self._also],
            "loopback": self._loopback,
            "sourceOnly": self._source_only,
        }

    def allow_also(self, entries: Sequence[Opening]) -> None:
        """Let ``entries`` be called besides what the settings open, in place of those before."""
        self._also = tuple(entries)
        self.revision += 1

    def check(self, address: IPAddress, port: int) -> None:
        """Return if we may call ``port`` of ``address``, that is of `unwrapped` of it; raise `CallbackForbidden`."""
        address = unwrapped(address)
        self._check_never(address, port)
        opened = [allowed for network, allowed in (*self._allow, *self._also) if address in network]
        if port in opened:
            return
        if port in PORTS_OF_OTHERS:
            raise _closed(address, f"port {port} belongs to another kind of service", port)
        if None in opened:
            return
        rule = self._rule_against(address)
        if rule:
            raise _closed(address, f"{address} is {rule}")

    def reason(self, address: IPAddress, port: int) -> str:
        """Return by what rule we may call ``port`` of ``address``, in words; raise `CallbackForbidden`."""
        self.check(address, port)
        address = unwrapped(address)
        if port not in PORTS_OF_OTHERS and not self._rule_against(address):
            if _within(address, _LOOPBACK):
                return "a loopback address, and the gateway itself listens on loopback only"
            return "a private address"
        sources = (("callbacks.allow", self._allow), ("ttgateway allow", self._also))
        by, entry = next(
            (by, entry)
            for by, entries in sources
            for entry in entries
            if address in entry.network and (entry.port == port or (entry.port is None and port not in PORTS_OF_OTHERS))
        )
        return f"opened by {by}: {entry}"

    def check_source(self, caller: IPAddress, host: IPAddress | None) -> None:
        """Return if whoever calls from ``caller`` may register ``host`` (``None``: a name); raise `CallbackForbidden`.

        Only with ``callbacks.source_only`` must it be the caller's own. A name never is: it may lead to the caller
        today, and to another device at the next dial, when nobody knows any more who registered it.
        """
        own = unwrapped(caller)
        if self._source_only and (host is None or unwrapped(host) != own):
            named = "a name" if host is None else host
            raise CallbackForbidden(
                f"Callback refused: {named} is not the address that this request came from ({own}). "
                "The operator allows other addresses with callbacks.source_only = false in the settings."
            )

    def _check_never(self, address: IPAddress, port: int) -> None:
        rule = _rule_in(_NEVER, address)
        if rule is None and not _within(address, _LOOPBACK):  # ::1 lies in ::/96
            rule = _rule_in(_EMBEDDING, address) or _isatap(address)
        if rule is None and address in self._broadcasts():
            rule = "the broadcast address of a network of this machine"
        if rule is None and port in self._own_ports and self._is_own(address):
            rule = f"this gateway itself, with port {port}"
        if rule:
            raise CallbackForbidden(f"Callback refused: {address} is {rule}. No setting allows it.")

    def _rule_against(self, address: IPAddress) -> str | None:
        """Return what ``address`` is, in words, unless it is one that may be called without being listed."""
        if _within(address, _LOOPBACK):
            return None if self._loopback else "a loopback address"
        if not _within(address, _PRIVATE):
            return _rule_in(_CLOSED, address) or "a public address"
        if address in self._default_gateways():
            return "this network's router (the default gateway)"
        return None


def stays_closed(network: IPNetwork) -> str | None:
    """Return what all of ``network`` is, in words, if nothing opens it; ``None`` if some of it can be called."""
    rules = _NEVER if any(_covers(loopback, network) for loopback in _LOOPBACK) else (*_NEVER, *_EMBEDDING)
    return next((words for words, closed in rules if any(_covers(one, network) for one in closed)), None)


def _covers(outer: IPNetwork, inner: IPNetwork) -> bool:
    return inner.network_address in outer and inner.broadcast_address in outer  # of another version, none is


def unwrapped(address: IPAddress) -> IPAddress:
    """Return what to judge and dial for ``address``: the IPv4 address within an IPv4-mapped one, else itself."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _isatap(address: IPAddress) -> str | None:
    embeds = address.version == 6 and int(address) >> 32 & 0xFFFF_FFFF in _ISATAP
    return "an ISATAP address" if embeds else None


def _within(address: IPAddress, networks: Sequence[IPNetwork]) -> bool:
    return any(address in network for network in networks)


def _rule_in(rules: Sequence[tuple[str, Sequence[IPNetwork]]], address: IPAddress) -> str | None:
    return next((words for words, networks in rules if _within(address, networks)), None)


def _closed(address: IPAddress, why: str, port: int | None = None) -> CallbackForbidden:
    entry = Opening(ip_network(address), port)
    return CallbackForbidden(
        f"Callback refused: {why}. The operator allows it with: ttgateway allow {entry}"
        f' (or with callbacks.allow = ["{entry}"] in the settings).'
    )
