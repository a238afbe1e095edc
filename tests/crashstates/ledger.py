"""What may stand in the file, and what must, at each point of a recorded log."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.crashstates.notes import Answered, Asked, Began, Content, Ended, Key, Opened, Passed, Replaced
from tests.disks.operations import Note, Operation


@dataclass
class _Promise:
    values: list[object]  # in the order in which they were asked for
    answered: int = -1  # which of them is the last that was answered


@dataclass
class Ledger:
    """Follows a log. ``damaged``: what it begins with was damaged, so that a recovery is expected."""

    contents: Sequence[Content]  # of all transactions of the log, in order
    fresh: bool
    damaged: bool
    before: Content | None = None  # what may stand there too, until another store is in its place
    opened: bool = False
    seconds: float = 0.0  # of the log's clock
    _least: int = 0  # the transaction that is durable, as its place in `contents`
    _most: int = 0  # the one that may be
    _first: dict[Key, object] = field(default_factory=dict)
    _promises: dict[Key, _Promise] = field(default_factory=dict)

    def apply(self, operation: Operation) -> None:
        """Go one step along the log."""
        match operation:
            case Note(Opened()):
                self._least = self._most = self._least + self.opened
                if not self.opened:
                    self.opened, self._first = True, self.contents[0].facts()
            case Note(Replaced()):
                self.before = None  # from here on it must not come back
            case Note(Passed(seconds)):
                self.seconds = seconds
            case Note(Began()):
                self._most = self._least + 1
            case Note(Ended()):
                self._least += 1
                self._most = self._least
            case Note(Asked(key, value)):
                self._promises.setdefault(key, _Promise([self._first.get(key)])).values.append(value)
            case Note(Answered(key, value)):
                promise = self._promises[key]
                places = range(len(promise.values) - 1, -1, -1)
                promise.answered = next(place for place in places if promise.values[place] == value)

    @property
    def answers(self) -> int:
        """How many promises must hold."""
        return sum(promise.answered >= 0 for promise in self._promises.values())

    def problem(self, found: Content) -> str | None:
        """Return what is wrong with this content of a file that was opened again; ``None`` for nothing."""
        return self._wrong_content(found) or self._broken_promise(found) or self._gap(found)

    def _wrong_content(self, found: Content) -> str | None:
        allowed = self.contents[self._least : self._most + 1]
        if found in allowed:
            return None
        if not self.opened:
            if found == self.before:
                return None
            if self.fresh and found.is_empty() and not found.damage:
                return None
            if self.damaged and found.damage and found.resembles(self.contents[0]):
                return None
        return (
            f"the content is none of the {len(allowed)} that it may be ({found.difference(allowed[0])};"
            f" opened: {self.opened}, damage: {found.damage!r})"
        )

    def _broken_promise(self, found: Content) -> str | None:
        facts = found.facts()
        for key, promise in self._promises.items():
            value = facts.get(key)
            if value in promise.values[max(promise.answered, 0) :]:
                continue
            if key[0] == "change" and value is None and int(str(key[1])) <= found.trimmed:
                continue
            kind = (
                "an answered change was lost"
                if promise.answered >= 0
                else "something was written that nobody asked for"
            )
            return f"{kind}: {key!r} is {value!r}"
        return None

    def _gap(self, found: Content) -> str | None:
        seqs = [seq for seq in found.seqs() if seq > found.trimmed]
        if seqs and seqs != list(range(found.trimmed + 1, seqs[-1] + 1)):
            return f"the seqs after {found.trimmed} are not contiguous: {seqs[:5]}..."
        return None


def contents_of(operations: Sequence[Operation]) -> list[Content]:
    """Return the content of each transaction of a log."""
    return [
        operation.value.content
        for operation in operations
        if isinstance(operation, Note) and isinstance(operation.value, Opened | Ended)
    ]
