"""What a sync of the disk takes: the least that a durable change can wait."""

import os
import statistics
import tempfile
import time

APPENDED = b"." * 300
TIMES = 200


def sync_seconds() -> float:
    """Return the median time of appending as much as a change to a file and syncing it, where temporary files lie."""
    with tempfile.TemporaryFile() as file:
        times = []
        for _ in range(TIMES):
            began = time.perf_counter()
            os.write(file.fileno(), APPENDED)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times)
