"""The button (protocol section 2.1): who presses it lets one device ask for a token within two minutes.

It is pressed by the operator's command, by a line on the control socket, by SIGUSR1, or for real: by a key of a Linux
input device, such as a button on the appliance's GPIO pins or a USB keypad.
"""

import os
import stat
from collections.abc import Callable
from errno import ENODEV
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ttgateway.keys import EVENT, KeyPresses
from ttgateway.secrets import WINDOW, Secrets

AGAIN_AFTER = 5.0
"""Seconds after which a device that is not there is looked for again."""

MOST_EVENTS = 64
"""Events that are read at once."""

_log = Logger()


def press(secrets: Secrets, source: str) -> None:
    """Press the button; ``source`` is what did it, for the log."""
    secrets.press_button()
    _log.info(
        "The button was pressed ({source}): for {seconds:.0f} s one device can get a token",
        source=source,
        seconds=WINDOW,
    )


@implementer(IReadDescriptor)
class ButtonDevice(Service):
    """Calls ``pressed`` when ``key`` of the input device at ``path`` goes down; waits for a device that is absent."""

    def __init__(self, path: Path, key: int, pressed: Callable[[], None], reactor: Any) -> None:
        self._path = path
        self._key = key
        self._pressed = pressed
        self._reactor = reactor
        self._keys = KeyPresses(key)
        self._file = -1
        self._timer: IDelayedCall | None = None
        self._missed = False

    def startService(self) -> None:
        """Open the device, or begin to wait for it."""
        super().startService()  # type: ignore[no-untyped-call]
        self._open()

    def stopService(self) -> None:
        """Close the device."""
        super().stopService()  # type: ignore[no-untyped-call]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._close()

    def fileno(self) -> int:
        """Return the open device's number; -1 while it is not open."""
        return self._file

    def logPrefix(self) -> str:  # noqa: N802
        """Return how the reactor calls this."""
        return "button"

    def doRead(self) -> OSError | None:  # type: ignore[override]  # noqa: N802  # as Twisted's own do
        """Take what the device says; return why it says no more."""
        try:
            data = os.read(self._file, EVENT.size * MOST_EVENTS)
        except BlockingIOError:
            return None
        except OSError as error:
            return error
        if not data:
            return OSError(ENODEV, os.strerror(ENODEV))
        if self._keys.feed(data):
            self._pressed()
        return None

    def connectionLost(self, reason: Failure) -> None:
        """Wait for a device that is gone."""
        if self._file >= 0:
            self._close()
            self._miss(getattr(reason.value, "strerror", None) or reason.getErrorMessage())

    def _open(self) -> None:
        self._timer = None
        try:
            self._file = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
            mode = os.fstat(self._file).st_mode
            if not (stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)):
                raise OSError(ENODEV, "not an input device")
        except OSError as error:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
            self._miss(error.strerror or str(error))
            return
        self._missed = False
        self._keys = KeyPresses(self._key)  # what the old device left unfinished is no part of this one
        self._reactor.addReader(self)
        _log.info("The button is at {path}", path=str(self._path))

    def _miss(self, why: str) -> None:
        if not self._missed:  # once an outage
            self._missed = True
            _log.warn("No button at {path}, looking again: {why}", path=str(self._path), why=why)
        if self.running:
            self._timer = self._reactor.callLater(AGAIN_AFTER, self._open)

    def _close(self) -> None:
        if self._file >= 0:
            self._reactor.removeReader(self)
            os.close(self._file)
            self._file = -1
