"""Who goes first on a busy machine: a figure shall tell of the gateway, and not of its neighbours."""

import contextlib
import os
import resource
from collections.abc import Iterator
from pathlib import Path

FIRST, SECOND = -15, -5
"""How nice the gateway and the honest ones are, where that is allowed; and the attackers. Others are 0."""
_GROUP = Path("/proc/self/autogroup")
"""Linux shares the processors out among sessions first, where it is so configured: niceness counts within one."""


@contextlib.contextmanager
def first() -> Iterator[None]:
    """Let this process and those that it starts go before what else the machine does, and have many files open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    was, group = os.getpriority(os.PRIO_PROCESS, 0), _group()
    with contextlib.suppress(PermissionError):
        _be(FIRST, None if group is None else FIRST)
    try:
        yield
    finally:
        with contextlib.suppress(PermissionError):
            _be(was, group)


def second() -> None:
    """Let this process, which leads a session of its own, go right after them, and have many files open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.suppress(PermissionError):
        _be(SECOND, None if _group() is None else SECOND)


def _be(nice: int, group: int | None) -> None:
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    if group is not None:
        _GROUP.write_text(str(group))


def _group() -> int | None:
    """Return how nice this session is; ``None`` where it is in no such group: the file is missing, or empty."""
    told = _GROUP.read_text().split() if _GROUP.exists() else []
    return int(told[-1]) if told else None
