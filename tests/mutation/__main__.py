"""``python -m tests.mutation``: are the tests of whom we call good enough to notice any slip in it?

Each mutant of the modules in `SUBJECTS` meets their mirror tests. Exit code 1: fewer than `ENOUGH` were noticed.
"""

import argparse
import os
import random
import sys
import time
from collections import Counter

import hypothesis.strategies
import twisted.internet.ssl
import twisted.internet.testing
import twisted.web.client

import ttgateway.settings
from tests.mutation.equivalents import EQUIVALENT
from tests.mutation.operators import Mutant, mutants
from tests.mutation.running import Subject, survivors

ENOUGH = 0.95
SEED = 20161224

SUBJECTS = (
    Subject("ttgateway.notifier.callbacks.callback", ("notifier/callbacks/test_callback.py", "callees/test_table.py")),
    Subject(
        "ttgateway.notifier.callbacks.policy",
        ("notifier/callbacks/test_policy.py", "notifier/callbacks/test_trial.py", "callees/test_table.py"),
    ),
    Subject("ttgateway.notifier.callbacks.reach", ("notifier/callbacks/test_reach.py", "callees/test_table.py")),
    Subject("ttgateway.notifier.callbacks.resolver", ("notifier/callbacks/test_resolver.py", "callees/test_table.py")),
    Subject("ttgateway.notifier.attempts.dialling", ("notifier/attempts/test_dialling.py",)),
    Subject("ttgateway.machine", ("test_machine.py",)),
)
IMPORTED = (
    hypothesis.strategies,
    twisted.internet.ssl,
    twisted.internet.testing,
    twisted.web.client,
    ttgateway.settings,
)
"""What every mutant's tests import, here once for all of them."""


def main() -> int:
    """Run, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="modules whose name holds this")
    parser.add_argument("--most", type=int, default=0, metavar="N", help="of each module N mutants, taken by chance")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    began, order = time.monotonic(), random.Random(asked.seed)  # noqa: S311
    subjects = [subject for subject in SUBJECTS if asked.only in subject.module]
    unchanged = [(subject, Mutant(0, subject.file.read_text(), "")) for subject in subjects]
    whole = [subject for subject, _ in survivors(unchanged, asked.workers)]
    if failing := [subject.module for subject in subjects if subject not in whole]:
        print(f"without a mutant, the tests of these fail: {', '.join(failing)}")
        return 1
    jobs: list[tuple[Subject, Mutant]] = []
    for subject in subjects:
        every = mutants(subject.file.read_text())
        made = [mutant for mutant in every if (subject.module, mutant.difference) not in EQUIVALENT]
        taken = order.sample(made, min(asked.most or len(made), len(made)))
        jobs += [(subject, mutant) for mutant in taken]
    order.shuffle(jobs)
    left = []
    for subject, mutant in survivors(jobs, asked.workers):
        print(f"not noticed: {subject.file}:{mutant.line}\n{mutant.difference}", flush=True)
        left.append(subject.module)
    return _told(Counter(subject.module for subject, _ in jobs), Counter(left), time.monotonic() - began, asked.seed)


def _told(made: Counter[str], lived: Counter[str], seconds: float, seed: int) -> int:
    """Print what came of it; return the exit code."""
    for module, count in sorted(made.items()):
        killed = count - lived[module]
        print(f"{module}: {killed} of {count} mutants noticed, {100 * killed / count:.1f} %")
    share = 1 - lived.total() / made.total()
    print(f"{made.total()} mutants, {100 * share:.1f} % noticed, in {seconds:.0f} s; seed {seed}")
    if share >= ENOUGH:
        return 0
    print(f"fewer than {100 * ENOUGH:.0f} % noticed; again: python -m tests.mutation {' '.join(sys.argv[1:])}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
