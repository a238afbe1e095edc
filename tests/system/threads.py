"""Stops one thread of a process, as a disk that hangs would, and lets it go on."""

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17  # PTRACE_*, of <sys/ptrace.h>
ALL_CHILDREN = 0x40000000  # __WALL: a thread of another process is no child


def threads_of(pid: int) -> list[int]:
    """Return the threads of a process besides its first, oldest first."""
    return sorted(int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir() if int(entry.name) != pid)


@contextlib.contextmanager
def stopped(thread: int) -> Iterator[None]:
    """Stop ``thread`` meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    for request in (SEIZE, INTERRUPT):
        if libc.ptrace(request, thread, None, None):
            raise OSError(ctypes.get_errno(), f"ptrace of {thread}")
    os.waitpid(thread, ALL_CHILDREN)
    try:
        yield
    finally:
        libc.ptrace(DETACH, thread, None, None)
