"""What the gateway tells systemd (``sd_notify(3)``), and what systemd tells it by its environment."""

import os
import socket
from collections.abc import Mapping

_MICROSECONDS = 1_000_000


class Notices:
    """Sends notices to the service manager; nothing where there is none.

    ``watchdog`` is in how many seconds a ping is due, and then again and again; 0 where none is.
    """

    def __init__(self, environ: Mapping[str, str], pid: int) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        meant = environ.get("WATCHDOG_PID", str(pid)) == str(pid)
        self.watchdog = _seconds(environ.get("WATCHDOG_USEC", "")) if self._address and meant else 0.0

    def __bool__(self) -> bool:
        """Tell whether there is somebody to hear them."""
        return bool(self._address)

    def send(self, **notice: object) -> None:
        """Send ``notice``, such as ``READY=1``; one that finds nobody, or no room at once, is lost."""
        if not self._address:
            return
        text = "\n".join(f"{name}={' '.join(str(value).split())}" for name, value in notice.items())
        name = self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                # "@" is how the environment writes the zero byte with which an abstract address begins.
                sender.sendto(text.encode(), f"\0{name[1:]}" if name.startswith("@") else name)
        except OSError:
            pass

    def send_watchdog(self, seconds: float) -> None:
        """Say in how many seconds pings are due from now on; 0 for never."""
        if self.watchdog:
            self.send(WATCHDOG_USEC=round(seconds * _MICROSECONDS))


def is_journal(descriptor: int, environ: Mapping[str, str]) -> bool:
    """Tell whether what is written to ``descriptor`` goes to systemd's journal."""
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))


def _seconds(text: str) -> float:
    return int(text) / _MICROSECONDS if text.isascii() and text.isdigit() else 0.0
