"""Who holds a TCP port of this machine, or a file: read from /proc, as far as the user may."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

_LISTENING = "0A"


def holder(port: int, proc: Path = Path("/proc")) -> str:
    """Return who listens on ``port``, such as ``python3 (pid 812)``; ``""`` where that cannot be known."""
    sockets = {f"socket:[{inode}]" for number, inode in _listening(proc) if number == port}
    for process in _holding(lambda link: str(link.readlink()) in sockets, proc) if sockets else ():
        try:
            return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:  # it has ended
            continue
    return ""


def keeper(file: Path, proc: Path = Path("/proc")) -> int | None:
    """Return the process that has ``file`` open; ``None`` where that cannot be known."""
    try:
        wanted = file.stat()
    except OSError:
        return None
    return next((int(one.name) for one in _holding(lambda link: os.path.samestat(link.stat(), wanted), proc)), None)


def ports_of(pid: int, proc: Path = Path("/proc")) -> list[int]:
    """Return the ports that a process listens on, as far as that can be known."""
    try:
        held = {str(link.readlink()) for link in (proc / str(pid) / "fd").iterdir()}
    except OSError:
        return []
    return sorted({port for port, inode in _listening(proc) if f"socket:[{inode}]" in held})


def _holding(wanted: Callable[[Path], bool], proc: Path) -> Iterator[Path]:
    """Yield the processes one of whose open files is ``wanted``."""
    for process in proc.glob("[0-9]*"):
        try:
            held = any(map(wanted, (process / "fd").iterdir()))
        except OSError:  # another user's, or it has ended
            continue
        if held:
            yield process


def _listening(proc: Path) -> Iterator[tuple[int, str]]:
    """Yield port and inode of each socket that listens, as ``net/tcp`` lists them: address:port, state, ..., inode."""
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTENING:
                yield int(fields[1].rpartition(":")[2], 16), fields[9]
