"""``/`` for browsers, and ``/staff/``, what the page there is made of.

Whoever asks for ``/`` and names no ``text/html`` is told what a device was always told: that there is no such API.
"""

import hashlib
import ipaddress
from collections.abc import Callable
from functools import cache
from html import escape
from urllib.parse import urlsplit

from twisted.web.http import CACHED

from ttgateway import __version__
from ttgateway.api.call import Access, written
from ttgateway.api.routes import Routes
from ttgateway.api.server.refusal import NO_SUCH_API
from ttgateway.api.server.request import ApiRequest
from ttgateway.gateway import Gateway
from ttgateway.staff.assets import Assets
from ttgateway.staff.sessions import add_sessions

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FOR_EVER = "public, max-age=31536000, immutable"  # another content has another name

_HERE = "In a terminal on this machine, in the folder in which the gateway was started:"
_THERE = "On the gateway's machine, as the user that the gateway runs as:"


def add_staff_page(routes: Routes, gateway: Gateway, command: Callable[[], str]) -> None:
    """Serve the staff page; ``command`` returns what opens it, for somebody at this machine.

    The files are read when they are first asked for: few gateways are ever looked at, and all have to start.
    """
    add_sessions(routes, gateway)
    assets, here = cache(Assets), cache(command)

    def page(request: ApiRequest) -> bytes:
        local = _is_local(request)
        shown = {
            "name": gateway.settings.name,
            "version": __version__,
            "edition": assets().edition,
            "where": _HERE if local else _THERE,
            "command": here() if local else "ttgateway open --print",  # a stranger learns nothing of our folders
        }
        text = assets().page.substitute({key: escape(value) for key, value in shown.items()}).encode()
        return _answer(request, "text/html; charset=utf-8", text, "private, no-cache")

    def admitted(request: ApiRequest, answer: Callable[[ApiRequest], bytes]) -> bytes:
        try:
            routes.admitted(request, Access.ANYBODY)
        except Exception as error:
            return written(request, 2, routes.refused(request, 2, error), NO_SUCH_API)
        return answer(request)

    def root(request: ApiRequest) -> bytes:
        request.set_header("vary", "Accept")
        return admitted(request, page) if wants_page(request) else routes.unserved(request, 404)

    def asset(request: ApiRequest, edition: str, name: str) -> bytes:
        found = assets().files.get(name)
        if found is None or edition != assets().edition:
            return routes.unserved(request, 404)
        return admitted(request, lambda request: _answer(request, found.kind, found.body, _FOR_EVER))

    routes.app.route("/", methods=["GET"], endpoint="GET /")(root)
    routes.app.route("/staff/<edition>/<name>", methods=["GET"], endpoint="GET /staff")(asset)


def wants_page(request: ApiRequest) -> bool:
    """Tell whether the request says that it takes HTML: browsers do, devices and ``curl`` do not."""
    ranges = b",".join(request.requestHeaders.getRawHeaders(b"accept", [])).lower().split(b",")
    return any(kind.partition(b";")[0].strip() == b"text/html" and not _refuses(kind) for kind in ranges)


def _refuses(kind: bytes) -> bool:
    """Tell whether a media range has the weight 0: what the client does not take."""
    weights = [part.strip()[2:] for part in kind.split(b";")[1:] if part.strip().startswith(b"q=")]
    return any(weight.strip(b"0") in (b"", b".") for weight in weights)


def _is_local(request: ApiRequest) -> bool:
    """Tell whether it is somebody at this machine who asks, and not a proxy here for somebody elsewhere."""
    host = urlsplit(b"//" + b"".join(request.requestHeaders.getRawHeaders(b"host", []))).hostname or b""
    return _is_loopback(request.peer) and (host == b"localhost" or _is_loopback(host.decode("ascii", "replace")))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _answer(request: ApiRequest, kind: str, body: bytes, caching: str) -> bytes:
    """Answer with ``body``, or that what the client has is still so."""
    request.set_header("content-type", kind)
    request.set_header("content-security-policy", POLICY)
    request.set_header("x-content-type-options", "nosniff")
    request.set_header("referrer-policy", "no-referrer")
    request.set_header("cache-control", caching)
    request.set_header("content-length", str(len(body)))  # of what the client has, where nothing is sent
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()
    if request.setETag(tag) is CACHED:  # type: ignore[no-untyped-call]
        return b""
    return body
