"""Group commit: while one transaction is being synced, whatever arrives waits for the next one."""

from collections.abc import Callable
from typing import Any, TypeVar

import apsw
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from ttgateway.figures import CommitFigures
from ttgateway.refusals import DiskFull, NotNow
from ttgateway.sparing import sparing_logger
from ttgateway.store.executor import Executor
from ttgateway.store.riders import Rider, Riders
from ttgateway.store.transactions import Lost, Transactions, Work

T = TypeVar("T")

SOON = 0.01
"""Seconds after which the riders' news begin to be written: with the commit itself, within 50 ms (design section 3)."""

WORTH_WHILE = 0.009
"""Seconds: with a commit that begins earlier after the first of their news, the riders do not ride yet. Under load
there are hundreds of commits a second, and each listener has news for each."""

APART = 0.0015
"""Seconds, at the least, between the begins of two transactions, while writes come faster than one at a time: each
costs a sync and two turns of a thread, whatever it holds."""

MEND_EVERY = 1.0
"""Seconds between tries to get a store back that fails."""


_Waiting = tuple[Work[Any], Callable[[], None] | None, Deferred[Any]]


class GroupCommit:
    """Runs writes in transactions, one transaction at a time, each holding all that has arrived.

    ``reread`` is run on the writing connection after a failed transaction has been rolled back; ``on_failure``
    then gets what ``reread`` returned, before anybody is refused: so the memory is that of the file again by
    the time that the callers hear of it. Where the file cannot even be read, all is refused until it can.
    """

    _log = sparing_logger("ttgateway.store")

    def __init__(
        self,
        executor: Executor,
        connection: apsw.Connection,
        clock: IReactorTime,
        reread: Work[Any],
        on_failure: Callable[[Any], None],
    ) -> None:
        self._executor = executor
        self._transactions = Transactions(connection, reread)
        self._clock = clock
        self.now: Callable[[], float] = clock.seconds
        """Returns the time on the timers' clock, in seconds."""
        self._on_failure = on_failure
        self._waiting: list[_Waiting] = []
        self._settling: list[Deferred[bool]] = []
        self._riders = Riders()
        self._watchers: list[Callable[[], None]] = []
        self._failed_for: Callable[[BaseException], None] = lambda error: None
        self._running = False
        self._obstacle: Exception | None = None  # to the log, as it was told last
        self._mending: Exception | None = None  # why the file could be neither written nor read
        self._stopping = False
        self._timer: IDelayedCall | None = None
        self._news_since: float | None = None  # when a rider first asked for `soon` since they last rode
        self._ridden = False  # whether they ride with the last transaction
        self._with_next = False  # whether some of their news must not wait for a later commit
        self._began = 0.0  # when the last transaction was handed over
        self._held = 0  # how many writes were in it, the riders' news not counted
        self.figures = CommitFigures()
        self.commits = 0
        self.writes = 0
        self.failures = 0
        self.failing: NotNow | None = None  # what the last transaction was refused with, if it failed

    def add_rider(self, rider: Rider) -> None:
        """Let ``rider`` write with every commit."""
        self._riders.add(rider)

    def watch(self, committed: Callable[[], None]) -> None:
        """Call ``committed`` after each commit, before the writes in it get their results."""
        self._watchers.append(committed)

    def on_error(self, failed: Callable[[BaseException], None]) -> None:
        """Call ``failed`` with what was wrong, whenever a commit has failed."""
        self._failed_for = failed

    def write(self, work: Work[T], committed: Callable[[], None] | None = None) -> Deferred[T]:
        """Run ``work`` in the next transaction; fires with its result once that is durable, or with `NotNow`.

        ``committed`` is called before anybody is told: that is the time to bring the memory up to date.
        """
        result: Deferred[T] = Deferred()
        try:
            self.check()
        except NotNow as refusal:
            result.errback(refusal)
            return result
        self._waiting.append((work, committed, result))
        self._start()
        return result

    def check(self) -> None:
        """Raise `NotNow` where nothing can be written at present. Ask before you decide what to write."""
        if self._mending is not None:
            raise _refusal(self._mending)  # a new one each time: it collects a traceback
        if self._stopping:
            raise NotNow("The gateway is stopping.")

    @property
    def stopping(self) -> bool:
        """Whether nothing is taken any more, as the end has come."""
        return self._stopping

    @property
    def busy(self) -> bool:
        """Whether a commit is under way, or waits to be."""
        return self._mending is None and (self._running or bool(self._waiting))

    def settled(self) -> Deferred[bool]:
        """Fire when all that was written so far is durable (True), or lost and the memory that of the file (False).

        Fails with `NotNow` while the file can be neither written nor read.
        """
        result: Deferred[bool] = Deferred()
        if self._mending is not None:
            result.errback(_refusal(self._mending))
        elif self._running or self._waiting:
            self._settling.append(result)
        else:
            result.callback(True)
        return result

    def soon(self, *, with_next: bool = False) -> None:
        """Have the riders' news written after `SOON`, whether or not anything else is.

        ``with_next``: and not after the next commit, should that come first.
        """
        self._with_next = self._with_next or with_next
        if self._news_since is None:
            self._news_since = self.now()
            if not self._running and self._timer is None and not self._stopping:
                self._arm(SOON)

    def stop(self) -> Deferred[None]:
        """Refuse new writes, write what waits and what the riders have, and fire when nothing runs any more."""
        self._stopping = True
        self._disarm()
        self._start()
        done: Deferred[None] = Deferred()

        def last(_: object) -> None:
            self._start()  # once more, for what the riders have by then
            self.settled().addBoth(lambda _: done.callback(None))

        self.settled().addBoth(last)
        return done

    def _arm(self, delay: float) -> None:
        self._timer = self._clock.callLater(delay, self._due)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        if self._mending is None:
            self._start()
        elif not self._running:
            self._running = True
            self._executor.run(self._transactions.roll_back).addCallbacks(self._mended, self._not_mended)

    def _mended(self, memory: Any) -> None:
        self._log.info("The store can be read again.")
        self._running = False
        self._mending = None
        self._on_failure(memory)
        if not self._stopping:  # the connection may be closed by now
            self._start()

    def _not_mended(self, _: Failure) -> None:
        self._running = False
        if not self._stopping:
            self._arm(MEND_EVERY)

    def _start(self) -> None:
        """Begin a transaction with all that waits, unless one is running."""
        if self._running or self._mending is not None:
            return
        if self._is_too_soon():
            return
        self._disarm()
        group, self._waiting = self._waiting, []
        # The riders come first: what a write in the group decides is newer than their news.
        self._ridden = self._is_worth_while()
        works = self._ride() if self._ridden else []
        works += [work for work, _, _ in group]
        if works:
            settling, self._settling = self._settling, []
            self._running, self._began, self._held = True, self.now(), len(group)
            self._executor.run(lambda: self._transactions.run(works)).addBoth(self._ended, group, settling)

    def _is_too_soon(self) -> bool:
        """Tell whether more should come together first; then the timer runs."""
        due, now = self._began + APART, self.now()
        if self._held < 2 or self._stopping or now >= due:
            return False
        if self._timer is None or self._timer.getTime() > due:
            self._disarm()
            self._arm(due - now)
        return True

    def _is_worth_while(self) -> bool:
        if self._news_since is None or self._with_next or self._stopping:
            return True
        return self.now() - self._news_since >= WORTH_WHILE

    def _ride(self) -> list[Work[Any]]:
        """Return what the riders have to write."""
        self._news_since, self._with_next = None, False
        return self._riders.take()

    def _ended(self, result: list[Any] | Lost | Failure, group: list[_Waiting], settling: list[Deferred[bool]]) -> None:
        if isinstance(result, list):
            self._committed(result, group, settling)
        else:
            self._failed(result if isinstance(result, Lost) else Lost(result.value, None), group, settling)

    def _committed(self, results: list[Any], group: list[_Waiting], settling: list[Deferred[bool]]) -> None:
        self.commits += 1
        self.failing = None
        self._hindered(self._transactions.obstacle)
        self.figures.sizes.observe(len(results))
        self.figures.seconds.observe(self.now() - self._began)
        self.writes += len(group)
        # Still running: whoever is called now may ask `settled`, and what has come to wait meanwhile is not.
        for call in (*(committed for _, committed, _ in group if committed is not None), *self._watchers):
            try:
                call()
            except Exception:
                self._log.failure("A watcher of the commits failed")
        for (_, _, waiting), value in zip(group, results[len(results) - len(group) :], strict=True):
            waiting.callback(value)
        self._running = False
        if self._waiting:
            self._start()
        else:
            settling, self._settling = settling + self._settling, []
        if self._news_since is not None and self._timer is None and not self._running and not self._stopping:
            self._arm(max(0.0, self._news_since + SOON - self.now()))
        for waiter in settling:
            waiter.callback(True)

    def _hindered(self, obstacle: Exception | None) -> None:
        """Say once that the log grows: nobody is refused for it, but it needs room, and a start takes longer."""
        if obstacle is not None and self._obstacle is None:
            self._log.error("The log of the store cannot be put into its file, and grows: {error!r}", error=obstacle)
            self._failed_for(obstacle)
        self._obstacle = obstacle

    def _failed(self, lost: Lost, group: list[_Waiting], settling: list[Deferred[bool]]) -> None:
        """Refuse all that was decided since the last good commit: the group, and what has come to wait since."""
        self.failures += 1
        self.failing = _refusal(lost.error)
        self._log.error("A commit failed, what it held is refused: {error!r}", error=lost.error)
        self._failed_for(lost.error)
        if self._ridden:
            self._riders.lost()
        group, self._waiting = group + self._waiting, []
        settling, self._settling = settling + self._settling, []
        if lost.memory is None:
            self._mending = lost.error
        else:
            self._on_failure(lost.memory)
        self._running = False
        for _, _, waiting in group:
            waiting.errback(_refusal(lost.error))
        for waiter in settling:
            waiter.callback(False)
        if self._timer is None and not self._running and not self._stopping:  # who was refused may have tried again
            self._arm(MEND_EVERY)


def _refusal(error: Exception) -> NotNow:
    if isinstance(error, apsw.FullError):
        return DiskFull("The disk is full.")
    return NotNow("The store cannot be written.")
