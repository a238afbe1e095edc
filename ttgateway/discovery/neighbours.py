"""Hosts that announce their addresses on the network: a sign of life of whoever listens there (design section 4)."""

import time
from collections.abc import Callable
from ipaddress import ip_address

from zeroconf import RecordUpdate, RecordUpdateListener, Zeroconf
from zeroconf._dns import DNSAddress

TELL_EVERY = 5.0
"""Seconds within which the same address is told once: many queries bring many announcements."""

MOST = 1_024
"""Addresses that are told within that time. Anybody can announce any address: who floods us is told no more."""


class Neighbours(RecordUpdateListener):
    """Calls ``heard`` with each address that is announced, on the library's thread; ``seconds`` is a monotonic clock.

    An address is IPv4 or IPv6 as text. Our own are among them.
    """

    def __init__(self, heard: Callable[[str], None], seconds: Callable[[], float] = time.monotonic) -> None:
        self._heard = heard
        self._seconds = seconds
        self._told: dict[str, float] = {}

    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        """Take what one packet announces, or the expiry of what the library remembers."""
        for update in records:
            record = update.new
            if isinstance(record, DNSAddress) and not record.is_expired(now):
                self._note(record)

    def _note(self, record: DNSAddress) -> None:
        address, now = str(ip_address(record.address)), self._seconds()
        if now - self._told.get(address, -TELL_EVERY) < TELL_EVERY:
            return
        if len(self._told) >= MOST:
            self._told = {other: at for other, at in self._told.items() if now - at < TELL_EVERY}
        if len(self._told) < MOST:
            self._told[address] = now
            self._heard(address)
