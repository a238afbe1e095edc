"""What is wrong with the settings, in one line that is not long, whatever stands in them."""

import re
from typing import Any, get_args

import msgspec

_MOST_SHOWN = 200  # characters of a value in a message


def explained(message: str, raw: dict[str, Any], table: Any) -> str:
    """Turn msgspec's words (``Expected `int`, got `str` - at `$.journal.keep_days```) into ours.

    ``raw`` is what the file holds, ``table`` the struct that it does not fit.
    """
    what, _, where = message.partition(" - at `$")
    path = [part for part in re.split(r"\.|(?=\[)", where.rstrip("`")) if part]
    if "unknown field" in what:
        path.append(what.split("`")[1])
        names = ", ".join(field.name for field in msgspec.structs.fields(_type_at(path[:-1], table)))
        return f"{_named(path)}: no such key; known are {names}"
    value: Any = raw
    for part in path:
        value = value[int(part[1:-1]) if part.startswith("[") else part]
    if "invalid enum value" in what.lower():
        what = f"must be one of {', '.join(map(repr, get_args(_type_at(path, table))))}"
    return f"{_named(path)} = {shown(value)}: {what[0].lower()}{what[1:]}"


def shown(value: object) -> str:
    """Return a value, or an error, as it may stand in a message: in one line, and not long."""
    try:
        text = str(value) if isinstance(value, Exception) else repr(value)
    except ValueError:
        return "a number of more digits than Python writes"
    return _clipped(text if text.isprintable() else repr(text))


def _type_at(path: list[str], table: Any) -> Any:
    for part in path:
        table = next(field.type for field in msgspec.structs.fields(table) if field.name == part)
    return table


def _named(path: list[str]) -> str:
    """Return a key as it may stand in a message: what cannot be printed is escaped."""
    name = ".".join(path).replace(".[", "[")
    return _clipped(name if name.isprintable() else repr(name))


def _clipped(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
