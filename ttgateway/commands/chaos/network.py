"""The network as a gateway on this machine would see it: the same policy, the same look-ups, the same dialling."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from twisted.internet.ssl import platformTrust

from ttgateway.notifier.attempts.attempt import Network
from ttgateway.notifier.callbacks.here import end_lookups, lookup_threads, network_here, policy_here
from ttgateway.settings import Opening


@contextlib.contextmanager
def real_network(reactor: Any, allow: Sequence[Opening]) -> Iterator[Network]:
    """Yield the network; this machine may be called, private networks, and what ``allow`` opens."""
    lookups = lookup_threads(1)
    network = network_here(
        reactor,
        policy_here(allow=allow, source_only=False, loopback=True, own_ports=frozenset()),
        lookups,
        platformTrust(),
    )
    try:
        yield network
    finally:
        network.sweep.stop()
        end_lookups(lookups)
