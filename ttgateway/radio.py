"""The radio: the trackers and repeaters that a bridge tells of, and what the bridge is told (protocol section 9).

It keeps what it knows in memory alone: after a restart of either side, the bridge tells it again.
"""

from collections.abc import Iterable
from enum import StrEnum
from math import ceil
from typing import Annotated, Protocol

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ttgateway.clock import Clock
from ttgateway.refusals import PagingImpossible, PagingUnavailable

MOST = 1_000
"""The most trackers, and the most repeaters, that are kept; the one not heard of for longest goes."""

_Text = Annotated[str, Meta(max_length=64, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]


class RepeaterStatus(StrEnum):
    """Whether a repeater is at work."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class RepeaterFields(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What report and repeater have in common; what nobody told is ``UNSET``."""

    extended_address: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]
    short_address: _Text | UnsetType = UNSET
    label: _Text | UnsetType = UNSET
    manufacturer_id: _Text | UnsetType = UNSET
    profile_id: _Text | UnsetType = UNSET
    parent_short_address: _Text | UnsetType = UNSET
    firmware_version: _Text | UnsetType = UNSET
    hardware_version: _Text | UnsetType = UNSET
    remaining_children: Annotated[int, Meta(ge=0, le=65_535)] | UnsetType = UNSET
    device_type: _Text | UnsetType = UNSET
    device_model: _Text | UnsetType = UNSET


class RepeaterReport(RepeaterFields, frozen=True, forbid_unknown_fields=True):
    """What a bridge tells of a repeater; ``last_seen`` is Unix time, ``UNSET``: just now."""

    status: RepeaterStatus = RepeaterStatus.ACTIVE
    last_seen: Annotated[float, Meta(ge=0)] | UnsetType = UNSET


class Repeater(RepeaterFields, frozen=True, omit_defaults=False):
    """A repeater as it is shown (protocol section 5); ``last_seen`` is Unix time."""

    status: RepeaterStatus
    last_seen: float


