"""``python -m tests.clocks [--bounded] [--rounds n] [--seed n] [--scenes name ...]``: steps the clocks of real daemons.

Prints what was done, and ends with 0 if all was as it should be. ``--bounded`` plays each scene once, with a window of
ten seconds in place of two minutes.
"""

import argparse
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.clocks.daemon import SteppedDaemon
from tests.clocks.scenes import SCENES, Figures, play

SHORT_WINDOW = 10.0
AT_A_TIME = 2


def main() -> int:
    """Play the scenes; return the exit code."""
    asked = argparse.ArgumentParser(prog="python -m tests.clocks", description=__doc__)
    asked.add_argument("--bounded", action="store_true", help="one round, with a short window")
    asked.add_argument("--rounds", type=int, default=3, help="how often each scene is played")
    asked.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of the first round")  # noqa: S311
    asked.add_argument("--scenes", nargs="+", choices=SCENES, default=list(SCENES), help="only these")
    options = asked.parse_args()
    rounds, window = (1, SHORT_WINDOW) if options.bounded else (options.rounds, 120.0)
    print(f"clocks: {len(options.scenes)} scenes, {rounds} rounds, seed {options.seed}", flush=True)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="ttgateway-clocks-", dir=_memory()) as folder,
        ThreadPoolExecutor(AT_A_TIME) as pool,
    ):
        jobs = [
            pool.submit(_play, name, options.seed + number, Path(folder), window)
            for number in range(rounds)
            for name in options.scenes
        ]
        played = [job.result() for job in jobs]
    steps, late = sum(steps for steps, _, _ in played), [each for _, figures, _ in played for each in figures.late]
    print(
        f"clocks: {len(played)} scenes played in {time.monotonic() - began:.0f} s, {steps} steps of the clock;"
        f" {len(late)} deliveries timed, the latest by {max(late, default=0.0):.3f} s"
    )
    return 1 if any(failed for _, _, failed in played) else 0


def _memory() -> str | None:
    """Return a folder in memory: a disk that others keep busy must not look like a clock that stops."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def _play(name: str, seed: int, folder: Path, window: float) -> tuple[int, Figures, bool]:
    home = folder / f"{name}-{seed}"
    home.mkdir()
    daemon = SteppedDaemon(home, window=window)
    began = time.monotonic()
    figures, failure = play(SCENES[name], daemon, seed)
    said = "; ".join([f"{daemon.steps} steps", *figures.said])
    print(
        f"  {name}, seed {seed}: {'FAILED' if failure else 'right'}, {said} ({time.monotonic() - began:.0f} s)",
        flush=True,
    )
    if failure:
        bounded = " --bounded" if window == SHORT_WINDOW else ""
        print(f"    {failure[:1000]}")
        print(f"    replay: python -m tests.clocks{bounded} --rounds 1 --scenes {name} --seed {seed}")
    return daemon.steps, figures, bool(failure)


if __name__ == "__main__":
    sys.exit(main())
