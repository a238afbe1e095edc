"""One target of atheris, run by its own Python: ``python -m tests.fuzz.atheris_targets reply|json [OPTION ...]``.

``reply`` gives bytes, in pieces, to an attempt (`tests.fuzz.replies.check`); ``json`` gives them to `parse_json`, and
holds what that takes against msgspec's strict reading. The options are libFuzzer's; a file as the last one does that
input again.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Any

_INSTRUMENTED = ["ttgateway.notifier", "ttgateway.api.parsing", "json"]


def reply_target(data: bytes) -> None:
    """Let a reply be heard whole and in pieces: the first bytes say how it is cut."""
    replies: Any = importlib.import_module("tests.fuzz.replies")
    how, rest = data[:3], data[3:]
    if len(how) < 3:
        return
    cuts = tuple(sorted(min(len(rest), place) for place in (how[1], how[1] + how[2], 16_384 + how[2] - 128)))
    every = tuple(range(min(len(rest), 400))) if how[0] & 4 else ()
    replies.check(replies.Case(rest, None, bool(how[0] & 1), bool(how[0] & 2)), every or cuts)


def json_target(data: bytes) -> None:
    """Parse a body; raise what it should not have raised, and where it was read as another value than it is."""
    parsing: Any = importlib.import_module("ttgateway.api.parsing")
    strict: Any = importlib.import_module("tests.fuzz.strict")
    try:
        value = parsing.parse_json(data)
    except parsing.NotAnObject:
        value = None
    strict.check(data, value)


TARGETS: dict[str, Callable[[bytes], None]] = {"reply": reply_target, "json": json_target}


def main() -> None:
    """Hand the target over to libFuzzer, which ends the process."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=_INSTRUMENTED, enable_loader_override=False):
        for module in ("ttgateway.api.parsing", "tests.fuzz.replies", "tests.fuzz.strict"):
            importlib.import_module(module)
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
