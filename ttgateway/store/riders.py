"""What is written with the next commit, but waits for none: cursors, the time of the last use of a token."""

from typing import Any, Protocol

from ttgateway.store.transactions import Work


class Rider(Protocol):
    """Somebody who has news for the file now and then, and can do without them after a crash."""

    def take(self) -> Work[object] | None:
        """Return what is to be written now; it counts as written unless `lost` is called."""

    def lost(self) -> None:
        """Take note that what was taken last was not written."""


class Riders:
    """All of them, in the order in which they came."""

    def __init__(self) -> None:
        self._riders: list[Rider] = []

    def add(self, rider: Rider) -> None:
        """Let ``rider`` write, too."""
        self._riders.append(rider)

    def take(self) -> list[Work[Any]]:
        """Return what they have to write now."""
        return [work for rider in self._riders if (work := rider.take()) is not None]

    def lost(self) -> None:
        """What they had was not written."""
        for rider in self._riders:
            rider.lost()
