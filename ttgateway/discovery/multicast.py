"""Multicast DNS by the library ``zeroconf``: the one module that meets it. Everything here blocks.

The library runs on a thread of its own, and what it is asked to do is waited for.
"""

import asyncio
import concurrent.futures
from collections.abc import Coroutine
from socket import inet_aton
from typing import Any, cast

import zeroconf
from twisted.logger import Logger
from zeroconf import IPVersion, RecordUpdateListener, ServiceInfo, Zeroconf
from zeroconf.const import _CLASS_IN, _TYPE_SRV

LIMIT = 20.0
"""Seconds for one thing that the library is asked to do: with a name that is taken many times over, a try each."""


class MulticastFailed(Exception):
    """Multicast DNS does not work here, or not now; the text says why, in a few words."""


class MulticastDNS:
    """Speaks and hears multicast DNS on the interfaces that have ``addresses``. All methods raise `MulticastFailed`.

    ``hears`` is told of every record that is announced, on the library's thread.
    """

    _log = Logger()

    def __init__(self, addresses: list[str], hears: RecordUpdateListener | None = None) -> None:
        self._pending: concurrent.futures.Future[None] | None = None
        self._interrupted = False
        self._complained = False
        try:
            self.zeroconf = Zeroconf(interfaces=list(addresses), ip_version=IPVersion.V4Only)
        except (OSError, RuntimeError, zeroconf.Error) as error:
            raise MulticastFailed(_why(error)) from None
        self._loop = cast(asyncio.AbstractEventLoop, self.zeroconf.loop)  # it runs by now
        self._loop.call_soon_threadsafe(self._loop.set_exception_handler, self._complain)
        if hears is not None:
            self.zeroconf.add_listener(hears, None)

    def register(self, info: ServiceInfo) -> None:
        """Announce ``info``, under another name if its own is taken: then ``info.name`` says which."""
        self._await(_both(self.zeroconf.async_register_service(info, allow_name_change=True)))

    def rename(self, info: ServiceInfo) -> None:
        """Announce ``info`` anew under a name that is free. No goodbye is said to the old one: another has it."""

        async def renamed() -> None:
            self.zeroconf.registry.async_remove(info)
            await _both(self.zeroconf.async_register_service(info, allow_name_change=True))

        self._await(renamed())

    def repeat(self, info: ServiceInfo) -> None:
        """Say again what was announced, with what has changed in ``info``."""
        self._await(_both(self.zeroconf.async_update_service(info)))

    def move(self, info: ServiceInfo, addresses: list[str]) -> None:
        """Speak and hear on the interfaces with ``addresses`` from now on, and announce them."""
        info.addresses = [inet_aton(address) for address in addresses]
        self._await(self.zeroconf.async_update_interfaces(list(addresses)))
        self.repeat(info)

    def rivals(self, info: ServiceInfo) -> list[str]:
        """Return the hosts, other than ours, of which was heard lately that they have the name of ``info``."""
        records: list[Any] = self.zeroconf.cache.get_all_by_details(info.name, _TYPE_SRV, _CLASS_IN)
        now = zeroconf.current_time_millis()
        hosts = [record.server_key for record in records if not record.is_expired(now)]
        return [host for host in hosts if host != info.server_key]

    def interrupt(self) -> None:
        """Give up what is being done just now, and do nothing more but `close`; to be called from another thread."""
        self._interrupted = True
        if (pending := self._pending) is not None:
            pending.cancel()

    def close(self) -> None:
        """Say goodbye for what was announced, and end."""
        try:
            self.zeroconf.close()
        except (OSError, RuntimeError, zeroconf.Error, concurrent.futures.TimeoutError) as error:
            raise MulticastFailed(_why(error)) from None

    def _await(self, work: Coroutine[Any, Any, None]) -> None:
        self._pending = pending = asyncio.run_coroutine_threadsafe(work, self._loop)
        if self._interrupted:
            pending.cancel()
        try:
            pending.result(LIMIT)
        except concurrent.futures.CancelledError:
            raise MulticastFailed("interrupted") from None
        except (OSError, RuntimeError, zeroconf.Error, concurrent.futures.TimeoutError) as error:
            pending.cancel()
            raise MulticastFailed(_why(error)) from None
        finally:
            self._pending = None
        if not self.zeroconf.engine.senders:  # the library only leaves out what it cannot use
            raise MulticastFailed("no interface can multicast")

    def _complain(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log, once, what went wrong inside the library: else asyncio prints a traceback for somebody's packet."""
        if not self._complained:
            self._complained = True
            self._log.warn("In zeroconf: {error!r}", error=context.get("exception") or context["message"])


async def _both(registration: Coroutine[Any, Any, Any]) -> None:
    """Await what the library returns twice over: the second part is the announcing."""
    await (await registration)


def _why(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
