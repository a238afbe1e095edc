"""A restaurant, as a model: who comes, where they sit, when their food is ready. No clock, no input, no output.

A guest orders at the till and gets a tracker with the order's number. Who stays sits down at a table, which the tracker
reports; the food is brought there, and the tracker taken back: the order is cleared, and the party eats on. Who takes
the food along is paged when it is ready. The kitchen is slower the more it has to do, so that many orders of the rush
hours are late, by the gateway's usual target of five minutes.
"""

import heapq
import math
from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from random import Random

import msgspec

from ttgateway.commands.simulation.day import DAY, busyness, opening, to_go_share
from ttgateway.orders.order import OrderType

FIRST_NUMBER = 101
"""The number of a day's first order; the till counts on from there."""

COOKING = 170.0
"""Seconds that an idle kitchen takes, in the middle."""

SLOWED = 1.6
"""How many times longer food takes when as many orders are in the kitchen as it can cope with."""

EATING = 25 * 60.0
"""Seconds for which a party stays when its food has come, in the middle."""


class Action(StrEnum):
    """What can happen to an order; each is one change."""

    START = "start"
    LOCATE = "locate"
    PAGE = "page"
    UNPAGE = "unpage"
    CLEAR = "clear"


class Step(msgspec.Struct, frozen=True):
    """What happens at second ``at`` of the story to the order with number ``name``; ``table`` is ``""`` for none.

    The story's time is counted from the midnight before its first day.
    """

    at: float
    action: Action
    name: str
    kind: OrderType
    table: str


class _Guest(msgspec.Struct, eq=False):
    """One order, as long as it is active."""

    name: str
    kind: OrderType
    table: str = ""
    paged: bool = False
    waits: bool = True  # for the food; a dessert keeps nobody waiting


