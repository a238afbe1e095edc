"""What processes cost, as the kernel tells in ``/proc``: processor time and memory of a process and all below it."""

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self

_TICKS = os.sysconf("SC_CLK_TCK")


class Cpu(NamedTuple):
    """Processor time in seconds; the kernel tells it in hundredths."""

    user: float
    system: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.user + self.system

    def since(self, before: Self) -> "Cpu":
        """Return what was used since ``before``."""
        return Cpu(self.user - before.user, self.system - before.system)


class Stat(NamedTuple):
    """What ``/proc/PID/stat`` says: the parent, and the time of all threads."""

    parent: int
    cpu: Cpu


def parsed(stat: str) -> Stat:
    """Read the text of ``/proc/PID/stat``; the name of the program in it may hold anything, ``)`` too."""
    fields = stat.rpartition(")")[2].split()
    return Stat(int(fields[1]), Cpu(int(fields[11]) / _TICKS, int(fields[12]) / _TICKS))


def tree(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) is not None:
            children.setdefault(stat.parent, []).append(int(entry.name))
    found = [pid]
    for one in found:  # grows while it is walked
        found += children.get(one, [])
    return found


def cpu(pids: list[int]) -> Cpu:
    """Return what these processes have used since they began; one that is gone counts for nothing."""
    stats = [stat for pid in pids if (stat := _stat(pid)) is not None]
    return Cpu(sum(stat.cpu.user for stat in stats), sum(stat.cpu.system for stat in stats))


def resident(pids: list[int]) -> int:
    """Return the memory of these processes in bytes (RSS); what they share is counted in each."""
    page = os.sysconf("SC_PAGE_SIZE")
    return page * sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)


@cache
def cores() -> tuple[int, int]:
    """Return the processor for what is measured, and the one for all else; the same where there is only one.

    They are those that we had when this was first asked: meanwhile this process may keep off one of them.
    """
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def _stat(pid: int) -> Stat | None:
    try:
        return parsed(Path(f"/proc/{pid}/stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None
