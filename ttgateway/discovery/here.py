"""The presence of this machine's gateway, put together. Importing it takes 3 MB: only where one is announced."""

from functools import partial
from typing import Any

from ttgateway.discovery.addresses import own_places, reachable
from ttgateway.discovery.announcement import Announcement
from ttgateway.discovery.multicast import MulticastDNS
from ttgateway.discovery.neighbours import Neighbours
from ttgateway.discovery.presence import Presence
from ttgateway.discovery.responder import Responder
from ttgateway.gateway import Gateway
from ttgateway.store.executor import OneThread


def presence_of(gateway: Gateway, announcement: Announcement, listens: str, reactor: Any) -> Presence:
    """Return what will announce ``gateway``, which listens on the address ``listens``."""
    neighbours = Neighbours(lambda host: reactor.callFromThread(gateway.registry.heard, host))
    multicast = partial(MulticastDNS, hears=neighbours)
    responder = Responder(announcement, lambda: reachable(listens, own_places()), multicast)
    return Presence(responder, OneThread(reactor, "discovery"), reactor)
