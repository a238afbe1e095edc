"""Transactions on the writing connection: all of it or nothing, also where the disk fails in the middle."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import apsw

from ttgateway.store.tables.batches import done

T = TypeVar("T")
Work = Callable[[apsw.Connection], T]


class Lost:
    """A transaction that failed, and what the file holds now (``None``: it could not be read either)."""

    def __init__(self, error: BaseException | None, memory: Any) -> None:
        self.error = error if isinstance(error, Exception) else RuntimeError(repr(error))
        self.memory = memory


class Transactions:
    """Runs on the executor that has ``connection``; ``reread`` returns what the file holds.

    ``obstacle`` is why the log could not be put into the file when it was last due; ``None`` where it could. What was
    committed is durable all the same. SQLite's own automatic checkpoint says nothing of it, and the log grows.
    """

    def __init__(self, connection: apsw.Connection, reread: Work[Any]) -> None:
        self._connection = connection
        self._reread = reread
        self._remnants = False  # of one that failed may be in the log
        self._most = int(connection.pragma("wal_autocheckpoint"))
        self.obstacle: Exception | None = None
        connection.set_wal_hook(self._put_away)

    def run(self, works: Sequence[Work[Any]]) -> list[Any] | Lost:
        """Run all works in one transaction, or none of them; return their results."""
        try:
            if self._remnants:
                self._clear_log()
            self._connection.execute("BEGIN IMMEDIATE")
            results = done(self._connection, works)
            self._connection.execute("COMMIT")
        except Exception as error:
            try:
                return Lost(error, self.roll_back())
            except Exception:
                return Lost(error, None)
        return results

    def roll_back(self) -> Any:
        """Undo what was begun, and read what the file holds."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._remnants = True
        with suppress(apsw.Error):  # the next transaction begins with it
            self._clear_log()
        return self._reread(self._connection)

    def _put_away(self, connection: apsw.Connection, _: str, pages: int) -> int:
        """Put the log into the file after a commit, where it has become so long, as SQLite does if nobody else will."""
        if 0 < self._most <= pages:
            try:
                connection.wal_checkpoint()
                self.obstacle = None
            except apsw.Error as error:
                self.obstacle = error
        return apsw.SQLITE_OK

    def _clear_log(self) -> None:
        """Let a new log begin, or raise ``apsw.Error``.

        A transaction whose sync has failed is whole in the old one. A restart would take it for one that succeeded, or
        what later ones have left of it for damage (``log``). Where the disk lets no new one begin, at least the first
        page of it is written over: what was refused is not to come back after a mere kill.
        """
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error:
            with suppress(apsw.Error):
                self._connection.pragma("user_version", self._connection.pragma("user_version"))
            raise
        self._remnants = False
        self.obstacle = None
