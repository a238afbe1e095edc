"""JSON as clients should not write it: values of every kind where others are wanted, and text that is hardly JSON."""

import json
from random import Random
from typing import Any

from tests.fuzz.scripts import EPOCH, LISTENER, UUID
from tests.fuzz.strict import DEEPEST

HOSTS = ("10.0.1.18", "10.0.0.9:8989", "192.168.7.7", "[fd00::1]:81", "127.0.0.1", "169.254.169.254", "0x7f.1", "a.b")

NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1.0, 0.5, -0.0, 1e300, 2**53, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**400),
    *(
        "",
        " ",
        "0",
        "00000000001",
        "-1",
        "1.0",
        "1e3",
        "true",
        "TRUE",
        "null",
        "\0",
        "\ud800",
        "\udc00\ud800",
        "\ufeff",
    ),
    *(
        "٣",
        "\uff11",
        "²",
        "\x7f",
        "\u2028",
        "é",
        "e\u0301",
        "😀",
        "%s%n",
        "../../etc/passwd",
        "' OR 1=1 --",
        "${jndi:x}",
    ),
    *("<script>", "A" * 300, "9" * 5000, "\n", "\r\nX: y", "12\n", "http://", "http://a@b/", "http://10.0.0.1:22/"),
    *([], {}, [[]], [None], {"": ""}, ["ORDER_CREATED", "ORDER_CREATED"], {"a": {"b": {"c": []}}}),
    *("2016-02-30T00:00:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2016-01-01T00:00:00+99:99"),
)


def sound(name: str, schema: dict[str, Any], random: Random) -> Any:
    """Return a value for the field ``name`` that its schema allows, as far as its author can tell."""
    if name in _KNOWN:
        return random.choice(_KNOWN[name])
    if "anyOf" in schema:
        return sound("", random.choice(schema["anyOf"]), random)
    if "enum" in schema:
        return random.choice(schema["enum"])
    if schema.get("type") == "integer":
        lowest, highest = schema.get("minimum", 0), schema.get("maximum", 1000)
        return random.choice([lowest, highest, random.randint(lowest, min(highest, lowest + 50))])
    kind = schema.get("type")
    if kind == "array":
        return [sound("", schema["items"], random) for _ in range(random.randint(0, 3))]
    plain = {"number": 1.5, "boolean": random.random() < 0.5, "object": {}, "null": None}
    return plain.get(str(kind), random.choice(["7", "66", "x"]))


_KNOWN: dict[str, list[Any]] = {
    "name": [*(str(number) for number in range(60, 72)), "0", "9999999999"],
    "locationName": ["", "1", "22", "0123456789", None],
    "key": [UUID, UUID, "66", "67", "0", UUID.upper()],
    "listener": [LISTENER],
    "epoch": [EPOCH],
    "http_client": [
        *(f"http{tls}://{host}/{path}" for tls in ("", "", "s") for host in HOSTS for path in ("", "a?b=c&d")),
        *(f"http://10.0.2.{number}:8989/" for number in range(1, 90)),
    ],
    "secret": ["whsec_" + "QUJD" * 10, None],
    "timezone": ["UTC", "Europe/Paris", "America/New_York"],
    "zigbeePreset": ["A", "Z"],
    "events": [["ORDER_CREATED"], ["ORDER_PAGED", "ORDER_MODIFIED"], None],
    "created_after": ["2016-09-22T19:08:52", "2016-09-22 19:08:52+02:00", "1000-01-01T00:00:00"],
    "created_before": ["2999-01-01T00:00:00", "2016-09-22 19:08:52Z"],
    "wait": [0, 0, 0, 0, 1, 2],
    "target_time": [0, 300, 86400],
}


def members(schema: dict[str, Any], schemas: dict[str, Any], random: Random) -> dict[str, Any]:
    """Return an object as a schema of the document wants it; ``schemas`` are those that it may refer to."""
    schema = _resolved(schema, schemas)
    wanted = set(schema.get("required", ()))
    return {
        name: sound(name, _resolved(field, schemas), random)
        for name, field in schema.get("properties", {}).items()
        if name in wanted or random.random() < 0.5
    }


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    return schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def spoilt_members(fields: dict[str, Any], random: Random) -> Any:
    """Return the object with something wrong in it, or something that is no object at all."""
    fields = dict(fields)
    for _ in range(random.choice([1, 1, 2])):
        name = random.choice([*fields, "x"])
        turn = random.randrange(6)
        if turn == 0:
            fields.pop(name, None)
        elif turn == 1:
            fields[random.choice([name.upper(), name + " ", "", "\0", "name", "__proto__"])] = fields.get(name)
        elif turn == 2:
            fields[name] = [fields.get(name)] * random.randint(0, 3)
        else:
            fields[name] = random.choice(NASTY)
    return random.choice([fields, fields, fields, fields, [fields], random.choice(NASTY)])


def nested(fields: dict[str, Any], random: Random) -> tuple[dict[str, Any], bool]:
    """Return the object with one member more, in which values nest deep; and whether deeper than the API takes."""
    depth = random.choice([DEEPEST - 1, DEEPEST, DEEPEST + 1, DEEPEST + 1, 3 * DEEPEST])
    value: Any = None
    for _ in range(depth - 1):  # the object itself is the first level
        value = [value] if random.random() < 0.5 else {"a": value}
    return {**fields, "x": value}, depth > DEEPEST


def written(value: Any, random: Random) -> bytes:
    """Return JSON, in one of the ways in which libraries write it."""
    style = random.randrange(4)
    text = json.dumps(value, ensure_ascii=style != 1, indent=2 if style == 2 else None)
    return text.encode("utf-8", "surrogatepass")


def spoilt_text(text: bytes, random: Random) -> bytes:
    """Return JSON text that is cut, doubled, nested too deep, of another encoding, or has numbers like no others."""
    at = random.randrange(len(text) + 1)
    turn = random.randrange(10)
    if turn == 0:
        return text[:at]
    if turn == 1:
        return text + random.choice([text, b"}", b"\0", b",", b"//x"])
    if turn == 2:
        depth = random.choice([1, 31, 32, 33, 500, 3000, 20_000])
        return b'{"a":' + random.choice([b"[" * depth + b"]" * depth, b"[" * depth, b'{"a":' * depth]) + b"}"
    if turn == 3:
        return text.decode("utf-8", "replace").encode(random.choice(["utf-16", "utf-32", "utf-8-sig", "utf-16-le"]))
    if turn == 4:
        number = random.choice(
            [b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"01", b"1.", b"-", b"1E+2", b"0x1", b"-0"]
        )
        return text[:at] + number + text[at:]
    if turn == 5:
        inner = text.strip()[1:-1]
        return b"{" + inner + b"," + inner + b"}"
    if turn == 6:
        return (
            text[:at]
            + random.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\\ud800"])
            + text[at:]
        )
    if turn == 7:
        return text.replace(b'"', b"'")
    if turn == 8:
        return random.choice([b"", b" ", b"\n", b"null", b"[]", b"{}", b'""', b"http_client=http://10.0.1.18:8989/"])
    return b" " * random.choice([1, 70_000]) + text
