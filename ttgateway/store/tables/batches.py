"""Many rows in one statement: at each statement the thread gives up the interpreter, and waits to have it again."""

from collections.abc import Callable, Sequence
from itertools import chain, groupby
from typing import Any, Protocol, runtime_checkable

import apsw


@runtime_checkable
class Joint(Protocol):
    """A work without a result that is done together with its neighbours of the same kind, in fewer statements."""

    def __call__(self, db: apsw.Connection) -> None:
        """Do it alone."""

    @staticmethod
    def together(db: apsw.Connection, works: Sequence[Any]) -> None:
        """Do all of these, in their order."""


class Rows:
    """A statement that takes any number of rows: ``before`` their values, and ``after`` them; each has ``width``."""

    def __init__(self, before: str, width: int, after: str = "") -> None:
        row = f"({', '.join('?' * width)})"
        # Only so many kinds of statement, which stay prepared.
        self._statements = {count: f"{before} {', '.join([row] * count)} {after}" for count in (1, 2, 4, 8, 16, 32, 64)}

    def write(self, db: apsw.Connection, rows: Sequence[tuple[object, ...]]) -> None:
        """Run it with all these rows, in their order."""
        at = 0
        while at < len(rows):
            count = min(64, 1 << (len(rows) - at).bit_length() - 1)
            db.execute(self._statements[count], [*chain.from_iterable(rows[at : at + count])])
            at += count


def done(db: apsw.Connection, works: Sequence[Callable[[apsw.Connection], Any]]) -> list[Any]:
    """Do all works in their order, neighbours of a kind that is `Joint` together; return their results."""
    results: list[Any] = []
    for kind, same in groupby(works, type):
        if issubclass(kind, Joint):
            neighbours = list(same)
            kind.together(db, neighbours)
            results += [None] * len(neighbours)
        else:
            results += [work(db) for work in same]
    return results
