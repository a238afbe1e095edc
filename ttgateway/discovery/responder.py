"""Keeps a gateway announced, whatever happens to the addresses and to the name. Blocks: for a thread of its own.

It is to `look` every few seconds, and each look sets right what is not so any more::

    no address           -> withdrawn: nothing is said
    first address        -> announced, under the name that is free
    other addresses      -> moved: the same name, the new addresses
    another has our name -> one of the two takes another name
    nothing new          -> said again each minute: who was cut off hears of us, and so does who took the same name
"""

from collections.abc import Callable
from typing import Protocol

from zeroconf import ServiceInfo

from ttgateway.discovery.announcement import Announcement, shown_name
from ttgateway.discovery.presence import Seen

REPEAT_EVERY = 6
"""Looks between two announcements of the same. The first look after an announcement says it again as well."""


class Multicast(Protocol):
    """The part of `ttgateway.discovery.multicast.MulticastDNS` that is used here."""

    def register(self, info: ServiceInfo) -> None: ...  # noqa: D102
    def rename(self, info: ServiceInfo) -> None: ...  # noqa: D102
    def repeat(self, info: ServiceInfo) -> None: ...  # noqa: D102
    def move(self, info: ServiceInfo, addresses: list[str]) -> None: ...  # noqa: D102
    def rivals(self, info: ServiceInfo) -> list[str]: ...  # noqa: D102
    def interrupt(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class Responder:
    """Makes one ``announcement``.

    ``addresses`` returns where the port can be reached now; ``multicast`` begins to speak on such addresses.
    """

    def __init__(
        self,
        announcement: Announcement,
        addresses: Callable[[], list[str]],
        multicast: Callable[[list[str]], Multicast],
    ) -> None:
        self.announcement = announcement
        self._addresses = addresses
        self._open = multicast
        self._multicast: Multicast | None = None
        self._info = announcement.info([])
        self._at: list[str] = []
        self._looks = 0
        self._leaving = False

    def look(self) -> Seen:
        """Set right what is to be set right; return how things are. Raises ``OSError`` and `MulticastFailed`.

        After an error nothing is announced, and the next look begins anew.
        """
        try:
            addresses = self._addresses()
            if self._leaving or not addresses:
                self._close()
            elif self._multicast is None:
                self._announce(addresses)
            elif addresses != self._at:
                self._multicast.move(self._info, addresses)
                self._at, self._looks = addresses, 0
            else:
                self._confirm(self._multicast)
        except BaseException:
            self._close()
            raise
        return Seen(shown_name(self._info.name), tuple(self._at)) if self._at else Seen()

    def withdraw(self) -> None:
        """Say goodbye, for good; raises `MulticastFailed`."""
        self._leaving = True
        self._close()

    def interrupt(self) -> None:
        """Let a `look` that is under way end soon, and be the last; to be called from another thread."""
        self._leaving = True
        if (multicast := self._multicast) is not None:
            multicast.interrupt()

    def _announce(self, addresses: list[str]) -> None:
        self._info = self.announcement.info(addresses)
        self._multicast = self._open(addresses)
        if self._leaving:
            self._multicast.interrupt()
        self._multicast.register(self._info)
        self._at, self._looks = addresses, 0

    def _confirm(self, multicast: Multicast) -> None:
        # Both of us see this: the one with the lesser host name stays. Who is no ttgateway gives way by itself.
        if any(rival < self.announcement.host for rival in multicast.rivals(self._info)):
            multicast.rename(self._info)
            self._looks = 0
            return
        if self._looks % REPEAT_EVERY == 0:
            multicast.repeat(self._info)
        self._looks += 1

    def _close(self) -> None:
        multicast, self._multicast, self._at = self._multicast, None, []
        if multicast is not None:
            multicast.close()
