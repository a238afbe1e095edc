"""A restaurant's floor, as a model: which orders there are, and what happens next. No clock, no input, no output."""

import functools
from collections.abc import Iterable
from enum import StrEnum
from random import Random

import msgspec

HIGHEST = 999
"""The highest number on a tracker."""

ON_PREMISE, TO_GO = "ON_PREMISE", "TO_GO"

# How likely what may happen is, as weights. Those of starts grow with the floor, so that large ones fill as well.
_STARTS = ((ON_PREMISE, 0.25), (TO_GO, 0.06))
_UNRIPE = 0.05  # of an order that has just come to where it is


class Action(StrEnum):
    """What can happen to an order; each is one change."""

    START = "start"
    LOCATE = "locate"
    PAGE = "page"
    UNPAGE = "unpage"
    CLEAR = "clear"


class Step(msgspec.Struct, frozen=True):
    """One thing to do: to the order with number ``name``, of type ``kind``; ``table`` is ``""`` for none."""

    action: Action
    name: str
    kind: str
    table: str


class Guest(msgspec.Struct):
    """One order of ours; ``uuid`` is the gateway's, ``since`` the step at which it came to where it is."""

    name: str
    kind: str
    table: str
    uuid: str
    since: int
    paged: bool = False


class Floor:
    """The orders on a floor with ``tables`` tables: as many guests, and a few who take their food along.

    ``next`` decides, ``done`` and ``lost`` tell what came of it. The same ``random`` and the same answers make the
    same steps.
    """

    def __init__(self, tables: int, random: Random) -> None:
        self._tables = tables
        self._most_to_go = 1 + tables // 4
        self._random = random
        self._guests: dict[str, Guest] = {}
        self._others: set[str] = set()
        self._steps = 0

    def guests(self) -> list[Guest]:
        """Return the orders that were started here and are not over, oldest first."""
        return list(self._guests.values())

    def avoid(self, names: Iterable[str]) -> None:
        """Leave these numbers alone: somebody else's orders have them."""
        self._others.update(names)

    def guest(self, name: str) -> Guest:
        """Return the order of ours with this number."""
        return self._guests[name]

    def next(self) -> Step:
        """Return what happens next; nothing is changed by it but the state of the random source."""
        prospects = [
            (functools.partial(self._start, kind), weight * self._tables)
            for kind, weight in _STARTS
            if self._room_for(kind)
        ]
        for guest in self._guests.values():
            ripe = 1.0 if self._steps - guest.since >= self._tables // 4 else _UNRIPE
            prospects += [
                (functools.partial(self._step, action, guest), weight) for action, weight in _next(guest, ripe)
            ]
        steps, weights = zip(*prospects, strict=True)
        step: Step = self._random.choices(steps, weights)[0]()
        return step

    def done(self, step: Step, uuid: str = "") -> None:
        """Note that ``step`` was made; the order is now known to the gateway as ``uuid`` (``""``: as before)."""
        self._steps += 1
        if step.action is Action.START:
            self._guests[step.name] = Guest(step.name, step.kind, step.table, uuid, self._steps)
            return
        guest = self._guests[step.name]
        guest.uuid = uuid or guest.uuid
        if step.action is Action.CLEAR:
            del self._guests[step.name]
        elif step.action is Action.LOCATE:
            guest.table, guest.since = step.table, self._steps
        else:
            guest.paged = step.action is Action.PAGE

    def lost(self, name: str) -> None:
        """Note that somebody else ended the order with this number."""
        self._guests.pop(name, None)

    def _room_for(self, kind: str) -> bool:
        there = sum(guest.kind == kind for guest in self._guests.values())
        return there < (self._tables if kind == ON_PREMISE else self._most_to_go)

    def _start(self, kind: str) -> Step:
        at_once = kind == ON_PREMISE and self._random.random() < 0.1
        return Step(Action.START, self._free_name(), kind, self._free_table() if at_once else "")

    def _step(self, action: Action, guest: Guest) -> Step:
        table = self._free_table() if action is Action.LOCATE else guest.table
        return Step(action, guest.name, guest.kind, table)

    def _free_name(self) -> str:
        taken = self._others | self._guests.keys()
        highest = HIGHEST
        while len(taken) * 2 > highest:
            highest = highest * 10 + 9
        while (name := str(self._random.randint(1, highest))) in taken:
            pass
        return name

    def _free_table(self) -> str:
        taken = {guest.table for guest in self._guests.values()}
        return self._random.choice([table for table in map(str, range(1, self._tables + 1)) if table not in taken])


def _next(guest: Guest, ripe: float) -> list[tuple[Action, float]]:
    """Return what may happen to ``guest`` next, and how likely each is; ``ripe`` is how likely a move or an end is."""
    if guest.paged:
        return [(Action.UNPAGE, 2.0), (Action.CLEAR, 0.5 * ripe)]
    if guest.kind == ON_PREMISE and not guest.table:
        return [(Action.LOCATE, 2.0 * ripe)]
    return [(Action.PAGE, 0.15), (Action.CLEAR, 0.6 * ripe)]
