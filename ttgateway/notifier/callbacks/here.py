"""How listeners are called from this machine: by what its own addresses, routers and name servers are."""

from collections.abc import Collection, Sequence
from functools import partial
from threading import Thread
from typing import Any

from twisted.python.threadpool import ThreadPool

from ttgateway.machine import broadcasts, default_gateways, is_own_address
from ttgateway.notifier.attempts.attempt import Network
from ttgateway.notifier.attempts.dialling import Dialler, TrustRoot
from ttgateway.notifier.attempts.sweep import Sweep
from ttgateway.notifier.callbacks.policy import CallPolicy
from ttgateway.notifier.callbacks.resolver import SystemResolver, thread_lookup
from ttgateway.settings import Opening


def policy_here(
    *, allow: Sequence[Opening], source_only: bool, loopback: bool, own_ports: Collection[int]
) -> CallPolicy:
    """Return whom a gateway on this machine may call; the arguments are those of `CallPolicy`."""
    return CallPolicy(
        allow=allow,
        source_only=source_only,
        loopback=loopback,
        own_ports=own_ports,
        is_own=is_own_address,
        default_gateways=default_gateways,
        broadcasts=broadcasts,
    )


def lookup_threads(most: int) -> ThreadPool:
    """Return up to ``most`` threads that ask for names, begun; the process does not wait for them at its end."""
    threads = ThreadPool(0, most, "look-ups")
    threads.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]
    threads.start()
    return threads


def end_lookups(threads: ThreadPool) -> None:
    """End the threads of `lookup_threads`; a look-up that hangs is not waited for: its thread ends with the process."""
    if not threads.working:
        threads.stop()


def network_here(reactor: Any, policy: CallPolicy, lookups: ThreadPool, trust_root: TrustRoot) -> Network:
    """Return the network as this machine sees it; who makes it stops its sweep."""
    return Network(
        sweep=Sweep(reactor),
        resolver=SystemResolver(thread_lookup(reactor, lookups), reactor),
        policy=policy,
        dial=Dialler(reactor, trust_root),
    )
