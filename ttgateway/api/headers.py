"""What the head of a request must be like before anyone else looks at it (design section 5).

``Host`` must be ours, or a page from elsewhere could reach us under its own name (DNS rebinding); ``Origin`` and
``Sec-Fetch-Site`` tell of pages that may not call us. What proxies and servers read differently is refused.
"""

import re
from collections.abc import Callable

from twisted.web.http_headers import Headers

_LABEL = r"[a-z0-9_-]{1,63}"
_HOST = re.compile(rf"(\[[0-9a-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::[0-9]{{0,5}})?", re.ASCII)
_LONGEST_HOST = 261  # a name of 255 characters, a colon and a port


class HeadRefused(Exception):
    """The head of a request is not one that we serve; ``status`` is the HTTP status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def check_head(
    version: bytes, target: bytes, headers: Headers, hosts: Callable[[str], bool], origins: frozenset[str]
) -> None:
    """Raise `HeadRefused` unless the head of a request is one that we serve.

    ``hosts`` tells whether a name or address (in lower case, without port and brackets) is ours; ``origins`` are
    those, besides our own, whose pages may call us.
    """
    if not target.startswith(b"/") or not target.isascii():
        raise HeadRefused(400, "The request target must be a path in ASCII.")
    codings = headers.getRawHeaders(b"transfer-encoding", [])
    if codings and (version != b"HTTP/1.1" or [coding.lower() for coding in codings] != [b"chunked"]):
        raise HeadRefused(400, "Invalid Transfer-Encoding. Must be chunked, once, or absent.")
    host = _host(version, headers)
    if host is not None and not hosts(host[1].strip("[]").rstrip(".")):
        raise HeadRefused(421, f"{host[1]} is no name of this gateway. The operator adds names with access.hosts.")
    _check_page(headers, host[0] if host else None, origins)


def _host(version: bytes, headers: Headers) -> re.Match[str] | None:
    """Return ``Host`` in lower case, its name as group 1; ``None`` where HTTP/1.0 has none. Raise `HeadRefused`."""
    values = headers.getRawHeaders(b"host", [])
    if not values and version == b"HTTP/1.0":
        return None
    if len(values) != 1:
        raise HeadRefused(400, "A request must have one Host header.")
    host = _HOST.fullmatch(values[0].decode("ascii", "replace").lower())
    if host is None or len(host[0]) > _LONGEST_HOST:
        raise HeadRefused(400, "Invalid Host header. Must be a name or an address, and perhaps a port.")
    return host


def _check_page(headers: Headers, host: str | None, origins: frozenset[str]) -> None:
    """Raise `HeadRefused` for a request that a page of another origin makes, unless that origin is allowed."""
    sent = [value.decode("ascii", "replace") for value in headers.getRawHeaders(b"origin", [])]
    own = {f"http://{host}", f"https://{host}"} if host else set()
    if any(origin not in origins and origin.lower() not in own for origin in sent):
        raise HeadRefused(403, "Origin not allowed. The operator adds origins with access.origins.")
    sites = headers.getRawHeaders(b"sec-fetch-site", [])
    if not sent and any(site.lower() == b"cross-site" for site in sites):
        raise HeadRefused(403, "Cross-site request. The operator adds origins with access.origins.")
