"""``python -m tests.callees``: the real daemon, in namespaces of its own, held to the table. Needs root.

Exit code 0: nobody was called who must not be, everybody else was, and each reply is as documented; else 1.
"""

import argparse
import os
import random
import sys
import time

from tests.callees import namespace
from tests.callees.course import run
from tests.callees.table import Case, Fate, rows, rows_of_source
from tests.callees.world import PROXY_PORT, World

SEED = 20161224
BOUNDED_OF = 3
"""Of the rows that are no URL, one in so many is in the bounded form."""


def main() -> int:
    """Run, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.callees", description=__doc__)
    parser.add_argument("--bounded", action="store_true", help="fewer of the spellings that are no URL")
    parser.add_argument("--seed", type=int, default=SEED, help="of the order, and of what is left out")
    parser.add_argument("--rows", type=int, default=0, metavar="N", help="no more than N rows, taken by chance")
    asked = parser.parse_args()
    namespace.enter()
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        os.environ[name] = f"http://10.0.0.5:{PROXY_PORT}"
    began = time.monotonic()
    cases = _chosen(asked.seed, bounded=asked.bounded)
    cases = cases[: asked.rows or len(cases)]
    told = f"{len(cases)} rows of {len(rows())}, and {len(rows_of_source())} with source_only"
    print(f"{told}, each registered by versions 1 and 2; seed {asked.seed}", flush=True)
    world = World()
    try:
        run(world, cases, asked.seed)
    except (AssertionError, OSError) as error:  # the daemon did not start, end or answer
        world.wrong.append(f"broken off: {error!r}")
    for figure, count in sorted(world.figures.items()):
        print(f"{count:8,d}  {figure}")
    print(f"{world.figures['forbidden connections']:8,d}  forbidden connections, in {time.monotonic() - began:.0f} s")
    if not world.wrong:
        return 0
    print(f"{len(world.wrong)} went wrong:")
    print("\n".join(world.wrong[:100]))
    print(f"again: python -m tests.callees {' '.join(sys.argv[1:])}  # seed {asked.seed}")
    return 1


def _chosen(seed: int, *, bounded: bool) -> list[Case]:
    """Return the rows in an order by chance."""
    order = random.Random(seed)  # noqa: S311
    cases = [case for case in rows() if not bounded or case.fate is not Fate.INVALID or not order.randrange(BOUNDED_OF)]
    order.shuffle(cases)
    return cases


if __name__ == "__main__":
    sys.exit(main())
