"""What the kernel tells of memory, and what is made of it."""

from bench.memory import MIB, Memory, Sizes, parsed, section
from tests.bench import rst

ROLLUP = """560e8e9b8000-7ffea897e000 ---p 00000000 00:00 0                          [rollup]
Rss:               70924 kB
Pss:               54339 kB
Pss_Dirty:         46272 kB
Pss_Anon:          46240 kB
Pss_File:           8099 kB
THPeligible:    0
"""


def _sized(mib: float) -> Memory:
    return Memory(int(mib * MIB), int(mib * MIB / 2), int(mib * MIB / 4))


def test_the_text_of_the_kernel_is_read() -> None:
    assert parsed(ROLLUP) == Memory(70924 * 1024, 54339 * 1024, 46240 * 1024)


def test_the_larger_of_the_two_counts() -> None:
    made = section(Sizes(1_000, 10, 1_024, 500), _sized(50), _sized(63), _sized(64.5), _sized(53))
    whole, idle = made.verdicts
    assert (whole.figure, whole.holds) == ("64.5 MiB", False)
    assert (idle.figure, idle.holds) == ("3,072 bytes", True)
    assert rst.rows(made.rst) == [
        ["MiB", "RSS", "PSS", "anonymous"],
        ["1 listener, 100 changes", "50.0", "25.0", "12.5"],
        ["10 listeners, 1,000 changes in the journal, just started", "63.0", "31.5", "15.8"],
        ["the same after 500 deliveries", "64.5", "32.2", "16.1"],
        ["1 listener and 1,024 idle ones", "53.0", "26.5", "13.2"],
    ]


def test_what_is_small_enough_holds() -> None:
    made = section(Sizes(1_000, 10, 1_000, 500), _sized(50), _sized(60), _sized(63.9), _sized(54))
    assert [verdict.holds for verdict in made.verdicts] == [True, False]
