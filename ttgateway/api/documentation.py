"""``/api/openapi.json`` and ``/api/docs``: what the API is, for programs and for people."""

import base64
import hashlib
from collections.abc import Callable

import msgspec

from ttgateway.api.call import Access, Operation
from ttgateway.api.openapi import document
from ttgateway.api.page import STYLE, page
from ttgateway.api.request import ApiRequest
from ttgateway.api.routes import Routes
from ttgateway.gateway import Gateway

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_documentation(routes: Routes, gateway: Gateway) -> None:
    """Serve the document of all operations that ``routes`` has by now, and a page that shows it."""
    described = document(routes.operations, gateway.epoch)
    text = msgspec.json.encode(described)
    shown = page(described).encode()
    routes.plain(_path("/api/openapi.json", "application/json"), _fixed("application/json", text))
    routes.plain(_path("/api/docs", "text/html"), _fixed("text/html; charset=utf-8", shown))


def _path(path: str, kind: str) -> Operation:
    return Operation(
        api=0, method="GET", path=path, code=0, access=Access.ANYBODY, shows={200: str}, about="", kind=kind
    )


def _fixed(kind: str, text: bytes) -> Callable[[ApiRequest], bytes]:
    """Return who answers with ``text``; a page runs no script and loads nothing, wherever it came from."""

    def answer(request: ApiRequest) -> bytes:
        request.set_header("content-type", kind)
        request.set_header("content-security-policy", _POLICY)
        request.set_header("x-content-type-options", "nosniff")
        request.set_header("referrer-policy", "no-referrer")
        return text

    return answer
