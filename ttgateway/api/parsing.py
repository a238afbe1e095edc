"""What a request says: its JSON body, and the one field that old devices send as a form.

The rules are those of protocol section 1 ("Body not a JSON object"), section 6 (the unescaped URL), and of the
table of inbound abuse: what one JSON parser takes and another does not is refused here, for all.
"""

import json
import math
import re
from urllib.parse import unquote_to_bytes

from ttgateway.whole import MOST_WHOLE

MOST_BODY = 64 * 1024
"""The most bytes of a body (protocol section 1)."""

_MOST_DEPTH = 32
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_URL = re.compile(rb"https?://", re.IGNORECASE)


class NotAnObject(Exception):
    """The body is not a JSON object that we take; the text says what is wrong with it, and where."""


def parse_json(body: bytes) -> dict[str, object]:
    """Return the JSON object in ``body``, ``{}`` for a blank one; raise `NotAnObject`, and nothing else."""
    if len(body) > MOST_BODY:
        raise NotAnObject(f"The body is longer than {MOST_BODY} bytes.")
    if not body.strip(b" \t\r\n"):
        return {}
    try:
        text = body.decode("utf-8")
        if text.startswith("\ufeff"):
            raise NotAnObject("The body is not JSON: it begins with a BOM.")
        value = _decoder.decode(text)
    except UnicodeDecodeError as error:
        raise NotAnObject(f"The body is not UTF-8 at byte {error.start}.") from None
    except json.JSONDecodeError as error:
        raise NotAnObject(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise NotAnObject("The body has something nested too deep.") from None
    except ValueError:  # an integer of more digits than Python converts
        raise NotAnObject("The body holds a number with too many digits.") from None
    if not isinstance(value, dict):
        raise NotAnObject("The body is not a JSON object.")
    if fault := _fault(value, 1):
        raise NotAnObject(f"The body has {fault[0]} at ${fault[1]}.")
    return value


def form_value(body_or_query: bytes, field: str) -> str | None:
    """Return the value of ``field`` in a query string or a form body; ``None`` where it is absent.

    A value that starts with ``http://`` or ``https://`` was sent unescaped: it is taken as it stands, with all
    that follows it (protocol section 6). Any other ends at the next ``&`` and is decoded as form encoding says.
    What is not ASCII becomes U+FFFD, which no URL may hold.
    """
    pairs = body_or_query.split(b"&")
    for index, pair in enumerate(pairs):
        name, _, raw = pair.partition(b"=")
        if name == field.encode():
            unescaped = _URL.match(raw) is not None
            value = b"&".join([raw, *pairs[index + 1 :]]) if unescaped else unquote_to_bytes(raw.replace(b"+", b" "))
            return value.decode("ascii", "replace")
    return None


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object with these members; raise `NotAnObject` where two have one name."""
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise NotAnObject(f"The body has the name {_clipped(name)} twice in one object.")
        members[name] = value
    return members


_decoder = json.JSONDecoder(object_pairs_hook=_distinct)


def _fault(value: object, depth: int) -> tuple[str, str] | None:
    """Return what in ``value`` we refuse and where it stands, seen from ``value``; ``None`` where all is well."""
    if isinstance(value, dict | list):
        return ("something nested too deep", "") if depth > _MOST_DEPTH else _fault_within(value, depth)
    if isinstance(value, str):
        return ("a NUL or half a surrogate pair", "") if _UNFIT.search(value) else None
    if isinstance(value, float) and not math.isfinite(value):
        return "a number that is not finite", ""
    if isinstance(value, int | float):
        return ("a number beyond 2^53", "") if abs(value) > MOST_WHOLE else None
    return None


def _fault_within(value: dict[str, object] | list[object], depth: int) -> tuple[str, str] | None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            if fault := _fault(item, depth + 1):
                return fault[0], f"[{index}]{fault[1]}"
        return None
    for name, member in value.items():
        if fault := _fault(name, depth + 1) or _fault(member, depth + 1):
            return fault[0], f".{_clipped(name)}{fault[1]}"
    return None


def _clipped(name: str) -> str:
    """Return ``name`` as it may stand in a message: quoted, escaped and short."""
    return ascii(name if len(name) <= 40 else f"{name[:40]}...")
