"""What the kernel tells of processes."""

import os

import pytest

from bench import processes
from bench.processes import Cpu

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_STAT = "{pid} ({name}) S 42 7 7 0 -1 4194560 1 2 3 4 {user} {system} 900 800 20 0 5 0 1 2 3"


@pytest.mark.parametrize("name", ["twistd", "a b", "a) S 1 (b", ""])
def test_the_name_of_a_program_may_be_anything(name: str) -> None:
    stat = processes.parsed(_STAT.format(pid=7, name=name, user=250, system=31))
    assert (stat.parent, stat.cpu) == (42, Cpu(250 * _TICK, 31 * _TICK))


def test_what_ended_children_have_used_is_not_counted() -> None:
    assert processes.parsed(_STAT.format(pid=7, name="x", user=1, system=0)).cpu.total == _TICK


def test_what_was_used_since() -> None:
    assert Cpu(3.0, 5.0).since(Cpu(1.0, 0.5)) == Cpu(2.0, 4.5)
    assert Cpu(2.0, 4.5).total == 6.5


def test_this_process_is_found_below_its_parent() -> None:
    assert os.getpid() in processes.tree(os.getppid())
    assert processes.tree(os.getpid())[0] == os.getpid()


def test_a_process_that_is_gone_counts_for_nothing() -> None:
    gone = 2**22 + 1  # above the most that Linux gives
    assert processes.cpu([gone]) == Cpu(0.0, 0.0)
    assert processes.cpu([os.getpid(), gone]).total > 0


def test_memory_is_that_of_all() -> None:
    one = processes.resident([os.getpid()])
    assert one > 2**20
    assert processes.resident([os.getpid(), os.getpid()]) >= 2 * one - 2**20


def test_whoever_keeps_off_a_processor_still_knows_both() -> None:
    before = os.sched_getaffinity(0)
    both = processes.cores()
    os.sched_setaffinity(0, {both[1]})
    try:
        assert processes.cores() == both
    finally:
        os.sched_setaffinity(0, before)
