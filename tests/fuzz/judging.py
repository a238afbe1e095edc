"""What a server may say: everything that came on a connection is read strictly, and held to the rules."""

import functools
import json
import re
from typing import Any

import msgspec
from openapi_schema_validator import OAS31Validator

from tests.fuzz.scripts import Asked, Script

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2}) [ -~]+")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([\t -~\x80-\xff]*)")
_NO_BODY = (204, 304)


class Wrong(AssertionError):
    """A reply that no server should send, or that ours should not."""


class Answered(msgspec.Struct, frozen=True):
    """One reply; ``fields`` is its JSON, where it is an object."""

    status: int
    headers: dict[str, str]
    body: bytes
    fields: dict[str, Any] | None


def replies(data: bytes, script: Script, *, whole: bool = True) -> tuple[list[Answered], bytes]:
    """Return the final replies in ``data``, and what came on the WebSocket after a 101.

    ``whole``: the connection has ended in order, so that no reply may lack anything. Raises `Wrong`.
    """
    found: list[Answered] = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            _must(not whole, f"half a head: {head[:200]!r}")
            break
        status, headers = _head(head)
        if status == 101:
            return [*found, Answered(101, headers, b"", None)], rest
        if status < 200:
            data = rest
            continue
        size = _length(status, headers)
        if script.heads and (not rest or rest.startswith(b"HTTP/1.")):
            size = 0
        if size > len(rest):
            _must(not whole, f"a reply of {len(rest)} bytes in place of {size}: {head!r}")
            break
        body, data = rest[:size], rest[size:]
        found.append(Answered(status, headers, body, _fields(status, headers, body)))
    return found, b""


def _must(holds: bool, words: str) -> None:
    if not holds:
        raise Wrong(words)


def _head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.split(b"\r\n")
    line = _STATUS_LINE.fullmatch(first)
    _must(line is not None, f"no status line: {first[:200]!r}")
    assert line is not None
    headers: dict[str, str] = {}
    for text in lines:
        header = _HEADER.fullmatch(text)
        _must(header is not None, f"no header: {text[:200]!r}")
        assert header is not None
        name = header[1].decode().lower()
        _must(name not in headers, f"the header {name} came twice")
        headers[name] = header[2].decode("latin-1")
    status = int(line[2])
    _must(status < 500, f"status {status}: {head!r}")
    return status, headers


def _length(status: int, headers: dict[str, str]) -> int:
    _must("transfer-encoding" not in headers, "a reply in chunks: ours are of known length")
    if status in _NO_BODY:
        return 0
    length = headers.get("content-length", "")
    _must(length.isascii() and length.isdigit(), f"no length: {headers}")
    return int(length)


def _fields(status: int, headers: dict[str, str], body: bytes) -> dict[str, Any] | None:
    _must(headers.get("server") == "ttgateway", f"another server: {headers}")
    if headers.get("content-type") != "application/json" or not body:
        return None
    try:
        fields = json.loads(body, parse_constant=_no_number)
    except ValueError as error:
        raise Wrong(f"no JSON: {error}: {body[:200]!r}") from None
    _must(isinstance(fields, dict), f"no object: {body[:200]!r}")
    if "openapi" not in fields:  # the document alone has no status
        _must(type(fields.get("status")) is int and fields["status"] == status, f"status {status}: {body[:200]!r}")
        code = fields.get("returnCode", 1)
        _must(type(code) is int and code != 0, f"returnCode {code!r}")
        refused = status >= 400
        _must(not refused or isinstance(fields.get("message"), str), f"no message: {body[:200]!r}")
        _must(code > 0 or refused, f"returnCode {code} with status {status}")
    return dict(fields)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def check_depth(asked: Asked, answer: Answered) -> None:
    """Raise `Wrong` where a body that nests too deep was taken, or another one was refused for that."""
    told = "nested too deep" in str((answer.fields or {}).get("message", ""))
    if asked.too_deep:
        _must(answer.status >= 400, f"{asked}: what nests too deep was answered with {answer.status}")
    else:
        _must(not told, f"{asked}: what does not nest too deep was refused: {answer.body[:300]!r}")


class Documented:
    """The OpenAPI document, and whether replies are as it says."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._paths = document["paths"]
        self._components = document["components"]
        self._validator = functools.cache(self._made_validator)  # as many as there are operations

    def check(self, asked: Asked, answer: Answered) -> bool:
        """Raise `Wrong` where the answer is not as documented; return whether anything is documented for it."""
        method, path = asked.method, asked.path
        if path not in self._paths or answer.fields is None:
            return False
        if path.startswith("/api/v2"):
            _must("returnCode" in answer.fields, f"{method} {path}: no returnCode")
        elif path.startswith("/api/v1"):
            _must("returnCode" not in answer.fields, f"{method} {path}: a returnCode in version 1")
        fault = next(self._validator(method.lower(), path, answer.status).iter_errors(answer.fields), None)
        _must(fault is None, f"{method} {path}: {answer.status} is not as documented: {fault and fault.message}")
        return True

    def _made_validator(self, method: str, path: str, status: int) -> Any:
        responses = self._paths[path][method]["responses"]
        schema = responses.get(str(status), responses["default"])["content"]["application/json"]["schema"]
        return OAS31Validator({**schema, "components": self._components})


def check_frames(data: bytes) -> None:
    """Raise `Wrong` unless these are whole frames as a server may send them, whose texts are JSON objects."""
    while data:
        _must(len(data) >= 2, f"half a frame: {data!r}")
        opcode, size, at = data[0], data[1], 2
        _must(opcode in (0x81, 0x88, 0x89, 0x8A), f"a frame that begins with {opcode:#x}")
        _must(size < 128, "a masked frame of a server's")
        if size > 125:
            at = 4 if size == 126 else 10
            size = int.from_bytes(data[2:at], "big")
        payload, rest = data[at : at + size], data[at + size :]
        _must(len(payload) == size, "half a frame")
        if opcode == 0x81:
            _must(isinstance(_loaded(payload), dict), f"a text that is no object: {payload[:200]!r}")
        elif opcode == 0x88:
            _must(not rest, "frames after the close")
            _must(not payload or _may_close(int.from_bytes(payload[:2], "big")), f"closed with {payload!r}")
        data = rest


def _loaded(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return None


def _may_close(code: int) -> bool:
    return (1000 <= code <= 1014 and code not in (1004, 1005, 1006)) or 3000 <= code <= 4999
