"""Run as a script: twistd, for as long as standard input is open. So no gateway outlives the tests that began it."""

import os
import signal
import threading

from twisted.scripts.twistd import run


def _end_with_input() -> None:
    while os.read(0, 64):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_input, daemon=True).start()
    run()
