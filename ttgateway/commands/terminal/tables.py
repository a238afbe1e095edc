"""Tables and values for people, in plain text."""

from collections.abc import Sequence

import msgspec

LONGEST = 60
"""Characters of a value that came from elsewhere."""

_MIB = 1024 * 1024


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


def size(count: int) -> str:
    """Return a number of bytes as people read it: ``9,214 MiB``."""
    return f"{count / _MIB:,.0f} MiB"


def facts(found: dict[str, str]) -> str:
    """Return what has a name and a value, each on a line of its own; what is empty is left out."""
    width = max(map(len, found))
    return "\n".join(f"{name:{width}}  {value}" for name, value in found.items() if value)


def moment(shown: object) -> str:
    """Return a time of the gateway's, ``2016-09-22T19:08:52``, as people read it; ``""`` for none."""
    return plain(shown).replace("T", " ")


def plain(value: object) -> str:
    """Return ``value`` as it may be printed: short, and without what a terminal would take for a command."""
    text = printable(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def printable(value: object) -> str:
    """Return ``value``, however long, without what a terminal would take for a command."""
    text = "" if value is None else str(value)
    return "".join(character if character.isprintable() else "?" for character in text)


def as_text(found: object) -> str:
    """Return ``found`` as JSON that people can read, too."""
    return msgspec.json.format(msgspec.json.encode(found)).decode()
