"""The command: ``python -m tests.crashstates --states 50000 [--seed 1] [--jobs 2]``; or ``--mutants``."""

import argparse
import random
import sys
import time
from collections import defaultdict

from tests.crashstates.exploration import Findings, State
from tests.crashstates.mutants import MUTANTS
from tests.crashstates.runs import Portion, portions, run, run_all
from tests.crashstates.scenarios import SCENARIOS

MUTANT_STATES = 400
"""States of each scenario that a mutant is looked for in."""


def main() -> int:
    """Run what the arguments say; return the exit code."""
    asked = _arguments()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1, 1_000_000)
    print(f"crash states: seed {seed}", flush=True)
    if asked.replay:
        return _replay(asked.replay, seed)
    failed = False
    if asked.states:
        failed |= _explore(asked.states, seed, asked.scenario or list(SCENARIOS), asked.jobs, asked.seconds)
    if asked.mutants:
        failed |= _hunt(
            asked.mutant or list(MUTANTS), asked.scenario or list(SCENARIOS), seed, asked.jobs, asked.seconds
        )
    print("FAILED" if failed else "ok")
    return int(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crashstates", description=__doc__)
    parser.add_argument("--states", type=int, default=0, help="how many states to look at, in all")
    parser.add_argument("--seed", type=int, help="of the workloads and the choice; without it, by chance")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--seconds", type=float, default=1_200.0, help="a run that is not done by then has failed")
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS), help="only this one; may be repeated")
    parser.add_argument("--mutants", action="store_true", help="plant known faults, each of which must be found")
    parser.add_argument("--mutant", action="append", choices=list(MUTANTS), help="only this one; may be repeated")
    parser.add_argument("--replay", metavar="SCENARIO:POINT:CHOICE", help="look at one state again")
    asked = parser.parse_args()
    if not asked.states and not asked.mutants and not asked.replay:
        asked.states = 50_000
    return asked


def _explore(number: int, seed: int, names: list[str], jobs: int, seconds: float) -> bool:
    began = time.monotonic()
    found: dict[str, Findings] = defaultdict(Findings)
    for portion, part in run_all(list(portions(number, seed, names, seconds)), jobs):
        found[portion.scenario].add(part)
    took = time.monotonic() - began
    total = Findings()
    for name, findings in found.items():
        _show(name, findings)
        for state, problem in findings.examples:
            print(f"  {name}:{state}: {problem}")
            print(f"    again: python -m tests.crashstates --seed {seed} --replay {name}:{state}")
        total.add(findings)
    _show("all", total)
    print(f"{took:.0f} s, {total.states / took:.0f} states a second")
    if total.late:
        print(f"not done after {seconds:.0f} s")
    return bool(total.failed) or total.late


def _show(name: str, findings: Findings) -> None:
    print(
        f"{name}: {findings.states} states at {findings.points} points of the log"
        f" ({findings.exhaustive} of all subsets, {findings.again} with a second power cut),"
        f" {findings.promises} answers held against them, {sum(findings.failed.values())} failed"
    )


def _hunt(names: list[str], scenarios: list[str], seed: int, jobs: int, seconds: float) -> bool:
    wanted = [
        Portion(scenario, seed, MUTANT_STATES, mutant=name, seconds=seconds)
        for name in names
        for scenario in MUTANTS[name].scenarios
        if scenario in scenarios
    ]
    found: dict[str, Findings] = defaultdict(Findings)
    for portion, findings in run_all(wanted, jobs):
        assert portion.mutant is not None
        found[portion.mutant].add(findings)
    for name, findings in found.items():
        kinds = ", ".join(f"{count} {kind}" for kind, count in findings.failed.most_common(3))
        caught = f"caught by {sum(findings.failed.values())} of {findings.states} states: {kinds}"
        print(f"mutant {name} ({MUTANTS[name].says}): {caught if findings.failed else 'NOT CAUGHT'}")
    return not all(findings.failed for findings in found.values())


def _replay(text: str, seed: int) -> int:
    scenario, point, choice = text.split(":")
    findings = run(Portion(scenario, seed, 1, state=State(int(point), choice)))
    for state, problem in findings.examples:
        print(f"{scenario}:{state}: {problem}")
    print("FAILED" if findings.failed else "ok")
    return int(bool(findings.failed))


if __name__ == "__main__":
    sys.exit(main())
