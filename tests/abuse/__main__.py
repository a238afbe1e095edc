"""``python -m tests.abuse [--bounded] [CASE ...]``: attacks on a real gateway, and what honest clients notice of them.

Without names all cases are done; ``--bounded`` does those that CI does. Exit 1 where a promise was broken: an order
confirmed within 100 ms at the 99th percentile, nothing lost, no traceback, no 5xx, little memory and log, and all
normal 5 s after. A case that breaks one is done once more on a new gateway, as two busy processors can spoil a figure;
it fails if it breaks one again.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.abuse.cases import BOUNDED, CASES, Case
from tests.abuse.precedence import first
from tests.abuse.siege import Outcome, Scene, besiege
from tests.abuse.timing import ABOUT, NAME, time_secrets

TRIES = 2
ALL = {**CASES, NAME: Case(ABOUT, ())}


class House:
    """The scenes of a run: cases that need no gateway of their own share one, until they break something."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0
        self._shared: Scene | None = None

    def besieged(self, name: str) -> Outcome:
        """Do a case; return what came of it."""
        case = ALL[name]
        own = bool(case.settings or case.descriptors)
        scene = self._scene(name) if own else self._shared or self._scene(name)
        outcome = time_secrets(scene) if name == NAME else besiege(scene, name, case)
        if own or outcome.broken:
            self._shared = None if scene is self._shared else self._shared
            self._close(scene, outcome)
        else:
            self._shared = scene
        return outcome

    def close(self) -> Outcome:
        """End what is left; return what came of that."""
        outcome = Outcome("the end")
        if self._shared is not None:
            self._close(self._shared, outcome)
        return outcome

    def _scene(self, name: str) -> Scene:
        self._made += 1
        folder = self._folder / str(self._made)
        folder.mkdir()
        return Scene(folder, ALL[name])

    def _close(self, scene: Scene, outcome: Outcome) -> None:
        try:
            scene.close()
        except AssertionError as error:
            outcome.broken.append(f"the gateway did not end in order: {error}")


def said(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def held(house: House, name: str) -> bool:
    """Do a case, again where it broke a promise; tell of it, and return whether all was kept."""
    for attempt in range(1, TRIES + 1):
        said(f"{name}: {ALL[name].about}")
        outcome = house.besieged(name)
        for line in [*outcome.lines, *(f"  BROKEN     {words}" for words in outcome.broken)]:
            said(line)
        if not outcome.broken:
            return True
        if attempt < TRIES:
            said("  once more, on a new gateway")
    return False


def main() -> int:
    """Do the cases; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.abuse", description="Attacks on a real gateway.")
    parser.add_argument("--bounded", action="store_true", help="only the cases that CI does")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(ALL))
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.cases if name not in ALL]:
        parser.error(f"no such case: {', '.join(unknown)}")
    names = arguments.cases or ((*BOUNDED, NAME) if arguments.bounded else tuple(ALL))
    began, failed = time.monotonic(), []
    shm = Path("/dev/shm")  # noqa: S108  # the disk is not what is tried here, and would spoil the figures
    with first(), tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None) as folder:
        house = House(Path(folder))
        try:
            failed = [name for name in names if not held(house, name)]
        finally:
            end = house.close()
    failed += [end.name] if end.broken else []
    for words in end.broken:
        said(f"  BROKEN     {words}")
    said(f"{len(names)} cases in {time.monotonic() - began:.0f} s, {len(failed)} broke a promise")
    for name in failed:
        said(f"again: {sys.executable} -m tests.abuse {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
