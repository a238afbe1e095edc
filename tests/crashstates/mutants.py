"""Faults that are planted into the store of a process of its own: the suite must find each of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred

from ttgateway.store import opening
from ttgateway.store.commits import GroupCommit
from ttgateway.store.copies import restore
from ttgateway.store.damage import recovery
from ttgateway.store.tables import listeners


@dataclass(frozen=True)
class Mutant:
    """A fault: ``plant`` puts it into this process, for good; ``scenarios`` are those that can show it."""

    says: str
    plant: Callable[[], None]
    scenarios: tuple[str, ...]


def _pragma(old: str, new: str) -> None:
    changed = tuple(pragma.replace(old, new) for pragma in opening._PRAGMAS)
    assert changed != opening._PRAGMAS, old
    setattr(opening, "_PRAGMAS", changed)  # noqa: B010


def _sync_less() -> None:
    _pragma("synchronous = FULL", "synchronous = NORMAL")


def _sync_never() -> None:
    _pragma("synchronous = FULL", "synchronous = OFF")


def _announce_first() -> None:
    real = GroupCommit._start

    def start(self: GroupCommit) -> None:
        waiting: list[Any] = []
        for write, committed, result in self._waiting if not self._running else []:
            if committed is not None:
                committed()
                result.callback(None)
                waiting.append((write, None, Deferred()))
            else:
                waiting.append((write, committed, result))
        if not self._running:
            self._waiting = waiting
        real(self)

    GroupCommit._start = start  # type: ignore[method-assign]


def _cursor_ahead() -> None:
    statements = listeners._MOVE._statements
    for count, statement in statements.items():
        statements[count] = statement.replace("cursor = news.cursor", "cursor = news.cursor + 1")


def _recovery_unsynced() -> None:
    setattr(recovery, "sync", lambda path: None)  # noqa: B010


def _restore_unsynced() -> None:
    setattr(restore, "sync", lambda path: None)  # noqa: B010


MUTANTS = {
    "synchronous-normal": Mutant("commits are not synced", _sync_less, ("first-day", "long-day", "many-days")),
    "synchronous-off": Mutant("nothing is synced", _sync_never, ("first-day", "long-day", "many-days")),
    "announce-first": Mutant("answered before the commit", _announce_first, ("first-day", "many-days")),
    "cursor-ahead": Mutant("cursors are written before the acknowledgement", _cursor_ahead, ("long-day", "many-days")),
    "recovery-unsynced": Mutant("a recovery is not synced", _recovery_unsynced, ("recovery", "recovery-backup")),
    "restore-unsynced": Mutant("a restore is not synced", _restore_unsynced, ("going-back",)),
}
