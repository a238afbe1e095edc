"""``/api/openapi.json`` and ``/api/docs``: what the API is, for programs and for people."""

import base64
import hashlib
from collections.abc import Callable
from functools import cache

import msgspec

from ttgateway.api.call import Access, Operation
from ttgateway.api.document.openapi import document
from ttgateway.api.document.page import STYLE, page
from ttgateway.api.routes import Routes
from ttgateway.api.server.request import ApiRequest
from ttgateway.gateway import Gateway

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_documentation(routes: Routes, gateway: Gateway) -> None:
    """Serve the document of all operations that ``routes`` has by now, and a page that shows it.

    Both are made when they are first asked for: few gateways are ever asked, and all have to start.
    """
    operations = tuple(routes.operations)
    described = cache(lambda: document(operations, gateway.epoch))
    text = cache(lambda: msgspec.json.encode(described()))
    shown = cache(lambda: page(described()).encode())
    routes.plain(_path("/api/openapi.json", "application/json"), _answering("application/json", text))
    routes.plain(_path("/api/docs", "text/html"), _answering("text/html; charset=utf-8", shown))


def _path(path: str, kind: str) -> Operation:
    return Operation(
        api=0, method="GET", path=path, code=0, access=Access.ANYBODY, shows={200: str}, about="", kind=kind
    )


def _answering(kind: str, text: Callable[[], bytes]) -> Callable[[ApiRequest], bytes]:
    """Return who answers with ``text``; a page runs no script and loads nothing, wherever it came from."""

    def answer(request: ApiRequest) -> bytes:
        request.set_header("content-type", kind)
        request.set_header("content-security-policy", _POLICY)
        request.set_header("x-content-type-options", "nosniff")
        request.set_header("referrer-policy", "no-referrer")
        return text()

    return answer
