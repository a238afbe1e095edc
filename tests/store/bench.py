"""A `GroupCommit` on a table of numbers, for the tests of group commit."""

import apsw
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.support import OnDemand
from ttgateway.store.commits import GroupCommit
from ttgateway.store.transactions import Work


def insert(number: int) -> Work[int]:
    def work(db: apsw.Connection) -> int:
        db.execute("INSERT INTO numbers VALUES (?)", (number,))
        return number

    return work


def refuse(db: apsw.Connection) -> None:
    raise RuntimeError("a bad write")


class Slip:
    """A rider that has something to write when it was told so."""

    def __init__(self) -> None:
        self.news: list[int] = []
        self.taken: list[int] = []
        self.losses = 0

    def take(self) -> Work[object] | None:
        self.taken, self.news = self.news, []
        taken = list(self.taken)
        return (lambda db: [insert(number)(db) for number in taken]) if taken else None

    def lost(self) -> None:
        self.losses += 1
        self.news = self.taken + self.news


class Bench:
    """A `GroupCommit` on a table of numbers, whose disk is as slow as the test wants; a log of one page is long."""

    def __init__(self, path: str = ":memory:") -> None:
        self.timers = Clock()
        self.disk = OnDemand()
        self.db = apsw.Connection(path)
        self.db.execute("PRAGMA wal_autocheckpoint = 1")
        self.db.execute("CREATE TABLE numbers (number INTEGER)")
        self.reread: list[list[int]] = []
        self.can_read = True
        self.story: list[str] = []
        self.commits = GroupCommit(self.disk, self.db, self.timers, self.read, self.failed)
        self.commits.watch(lambda: self.story.append("committed"))

    def read(self, db: apsw.Connection) -> list[int]:
        if not self.can_read:
            raise apsw.IOError("cannot read")
        return [int(row[0]) for row in db.execute("SELECT number FROM numbers ORDER BY number")]

    def failed(self, memory: list[int]) -> None:
        self.reread.append(memory)
        self.story.append("memory reread")

    def write(self, work: Work[int], name: str = "") -> Deferred[int]:
        result = self.commits.write(work)
        if name:
            result.addCallbacks(
                lambda value: self.story.append(f"{name} written") or value,  # type: ignore[func-returns-value]
                lambda failure: self.story.append(f"{name} refused"),
            )
        return result

    def numbers(self) -> list[int]:
        return [int(row[0]) for row in self.db.execute("SELECT number FROM numbers ORDER BY rowid")]
