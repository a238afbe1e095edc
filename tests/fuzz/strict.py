"""What JSON is, by another strict reader than the one that the API uses: msgspec's."""

import json
import math
from typing import Any

import msgspec

from ttgateway.api.parsing import MOST_BODY

_MOST = 2**53
DEEPEST = 32
"""Levels of objects and arrays that the API takes (docs/security.rst)."""


def check(body: bytes, taken: dict[str, Any] | None) -> None:
    """Raise ``AssertionError`` unless ``taken`` is what a body holds; ``None``: it was refused, as it should be."""
    if not body.strip(b" \t\r\n"):
        assert (taken == {}) == (len(body) <= MOST_BODY), body
        return
    value = _read(body)
    if taken is None:
        assert len(body) > MOST_BODY or not isinstance(value, dict) or not _fits(value, 1) or _doubled(body), body
    else:
        assert _same(value, taken), (value, taken)


def _read(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _same(one: Any, other: Any) -> bool:
    """Tell whether they are equal, and of one kind throughout: 1 is neither 1.0 nor true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)


def _fits(value: Any, depth: int) -> bool:
    """Tell whether the API takes such values: not too deep, no NUL, no number beyond 2^53."""
    if isinstance(value, dict):
        return depth <= DEEPEST and all("\0" not in name and _fits(kept, depth + 1) for name, kept in value.items())
    if isinstance(value, list):
        return depth <= DEEPEST and all(_fits(kept, depth + 1) for kept in value)
    if isinstance(value, str):
        return "\0" not in value
    return not isinstance(value, int | float) or (math.isfinite(value) and abs(value) <= _MOST)


def _doubled(body: bytes) -> bool:
    """Tell whether an object has one name twice, which msgspec passes over."""
    found: list[bool] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found.append(len(dict(pairs)) < len(pairs))
        return dict(pairs)

    try:
        json.loads(body, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return False
    return any(found)
