"""Tables and values for people, in plain text."""

from collections.abc import Sequence

LONGEST = 60
"""Characters of a value that came from elsewhere."""


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: str = "") -> str:
    """Return an aligned table under ``heads``; the columns whose heads are in ``numbers`` are set to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    rights = [head in numbers.split() for head in heads]
    return "\n".join(aligned(row, widths, rights) for row in (heads, *rows))


def aligned(cells: Sequence[str], widths: Sequence[int], rights: Sequence[bool]) -> str:
    """Return one line of cells, two blanks apart; ``rights`` tells which are set to the right."""
    columns = zip(cells, widths, rights, strict=True)
    return "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in columns).rstrip()


def age(seconds: float) -> str:
    """Return a duration as people read it: ``9 s``, ``4:05``, ``2:03:00``, ``3 d``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    if whole < 48 * 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 86400} d"


def plain(value: object) -> str:
    """Return ``value`` as it may be printed: short, and without what a terminal would take for a command."""
    text = "" if value is None else str(value)
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