class Restaurant:
    """One with ``tables`` tables, where at the busiest ``orders`` orders are given in an hour.

    The same ``random`` makes the same story. Numbers in ``taken`` are somebody else's; the till passes them over.
    """

    def __init__(self, tables: int, orders: float, random: Random, taken: Collection[str] = ()) -> None:
        self._random = random
        self._orders = orders / 3600.0
        self._kitchen = max(2.0, orders / 7.0)
        self._taken = frozenset(taken)
        self._free = [str(number) for number in range(1, tables + 1)]
        self._most_standing = max(1, tables // 3)
        self._active: dict[str, _Guest] = {}
        self._cooking: set[str] = set()
        self._standing: set[str] = set()  # who is to sit down
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._entered = 0
        self._now = 0.0
        self._day = 0.0
        self._number = 0
        self._told: list[Step] = []

    def story(self, begins: float) -> Iterator[Step]:
        """Yield what happens from second ``begins`` on, without end; outside the opening hours from the next opening.

        Whoever is there by then is told of first, as if they had all ordered at that moment; then one more comes.
        """
        begins = opening(begins)
        self._at(opening(begins - begins % DAY), self._arrive)
        while self._agenda[0][0] < begins:
            self._proceed()
        self._now = begins
        self._told.clear()
        for guest in self._active.values():
            self._tell(Action.START, guest)
            if guest.paged:
                self._tell(Action.PAGE, guest)
        self._order()
        while True:
            told, self._told = self._told, []
            yield from told
            self._proceed()

    def _proceed(self) -> None:
        self._now, _, act = heapq.heappop(self._agenda)
        act()

    def _at(self, when: float, act: Callable[[], None]) -> None:
        self._entered += 1
        heapq.heappush(self._agenda, (when, self._entered, act))

    def _in(self, seconds: float, act: Callable[[], None]) -> None:
        self._at(self._now + seconds, act)

    def _tell(self, action: Action, guest: _Guest) -> None:
        self._told.append(Step(self._now, action, guest.name, guest.kind, guest.table))

    # Who comes.

    def _arrive(self) -> None:
        """Somebody may come (as many as in the busiest hour, thinned to what is usual at this one); then the next."""
        if self._random.random() < busyness(self._now):
            self._order()
        self._at(opening(self._now + self._random.expovariate(self._orders)), self._arrive)

    def _order(self) -> None:
        room = bool(self._free) or len(self._standing) < self._most_standing
        stays = self._random.random() >= to_go_share(self._now) and room
        guest = self._guest(OrderType.ON_PREMISE if stays else OrderType.TO_GO)
        if stays and self._free and self._random.random() < 0.1:  # the till knows the table
            guest.table = self._take_table()
        self._begin(guest)
        if stays and not guest.table:
            self._standing.add(guest.name)
            self._in(self._spread(50.0, 0.6), lambda: self._sit_down(guest))

    def _guest(self, kind: OrderType) -> _Guest:
        if self._day < self._now - self._now % DAY:
            self._day, self._number = self._now - self._now % DAY, 0
        while True:
            name = str(FIRST_NUMBER + self._number)
            self._number += 1
            if name not in self._taken and name not in self._active:
                return _Guest(name, kind)

    def _begin(self, guest: _Guest) -> None:
        load = len(self._cooking) / self._kitchen
        self._cooking.add(guest.name)
        self._active[guest.name] = guest
        self._tell(Action.START, guest)
        self._in(self._spread(COOKING * (1.0 + (SLOWED - 1.0) * load), 0.35), lambda: self._ready(guest))

    # Where they sit.

    def _sit_down(self, guest: _Guest) -> None:
        if not guest.waits:
            return
        if not self._free:
            self._in(60.0, lambda: self._sit_down(guest))
            return
        guest.table = self._take_table()
        self._standing.discard(guest.name)
        self._tell(Action.LOCATE, guest)
        if self._random.random() < 0.06:
            self._in(self._spread(70.0, 0.4), lambda: self._move(guest))

    def _move(self, guest: _Guest) -> None:
        """They like another table better."""
        if guest.waits and self._free:
            left, guest.table = guest.table, self._take_table()
            self._free.append(left)
            self._tell(Action.LOCATE, guest)

    def _take_table(self) -> str:
        return self._free.pop(self._random.randrange(len(self._free)))

    # When their food is ready.

    def _ready(self, guest: _Guest) -> None:
        guest.waits = False
        self._cooking.discard(guest.name)
        self._standing.discard(guest.name)
        if not guest.table:  # also those who found no table: they come for it
            self._page(guest)
            self._in(self._spread(60.0, 0.7), lambda: self._fetch(guest))
        elif self._random.random() < 0.05:  # something is to be fetched, or to be asked
            self._page(guest)
            self._in(self._spread(40.0, 0.4), lambda: self._unpage(guest))
            self._in(self._spread(120.0, 0.3), lambda: self._serve(guest))
        else:
            self._serve(guest)

    def _fetch(self, guest: _Guest) -> None:
        if self._random.random() < 0.12:  # nobody comes: once more, in a while
            self._unpage(guest)
            self._in(90.0, lambda: self._page(guest))
            self._in(90.0 + self._spread(60.0, 0.5), lambda: self._clear(guest))
        else:
            self._clear(guest)

    def _serve(self, guest: _Guest) -> None:
        stay = self._spread(EATING, 0.4)
        table = guest.table
        if self._random.random() < 0.015:  # the tracker is forgotten, until the table is cleared
            self._in(stay, lambda: self._clear(guest))
        else:
            self._clear(guest)
            if self._random.random() < 0.12:
                self._in(stay * 0.6, lambda: self._once_more(table))
                stay *= 1.4
        self._in(stay, lambda: self._leave(table))

    def _once_more(self, table: str) -> None:
        """A dessert, which takes less time; the party's stay does not depend on it, but an order ends before it."""
        if not busyness(self._now):
            return
        guest = self._guest(OrderType.ON_PREMISE)
        guest.table = table
        guest.waits = False
        self._active[guest.name] = guest
        self._tell(Action.START, guest)
        self._in(min(self._spread(150.0, 0.3), 240.0), lambda: self._clear(guest))

    def _leave(self, table: str) -> None:
        self._free.append(table)

    def _page(self, guest: _Guest) -> None:
        if self._active.get(guest.name) is guest:
            guest.paged = True
            self._tell(Action.PAGE, guest)

    def _unpage(self, guest: _Guest) -> None:
        if self._active.get(guest.name) is guest and guest.paged:
            guest.paged = False
            self._tell(Action.UNPAGE, guest)

    def _clear(self, guest: _Guest) -> None:
        if self._active.get(guest.name) is guest:
            del self._active[guest.name]
            self._tell(Action.CLEAR, guest)

    def _spread(self, middle: float, width: float) -> float:
        """Return seconds around ``middle``, seldom a multiple of it: as what people do is spread (log-normal)."""
        return middle * math.exp(min(2.5 * width, self._random.gauss(0.0, width)))
