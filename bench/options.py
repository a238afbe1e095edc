"""How the benchmark is run: what the command line of ``python -m bench`` says."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What all parts are given.

    ``rounds`` is how often each measurement is made, ``seconds`` how long each window of one is; ``listeners`` are the
    numbers of live listeners. ``quick`` asks each part for as little as shows that it works. ``only`` names contenders,
    empty for all. ``out`` is the page to write; none where it is empty.
    """

    rounds: int = 3
    seconds: float = 1.5
    listeners: tuple[int, ...] = (1, 10, 100)
    quick: bool = False
    only: tuple[str, ...] = ()
    out: Path | None = None
