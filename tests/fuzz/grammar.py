"""Scripts from the API's own operations: the OpenAPI document says which paths, fields and values there are."""

import re
from random import Random
from typing import Any
from urllib.parse import quote

from tests.fuzz.bodies import NASTY, members, nested, sound, spoilt_members, spoilt_text, written
from tests.fuzz.frames import talk
from tests.fuzz.scripts import BASIC, SECRET, Asked, Script
from tests.fuzz.spoiling import chunked, spoilt_bytes, spoilt_head, spoilt_query

_HANDSHAKE = (
    *(b"Connection: keep-alive, Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"),
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)

PEERS = 8
"""From how many addresses the clients come."""


class Grammar:
    """Makes scripts from an OpenAPI ``document``."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._schemas = document["components"]["schemas"]
        paths = {**document["paths"], "/api/v2/gateway/activate": {"post": {}, "get": {}}}
        self._operations = [
            (method.upper(), path, told) for path, methods in paths.items() for method, told in methods.items()
        ]
        # What changes something, or is found by what was changed, is worth more tries than what only shows.
        self._weights = [_weight(method, path, told) for method, path, told in self._operations]

    def script(self, random: Random) -> Script:
        """Return the next script."""
        if random.random() < 0.06:
            return self._websocket(random)
        count = random.choice([1, 1, 1, 1, 2, 3, 6])
        shown = random.random()
        parts = [self._request(random, shown) for _ in range(count)]
        data = b"".join(part for part, _ in parts)
        asked = parts[0][1] if count == 1 else None
        turn = random.random()
        if turn < 0.2:
            data, asked = spoilt_bytes(data, random), None
        elif turn < 0.3:
            data, asked = data[: random.randrange(len(data) + 1)], None
        return Script(
            data=data,
            cuts=_cuts(len(data), random),
            leaves=asked is None and random.random() < 0.2,
            requests=count,
            asked=asked,
            known=shown < 0.75,
            peer=random.randrange(PEERS),
        )

    def _websocket(self, random: Random) -> Script:
        headers = [b"Host: gateway", *_HANDSHAKE, *_authorization(random.random())]
        line = b"GET /api/v2/websocket HTTP/1.1"
        if random.random() < 0.2:
            line, headers = spoilt_head(line, headers, random)
        data = line + b"\r\n" + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + talk(random)
        if random.random() < 0.2:
            data = spoilt_bytes(data, random)
        leaves = random.random() < 0.3
        return Script(data=data, cuts=_cuts(len(data), random), leaves=leaves, peer=random.randrange(PEERS))

    def _request(self, random: Random, shown: float) -> tuple[bytes, Asked | None]:
        """Return a request; and what it asks for, where nothing is wrong with it. ``shown``: which secret it shows."""
        [(method, path, told)] = random.choices(self._operations, self._weights)
        target = self._target(path, told, random).encode("ascii", "replace")
        body, right, too_deep = self._body(told, random)
        headers = [b"Host: gateway", *_authorization(shown)]
        line = method.encode() + b" " + target + b" HTTP/1.1"
        if random.random() < 0.1:
            right = False
            line = method.encode() + b" " + spoilt_query(target, random) + b" HTTP/1.1"
        if random.random() < 0.12:
            line, headers, right = *spoilt_head(line, headers, random), False
        turn = random.random()
        if turn < 0.06:
            headers.append(b"Content-Length: %d" % (len(body) + random.choice([-1, 1, 9, 70_000])))
            right = False
        elif turn < 0.2:
            headers.append(b"Transfer-Encoding: chunked")
            sound_chunks = random.random() < 0.6
            body, right = chunked(body, random, right=sound_chunks), right and sound_chunks
        elif body or turn < 0.5:
            headers.append(b"Content-Length: %d" % len(body))
        head = b"\r\n".join([line, *headers, b"", b""])
        right = right and b"%2F" not in target.partition(b"?")[0]
        return head + body, Asked(method, path, too_deep) if right else None

    def _target(self, path: str, told: dict[str, Any], random: Random) -> str:
        def part(match: re.Match[str]) -> str:
            if random.random() < 0.8:
                return _quoted(sound(match[1], {}, random))
            return _quoted(random.choice(NASTY)) or "%2F"  # without a name it would be another path

        target = re.sub(r"{(\w+)}", part, path)
        query = []
        for asked in told.get("parameters", []):
            if asked["in"] == "query" and (asked["required"] or random.random() < 0.4):
                fits = random.random() < 0.85
                value = sound(asked["name"], asked["schema"], random) if fits else random.choice(NASTY)
                query.append(f"{asked['name']}={_quoted(value)}")
        return target + ("?" + "&".join(query) if query else "")

    def _body(self, told: dict[str, Any], random: Random) -> tuple[bytes, bool, bool]:
        """Return a body, blank where the operation wants none; whether it is sound, and whether it nests too deep."""
        wanted = told.get("requestBody")
        if wanted is None:
            return b"", True, False
        value: Any = members(wanted["content"]["application/json"]["schema"], self._schemas, random)
        turn = random.random()
        if turn < 0.3:
            return written(spoilt_members(value, random), random), False, False
        too_deep = False
        if turn < 0.35:
            value, too_deep = nested(value, random)
        text = written(value, random)
        return (text, True, too_deep) if turn < 0.35 or turn > 0.55 else (spoilt_text(text, random), False, False)


def _weight(method: str, path: str, told: dict[str, Any]) -> float:
    """Return how often an operation is tried; the one that takes away the scripts' own secret seldom is."""
    if (method, path) == ("DELETE", "/api/v2/accesstoken"):
        return 0.1
    return 4 if told.get("requestBody") or "{" in path else 1


def _quoted(value: object) -> str:
    return quote(str(value).encode("utf-8", "surrogatepass"), safe="")


def _authorization(shown: float) -> list[bytes]:
    if shown < 0.75:
        return [f"Authorization: {f'Bearer {SECRET}' if shown < 0.6 else f'Basic {BASIC}'}".encode()]
    return [] if shown < 0.9 else [b"Authorization: Bearer " + b"f" * 48]


def _cuts(size: int, random: Random) -> tuple[int, ...]:
    """Return where the bytes are cut: mostly nowhere, sometimes everywhere."""
    turn = random.random()
    if size > 60_000:  # so much does not come at once
        return tuple(range(0, size, 10_000))
    if turn < 0.5 or not size:
        return ()
    if turn < 0.55 and size < 2_000:
        return tuple(range(size))
    return tuple(sorted(random.randrange(size) for _ in range(random.choice([1, 1, 2, 5]))))