class Tracker(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tracker; ``last_seen`` is Unix time, ``pageable`` is false where the bridge has said that it cannot page it."""

    name: str
    last_seen: float
    pageable: bool


class Link(Protocol):
    """A connection to a bridge."""

    def page(self, name: str, tracking: bool) -> None:
        """Page the guest who carries this tracker."""

    def unpage(self, name: str) -> None:
        """End the paging of this tracker."""

    def pair(self, seconds: int) -> None:
        """Let repeaters join for so long; 0: no more."""

    def replaced(self) -> None:
        """Another bridge has come in this one's place: nothing more is said on this connection, or heard."""


class Radio:
    """What is known of the air. ``configured`` tells whether there is to be a bridge at all.

    ``paged`` and ``unpaged`` are to be called with what is durable: the bridge hears of it at once, or, as long as it
    is away, when it comes back.
    """

    def __init__(self, clock: Clock, *, configured: bool) -> None:
        self._clock = clock
        self._configured = configured
        self._link: Link | None = None
        self._trackers: dict[str, Tracker] = {}
        self._repeaters: dict[str, Repeater] = {}
        self._paged: dict[str, bool] = {}
        self._ended: dict[str, None] = {}  # pages that ended while the bridge was away
        self._pairing_ends = 0.0

    @property
    def connected(self) -> bool | None:
        """Whether a bridge is connected; ``None`` where none is configured."""
        return self._link is not None if self._configured else None

    @property
    def pairing(self) -> int:
        """For how many more seconds repeaters may join; 0: they may not."""
        return max(0, ceil(self._pairing_ends - self._clock.now().uptime))

    def attach(self, link: Link) -> None:
        """Talk to this bridge from now on, and tell it how things stand; the one before is let go.

        It is told which pages ended while no bridge was there, which hold, and last of all for how long repeaters may
        join.
        """
        before, self._link = self._link, link
        if before is not None:
            before.replaced()
        ended, self._ended = self._ended, {}
        for name in ended:
            link.unpage(name)
        for name, tracking in self._paged.items():
            link.page(name, tracking)
        link.pair(self.pairing)

    def detach(self, link: Link) -> None:
        """Take note that this connection is gone; one that was replaced is none of ours any more."""
        if self._link is link:
            self._link = None

    def seen(self, name: str, pageable: bool | None = None) -> None:
        """Take note that a tracker was heard; ``pageable`` as reported, ``None``: as it was (at first, true)."""
        known = self._trackers.pop(name, None)
        if pageable is None:
            pageable = known is None or known.pageable
        self._trackers[name] = Tracker(name=name, last_seen=self._clock.now().wall, pageable=pageable)
        _drop_oldest(self._trackers)

    def reported(self, report: RepeaterReport) -> None:
        """Take note of a repeater. What the report leaves out stays as it was; without a status it is active."""
        now = self._clock.now().wall
        known = self._repeaters.pop(report.extended_address, None)
        told = {name: value for name, value in msgspec.structs.asdict(report).items() if value is not UNSET}
        told["last_seen"] = min(now, told.get("last_seen", now))
        fields = {**(msgspec.structs.asdict(known) if known else {}), **told}
        self._repeaters[report.extended_address] = Repeater(**fields)
        _drop_oldest(self._repeaters)

    def trackers(self) -> list[Tracker]:
        """Return every tracker that was heard, the latest last."""
        return list(self._trackers.values())

    def clear_trackers(self) -> None:
        """Forget the trackers, until they are heard again."""
        self._trackers.clear()

    def repeaters(self) -> list[Repeater]:
        """Return every repeater, the one reported latest last. While no bridge is connected, none is active."""
        if self._link is not None:
            return list(self._repeaters.values())
        inactive = RepeaterStatus.INACTIVE
        return [msgspec.structs.replace(repeater, status=inactive) for repeater in self._repeaters.values()]

    def clear_repeaters(self) -> None:
        """Forget the repeaters, until they are reported again."""
        self._repeaters.clear()

    def begin_pairing(self, seconds: int) -> None:
        """Let repeaters join for so long, 0 to 254 (protocol section 5); what was left of an earlier call is void."""
        self._pairing_ends = self._clock.now().uptime + seconds
        if self._link is not None:
            self._link.pair(seconds)

    def end_pairing(self) -> None:
        """Let no more repeaters join."""
        self.begin_pairing(0)

    def check_pageable(self, name: str) -> None:
        """Raise `PagingUnavailable` or `PagingImpossible` where the tracker with this name cannot be paged now."""
        if self.connected is False:
            raise PagingUnavailable("Paging unavailable. The radio bridge is not connected.")
        tracker = self._trackers.get(name)
        if tracker is not None and not tracker.pageable:
            raise PagingImpossible("Paging impossible. The tracker cannot be paged at present.")

    def paged(self, name: str, *, tracking: bool = True) -> None:
        """Take note that the order with this name is paged, for the first time or again."""
        self._paged[name] = tracking
        self._ended.pop(name, None)
        if self._link is not None:
            self._link.page(name, tracking)

    def unpaged(self, name: str) -> None:
        """Take note that the order with this name is not, or no longer, paged."""
        if self._paged.pop(name, None) is None:
            return
        if self._link is not None:
            self._link.unpage(name)
        elif self._configured:
            self._ended[name] = None
            _drop_oldest(self._ended)

    def stands(self, paged: Iterable[str]) -> None:
        """Take the names of the orders that are paged, as the store has them, in place of what was known."""
        names = dict.fromkeys(paged)
        for name in [name for name in self._paged if name not in names]:
            self.unpaged(name)
        for name in names:
            if name not in self._paged:
                self.paged(name)


def _drop_oldest(table: dict[str, object] | dict[str, Tracker] | dict[str, Repeater] | dict[str, None]) -> None:
    if len(table) > MOST:
        del table[next(iter(table))]
