"""One call of a path, what it may come to, and how that is written out."""

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from ttgateway.api.codes import Ack
from ttgateway.api.parsing import parse_json
from ttgateway.api.reading import Asked
from ttgateway.api.server.request import ApiRequest
from ttgateway.api.shapes import Acknowledged
from ttgateway.store.tables.tokens import Token


class Access(Enum):
    """Who may call a path."""

    KNOWN = "a secret is wanted"
    OLD_DEVICES = "a secret is wanted, unless the operator opened these paths to devices that send none"
    ANYBODY = "no secret is wanted"


class Call(msgspec.Struct, frozen=True):
    """One call of a path: the HTTP request, who makes it, and the secret that it showed (if any)."""

    request: ApiRequest
    peer: str
    token: Token | None

    def body(self) -> dict[str, object]:
        """Return the JSON object in the body; raise `NotAnObject`. Nothing at all counts as an empty object."""
        return parse_json(self.raw_body())

    def raw_body(self) -> bytes:
        """Return the body as it came."""
        return self.request.body()

    def query(self) -> dict[str, object]:
        """Return the query's parameters, the first of each name; nothing but ``&`` parts them."""
        asked: dict[str, object] = {}
        for part in self.request.uri.partition(b"?")[2].decode("latin-1").split("&"):
            name, equals, value = part.partition("=")
            if equals:
                asked.setdefault(unquote_plus(name), unquote_plus(value))
        return asked


class Reply(msgspec.Struct, frozen=True):
    """What is replied: ``shown``, under a returnCode of its own or (``None``) that of the endpoint."""

    shown: msgspec.Struct
    code: int | None = None
    status: int = 200


Handler = Callable[..., Awaitable[Reply]]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path, and all that is to be told of it in the OpenAPI document.

    ``api`` is 1, 2 or 0 (of no version), ``kind`` the media type of the replies, ``code`` the returnCode of version 2,
    which may also be one of ``acks``. ``parts`` holds the types of the path's variable parts. ``query`` and ``body``
    are what may be asked for, ``query_of`` and ``body_of`` how their fields are had from a call; ``describes`` is the
    body of a handler that reads it itself, ``form`` what a body may be as a form. ``shows`` is what a success shows, by
    HTTP status; ``leads`` tells where in it the variable part of the paths below is found (JSON pointers, by the name
    of the part). ``changes``: this GET changes something, so that there is no HEAD of it (RFC 9110, 9.2.1).
    ``hopeless``: no request can succeed.
    """

    api: int
    method: str
    path: str
    code: int
    access: Access
    shows: Mapping[int, Any]
    about: str
    parts: Mapping[str, Any] = {}
    body: type[Asked] | None = None
    body_of: Callable[[Call], Mapping[str, object]] = Call.body
    form: type[Asked] | None = None
    query: type[Asked] | None = None
    query_of: Callable[[Call], Mapping[str, object]] = Call.query
    describes: type[Asked] | None = None
    acks: tuple[int, ...] = ()
    leads: Mapping[str, str] = {}
    changes: bool = False
    hopeless: bool = False
    kind: str = "application/json"


def acknowledged(code: Ack, message: str) -> Reply:
    """Return a reply that says what was done."""
    return Reply(Acknowledged(message=message), code)


def written(request: ApiRequest, api: int, reply: Reply, code: int) -> bytes:
    """Return the JSON of a reply, and set the request's status and headers for it."""
    request.setResponseCode(reply.status)
    request.set_header("content-type", "application/json")
    numbers = b'{"status":%d' % reply.status
    if api == 2:
        numbers += b',"returnCode":%d' % (code if reply.code is None else reply.code)
    text = numbers + b"," + msgspec.json.encode(reply.shown)[1:]
    request.set_header("content-length", str(len(text)))
    return text
