"""A listener that does what ``docs/chaos.rst`` says a right one does, without a network."""

from typing import Any

from ttgateway.commands.chaos.script import Act, Manner


class Board:
    """The open orders, by uuid; ``heeds`` can be narrowed to see that each rule is needed."""

    RULES = frozenset({"repeats", "old snapshots", "snapshots", "new journals", "replays"})

    def __init__(self, heeds: frozenset[str] = RULES) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.noted: list[int] = []
        self._heeds = heeds
        self._journal = 0
        self._last = 0
        self._named: set[str] | None = None
        self._passing_over = False

    def take(self, act: Act, body: dict[str, Any]) -> None:
        """Take what an act sends, if that is a whole request."""
        if act.manner is not Manner.HALF:
            self.hear(act.delivery.flags, act.journal, body)

    def hear(self, flags: str, journal: int, body: dict[str, Any]) -> None:
        """Take a delivery with the ``ttgateway-flags`` given; ``journal`` stands for the epoch in its webhook-id."""
        if journal != self._journal and "new journals" in self._heeds:
            self._journal, self._last = journal, 0
        if flags == "snapshot":
            if "snapshots" in self._heeds:
                self._take_snapshot(body)
        elif flags == "replay":
            if "replays" in self._heeds:
                self._note(body)
        elif body["seq"] > self._last or "repeats" not in self._heeds:
            self._last = body["seq"]
            self._note(body)

    def _take_snapshot(self, body: dict[str, Any]) -> None:
        if body["type"] == "SNAPSHOT_BEGIN":
            self._passing_over = body["seq"] < self._last and "old snapshots" in self._heeds
            self._named = set()
        elif self._passing_over or self._named is None:
            return
        elif body["type"] == "SNAPSHOT_END":
            self.orders = {uuid: order for uuid, order in self.orders.items() if uuid in self._named}
            self._last = max(self._last, body["seq"])
            self._named = None
        else:
            self._named.add(body["uuid"])
            self._note(body)

    def _note(self, body: dict[str, Any]) -> None:
        known = self.orders.get(body["uuid"])
        if known is not None and known["seq"] > body["seq"] and "repeats" in self._heeds:
            return
        self.noted.append(body["seq"])
        if body["state"] == "cleared":
            self.orders.pop(body["uuid"], None)
        else:
            self.orders[body["uuid"]] = body
