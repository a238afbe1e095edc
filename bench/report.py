"""What a part of the benchmark hands back: sections of ``docs/performance.rst``, and the tables in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Verdict:
    """A line of what must hold: what is asked, the figure that was measured (with its unit), and whether it holds."""

    asked: str
    figure: str
    holds: bool


@dataclass(frozen=True)
class Section:
    """A section of the page: ``rst`` stands below its title, ``verdicts`` in the table of all of them."""

    title: str
    rst: str
    verdicts: tuple[Verdict, ...] = field(default=())


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a ``list-table`` in reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (header, *rows):
        if len(row) != len(header):
            raise ValueError(f"a row of {len(row)} cells under a header of {len(header)}: {row}")
        for number, cell in enumerate(row):
            lines.append(f"   {'*' if number == 0 else ' '} - {cell}".rstrip())
    return "\n".join([*lines, ""])
