"""Signs of life: what a request from a host means for the listeners there that are in trouble."""

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ttgateway.notifier.owner import Owned
from ttgateway.notifier.states import Event

AT_ONCE = 4
"""How many listeners of one host are tried at once. Each takes a new connection, and the live ones wait for that."""
PAUSE = 0.01
"""Seconds until the next so many are."""


class SignsOfLife:
    """The listeners in trouble, by the host that a sign of life of theirs would come from."""

    def __init__(self, timers: IReactorTime) -> None:
        self._timers = timers
        self._troubled: dict[str, dict[Owned, None]] = {}
        self._host_of: dict[Owned, str] = {}  # under which each stands there: a name may have moved since
        self._lines: dict[str, IDelayedCall] = {}  # of hosts that were heard, and have more listeners than `AT_ONCE`

    def watch(self, queue: Owned) -> None:
        """A queue is in trouble from now on; one that was is heard of where it is now."""
        host = queue.host
        if self._host_of.get(queue) != host:
            self.forget(queue)
            self._host_of[queue] = host
            self._troubled.setdefault(host, {})[queue] = None

    def forget(self, queue: Owned) -> None:
        """A queue is in trouble no more; one that was not is no error."""
        host = self._host_of.pop(queue, None)
        if host is not None:
            del self._troubled[host][queue]
            if not self._troubled[host]:
                del self._troubled[host]

    def heard(self, host: str) -> None:
        """A request came from ``host``: all who are in trouble there hear of it, one after the other."""
        if host in self._troubled and host not in self._lines:
            self._tell(host, list(self._troubled[host]))

    def stop(self) -> None:
        """Tell nobody any more."""
        for timer in self._lines.values():
            timer.cancel()
        self._lines.clear()

    def _tell(self, host: str, queues: list[Owned]) -> None:
        self._lines.pop(host, None)
        if later := queues[AT_ONCE:]:
            self._lines[host] = self._timers.callLater(PAUSE, self._tell, host, later)
        for queue in queues[:AT_ONCE]:
            queue.happen(Event.HEARD)
