"""The reply to what is refused before a handler sees it, as bytes."""

import re
from http import HTTPStatus

import msgspec

SERVER = b"ttgateway"
"""What we call ourselves in the ``Server`` header."""


NO_SUCH_API = -5
BODY_INVALID = -31
NOT_NOW = -904
"""The codes of what a handler does not see (protocol section 10)."""

_OF_V2 = re.compile(rb"\S+ ((?i:https?)://[^/ ]*)?/api/v2")


def error_body(status: int, code: int, message: str, v2: bool) -> bytes:
    """Return the JSON object that tells of an error; only version 2 has a ``returnCode`` (protocol section 1)."""
    return_code = {"returnCode": code} if v2 else {}
    return msgspec.json.encode({"status": status, **return_code, "message": message})


def whole_refusal(request_line: bytes, status: int, code: int, message: str) -> bytes:
    """Return the whole reply to the request that begins with ``request_line``: an error, and that we close."""
    body = error_body(status, code, message, _OF_V2.match(request_line) is not None)
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nServer: {SERVER.decode()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if request_line.startswith(b"HEAD ") else body)
