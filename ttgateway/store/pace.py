"""Whether the store's work goes on: what is handed to a thread comes back, and commits come to an end."""

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred

from ttgateway.store.commits import GroupCommit
from ttgateway.store.executor import Executor

T = TypeVar("T")


class Pace:
    """An executor of which one can tell whether it goes on."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._ended = 0
        self._seen = -1
        self._probing = False

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        """Run ``work``; the result is its return value or its exception."""
        return self._executor.run(work).addBoth(self._count)

    def close(self) -> None:
        """Wait for what is running, and end."""
        self._executor.close()

    def goes_on(self) -> bool:
        """Tell whether any work has come to an end, well or not, since this was last asked.

        A piece of work that does nothing is handed over each time, unless the last one is still out. So an executor
        with nothing to do goes on, and so does one behind which much work waits.
        """
        went_on, self._seen = self._ended != self._seen, self._ended
        if not self._probing:
            self._probing = True
            self.run(lambda: None).addBoth(self._returned)
        return went_on

    def _count(self, result: T) -> T:
        self._ended += 1
        return result

    def _returned(self, _: object) -> None:
        self._probing = False


class CommitPace:
    """Tells whether commits go on, once they are asked for."""

    def __init__(self, commits: GroupCommit) -> None:
        self._commits = commits
        self._seen: int | None = None  # how many had ended when some were under way; None: there were none

    def goes_on(self) -> bool:
        """Tell whether a commit has ended, well or not, since this was last asked, if one was under way then and is."""
        ended = self._commits.commits + self._commits.failures if self._commits.busy else None
        stands, self._seen = ended is not None and ended == self._seen, ended
        return not stands
