"""A real daemon whose wall clock is set while it runs; its other clocks are left alone."""

import os
import sys
import time
from pathlib import Path

from tests.system.daemon import Daemon

_LIBRARIES = ("/usr/lib/*-linux-gnu*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1")
_SHARED = Path("/dev/shm")  # noqa: S108
_TWISTD = "from twisted.scripts.twistd import run; run()"
_SHORT = "import ttgateway.secrets as secrets; secrets.WINDOW = {window}; "


def library() -> str:
    """Return the path of libfaketime; raise ``FileNotFoundError`` where the Debian package ``faketime`` is missing."""
    found = [str(path) for pattern in _LIBRARIES for path in Path("/").glob(pattern[1:])]
    if not found:
        raise FileNotFoundError("libfaketime.so.1 is missing: install the Debian package faketime")
    return found[0]


class SteppedDaemon(Daemon):
    """One gateway with a wall clock of its own. ``window`` is for how many seconds a press of its button counts.

    ``zone`` is the ``TZ`` of its environment, which must mean nothing.
    """

    def __init__(self, folder: Path, *, window: float = 120.0, zone: str = "Pacific/Apia") -> None:
        super().__init__(folder)
        self.window = window
        self.steps = 0
        self._pids: list[int] = []
        self._zone = zone
        self._ahead = folder / "ahead"
        self._history: list[tuple[float, float]] = []
        self._set(0.0)

    @property
    def ahead(self) -> float:
        """By how many seconds the wall clock is ahead of the machine's."""
        return self._history[-1][1]

    def step(self, seconds: float) -> None:
        """Step the wall clock, back if ``seconds`` is negative."""
        self._set(self.ahead + seconds)
        self.steps += 1

    def set_to(self, wall: float) -> None:
        """Set the wall clock to Unix time ``wall``."""
        self.step(wall - time.time() - self.ahead)  # noqa: TID251  # this is about the machine's clock

    def walls(self, at: float, leeway: float = 0.5) -> list[float]:
        """Return what the wall clock showed at ``at`` (monotonic): all that it did within ``leeway`` seconds."""
        true = time.time() - (time.monotonic() - at)  # noqa: TID251
        before = [ahead for when, ahead in self._history if when <= at - leeway][-1:]
        return [true + ahead for ahead in before + [ahead for when, ahead in self._history if abs(when - at) < leeway]]

    def start(self) -> "SteppedDaemon":
        """Start, and wait until it serves."""
        try:
            super().start()
        finally:
            if self.runs:
                self._pids.append(self.process.pid)
        return self

    def end(self) -> None:
        """Leave no process behind, and nothing that the library has left in the shared memory."""
        super().end()
        for pid in self._pids:
            for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
                (_SHARED / name).unlink(missing_ok=True)

    def command(self) -> list[str]:
        """Return the command line: the daemon's own, with the library loaded before it."""
        code = _TWISTD if self.window == 120.0 else _SHORT.format(window=self.window) + _TWISTD
        faked = {
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._ahead),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": self._zone,
        }
        variables = [f"{name}={value}" for name, value in faked.items()]
        return ["/usr/bin/env", *variables, sys.executable, "-c", code, *super().command()[1:]]

    def _set(self, ahead: float) -> None:
        fresh = self._ahead.with_name("ahead.new")
        fresh.write_text(f"{ahead:+.3f}\n")
        os.replace(fresh, self._ahead)  # noqa: PTH105  # never seen half written
        self._history.append((time.monotonic(), ahead))
