"""Which gateways are there: what ``ttgateway discover`` asks the network. Blocks."""

import threading
import time

import msgspec
from zeroconf import ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf

from ttgateway.discovery.addresses import own_places
from ttgateway.discovery.announcement import SERVICE, shown_name
from ttgateway.discovery.multicast import MulticastDNS, MulticastFailed

MOST = 1_000
"""Gateways that are listed: who floods the network with names does not flood us."""

ASK_AGAIN_FOR = 1.0
"""Seconds in all to ask for what an announcement left out."""


class FoundGateway(msgspec.Struct, frozen=True):
    """A gateway as it announces itself; a text that it leaves out is ``""``."""

    name: str
    address: str
    port: int
    version: str
    id: str


class _Names(ServiceListener):
    """Notes the names that are announced, and not withdrawn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, None] = {}

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        with self._lock:
            if len(self._names) < MOST:
                self._names[name] = None

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Do nothing: what is told of a name is looked at in the end."""

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        with self._lock:
            self._names.pop(name, None)

    def all(self) -> list[str]:
        with self._lock:
            return list(self._names)


def found_gateways(seconds: float) -> list[FoundGateway]:
    """Listen for ``seconds``, and return the gateways that are announced, by name; raise `MulticastFailed`.

    A gateway with several addresses is returned once for each.
    """
    try:
        addresses = [place.address for place in own_places()]
    except OSError as error:
        raise MulticastFailed(str(error)) from None
    if not addresses:
        raise MulticastFailed("this machine has no network")
    multicast, names = MulticastDNS(addresses), _Names()
    try:
        browser = ServiceBrowser(multicast.zeroconf, SERVICE, listener=names)
        time.sleep(seconds)
        browser.cancel()
        ends = time.monotonic() + ASK_AGAIN_FOR
        infos = [ServiceInfo(SERVICE, name) for name in names.all()]
        return sorted(
            (found for info in infos if _complete(multicast.zeroconf, info, ends) for found in _gateways(info)),
            key=lambda found: (found.name, found.address, found.port),
        )
    finally:
        multicast.close()


def _complete(zeroconf: Zeroconf, info: ServiceInfo, ends: float) -> bool:
    """Fill in ``info`` with what was heard, or is answered until ``ends``; tell whether it is enough."""
    left = int(1000 * (ends - time.monotonic()))
    return info.load_from_cache(zeroconf) or (left > 0 and info.request(zeroconf, left))


def _gateways(info: ServiceInfo) -> list[FoundGateway]:
    texts = info.decoded_properties
    return [
        FoundGateway(
            name=shown_name(info.name),
            address=address,
            port=info.port or 0,
            version=texts.get("version") or "",
            id=texts.get("id") or "",
        )
        for address in info.parsed_addresses()
    ]
