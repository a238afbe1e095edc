"""What the commands about one order must have left in the journal, by protocol section 3 and nothing of ours."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Change = dict[str, Any]
"""A change as version 2 tells it."""

ACKED, REFUSED, ABSENT, UNKNOWN = "acked", "refused", "absent", "unknown"


@dataclass
class Command:
    """One command, and what became of it: acknowledged, refused, no such order, or nobody knows."""

    at: float
    kind: str  # post, page, unpage, clear
    name: str
    type: str = ""
    location: str = ""
    outcome: str = UNKNOWN
    reply: Change | None = None

    def effect(self, state: Change | None) -> Change | None:
        """Return the fields of the change that this command makes of an order; ``None`` if it changes nothing."""
        if state is None:
            if self.kind != "post":
                return None
            born = "located" if self.location else "started"
            fresh = {"orderType": self.type, "locationName": self.location, "state": born, "paged": False}
            return {**fresh, "type": "ORDER_CREATED"}
        kept = {key: state[key] for key in ("uuid", "created", "orderType", "locationName", "state", "paged")}
        if self.kind == "page":
            return {**kept, "paged": True, "type": "ORDER_PAGED"}
        if self.kind == "unpage":
            return {**kept, "paged": False, "type": "ORDER_MODIFIED"} if state["paged"] else None
        if self.kind == "clear":
            return {**kept, "state": "cleared", "paged": False, "type": "ORDER_MODIFIED"}
        moved = self.location not in ("", state["locationName"])
        if not moved and self.type == state["orderType"]:
            return None
        if moved:
            kept.update(locationName=self.location, state="located")
        return {**kept, "orderType": self.type, "type": "ORDER_MODIFIED"}


@dataclass
class Sweeping:
    """A command that clears all orders: the uuids of those that it cleared, or ``None`` where nobody knows."""

    at: float
    cleared: set[str] | None = None


class Ledger:
    """All commands that were given, by the name of the order; each name is one client's, who gives them in turn."""

    def __init__(self) -> None:
        self._commands: dict[str, list[Command]] = defaultdict(list)
        self._sweeps: list[Sweeping] = []

    def give(self, command: Command) -> Command:
        """Note a command as it is sent."""
        self._commands[command.name].append(command)
        return command

    def doubt(self, since: float) -> None:
        """What was refused since then may have been done all the same: nobody can know what a failing disk has kept."""
        for commands in self._commands.values():
            for command in commands:
                if command.at >= since and command.outcome == REFUSED:
                    command.outcome = UNKNOWN
        for sweep in self._sweeps:
            if sweep.at >= since and not sweep.cleared:
                sweep.cleared = None

    def sweep(self, at: float) -> Sweeping:
        """Note a command that clears all."""
        self._sweeps.append(Sweeping(at))
        return self._sweeps[-1]

    def wrong(self, changes: Iterable[Change]) -> list[str]:
        """Return in which ways a journal is not what the commands must have left."""
        by_name: dict[str, list[Change]] = defaultdict(list)
        cleared = set()
        for change in changes:
            by_name[change["name"]].append(change)
            if change["state"] == "cleared":
                cleared.add(change["uuid"])
        found = []
        for name in sorted({*by_name, *self._commands}):
            why = self._explained(self._commands[name], by_name[name])
            if why:
                found.append(f"the changes of order {name} are not what its commands make: {why}")
        for sweep in self._sweeps:
            for uuid in sorted((sweep.cleared or set()) - cleared):
                found.append(f"order {uuid} was told to be cleared, and is not")
        return found

    def _explained(self, commands: list[Command], changes: list[Change]) -> str:
        """Return ``""`` if some reading of the commands, in their order, makes exactly these changes."""
        reached = self._swept({0}, changes)
        for command in commands:
            onward: set[int] = set()
            for done in reached:
                onward |= self._after(command, done, changes)
            if not onward:
                return f"at {command}, with {[changes[done - 1 : done + 1] for done in sorted(reached)]}"
            reached = self._swept(onward, changes)
        if len(changes) in reached:
            return ""
        return f"{len(changes)} changes, {max(reached)} explained; next {changes[max(reached)]}"

    def _after(self, command: Command, done: int, changes: list[Change]) -> set[int]:
        state = changes[done - 1] if done and changes[done - 1]["state"] != "cleared" else None
        effect = command.effect(state)
        if command.outcome == REFUSED:
            return {done}
        if command.outcome == ABSENT:
            return {done} if state is None else set()
        told = done < len(changes) and effect is not None and _fits(effect, changes[done])
        if command.outcome == UNKNOWN:
            return {done, done + 1} if told else {done}
        if effect is None:
            return {done} if state is not None else set()
        return {done + 1} if told and _fits(command.reply or {}, changes[done]) else set()

    def _swept(self, reached: set[int], changes: list[Change]) -> set[int]:
        """Return ``reached``, and what is reached where all orders were cleared in between."""
        found = set(reached)
        for done in sorted(reached):
            if done < len(changes) and changes[done]["state"] == "cleared" and self._may_sweep(changes[done]["uuid"]):
                found.add(done + 1)
        return found

    def _may_sweep(self, uuid: str) -> bool:
        return any(sweep.cleared is None or uuid in sweep.cleared for sweep in self._sweeps)


_COMPARED = ("uuid", "created", "orderType", "locationName", "state", "paged", "type")


def _fits(fields: Change, change: Change) -> bool:
    return all(change[key] == fields[key] for key in _COMPARED if key in fields)
