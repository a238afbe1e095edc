"""Places for listeners in trouble: only so many of them are tried at a time, each in its turn.

A healthy listener needs no place: it has its own connection and waits for nobody. So a hundred dead listeners keep
none waiting but each other, and a power-up does not open ten thousand sockets.
"""

from collections.abc import Callable

MOST = 64


class Places:
    """`MOST` places, given out in the order in which they were asked for."""

    def __init__(self, most: int = MOST) -> None:
        self._free = most
        self.granted = 0
        """How many times a place was given."""
        self._line: dict[object, Callable[[], None]] = {}
        self._closed = False

    def ask(self, who: object, granted: Callable[[], None]) -> None:
        """Call ``granted`` when it is the turn of ``who``: at once, where a place is free."""
        if self._free and not self._closed:
            self._free -= 1
            self.granted += 1
            granted()
        else:
            self._line[who] = granted

    def leave(self, who: object) -> bool:
        """Take ``who`` out of the line; tell whether it stood there."""
        return self._line.pop(who, None) is not None

    def release(self) -> None:
        """Give a place back: the next in line gets it, unless no more are given."""
        if self._closed or not self._line:
            self._free += 1
            return
        self.granted += 1
        who = next(iter(self._line))
        self._line.pop(who)()

    def close(self) -> None:
        """Give no place to anybody any more."""
        self._closed = True
