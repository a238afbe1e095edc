"""What the head of a request must be like before anyone else looks at it (design section 5).

``Host`` must be ours, or a page from elsewhere could reach us under its own name (DNS rebinding); ``Origin`` and
``Sec-Fetch-Site`` tell of pages that may not call us. What proxies and servers read differently is refused.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from twisted.web.http_headers import Headers

_LABEL = r"[a-z0-9_-]{1,63}"
_HOST = re.compile(rf"(\[[0-9a-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::[0-9]{{0,5}})?", re.ASCII)
_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?]{1,261})(.*)", re.DOTALL)
_LONGEST_HOST = 261  # a name of 255 characters, a colon and a port


class HeadRefused(Exception):
    """The head of a request is not one that we serve; ``status`` is the HTTP status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def checked_path(
    version: bytes, target: bytes, headers: Headers, hosts: Callable[[str], bool], origins: frozenset[str]
) -> bytes:
    """Return the path and query that a request is for; raise `HeadRefused` unless its head is one that we serve.

    ``hosts`` tells whether a name or address (in lower case, without port and brackets) is ours; ``origins`` are
    those, besides our own, whose pages may call us.
    """
    authority, path = _parts(target)
    codings = headers.getRawHeaders(b"transfer-encoding", [])
    if codings and (version != b"HTTP/1.1" or [coding.lower() for coding in codings] != [b"chunked"]):
        raise HeadRefused(400, "Invalid Transfer-Encoding. Must be chunked, once, or absent.")
    host = _host(version, headers)
    for named in (host, authority):
        if named is not None and not hosts(named[1].strip("[]").rstrip(".")):
            raise HeadRefused(421, f"{named[1]} is no name of this gateway. The operator adds names with access.hosts.")
    _check_page(headers, host[0] if host else None, origins)
    return path


def _parts(target: bytes) -> tuple[re.Match[str] | None, bytes]:
    """Return the authority in a request target, if it has one (RFC 9112, 3.2.2), and the path with its query."""
    absolute = _ABSOLUTE.fullmatch(target)
    authority, path = (None, target) if absolute is None else (_parsed(absolute[1]), absolute[2])
    if absolute is not None and not path.startswith(b"/"):
        path = b"/" + path
    if not path.startswith(b"/") or not path.isascii() or (absolute is not None and authority is None):
        raise HeadRefused(400, "The request target must be a path in ASCII, or http:// with a host and such a path.")
    return authority, path


def _host(version: bytes, headers: Headers) -> re.Match[str] | None:
    """Return ``Host`` in lower case, its name as group 1; ``None`` where HTTP/1.0 has none. Raise `HeadRefused`."""
    values = headers.getRawHeaders(b"host", [])
    if not values and version == b"HTTP/1.0":
        return None
    if len(values) != 1:
        raise HeadRefused(400, "A request must have one Host header.")
    host = _parsed(values[0]) if len(values[0]) <= _LONGEST_HOST else None
    if host is None:
        raise HeadRefused(400, "Invalid Host header. Must be a name or an address, and perhaps a port.")
    return host


@lru_cache(maxsize=64)  # nearly all requests bear the same few
def _parsed(host: bytes) -> re.Match[str] | None:
    return _HOST.fullmatch(host.decode("ascii", "replace").lower())


def _check_page(headers: Headers, host: str | None, origins: frozenset[str]) -> None:
    """Raise `HeadRefused` for a request that a page of another origin makes, unless that origin is allowed."""
    origin_headers, sites = headers.getRawHeaders(b"origin", []), headers.getRawHeaders(b"sec-fetch-site", [])
    if not origin_headers and not sites:  # it is no browser
        return
    sent = [value.decode("ascii", "replace") for value in origin_headers]
    own = {f"http://{host}", f"https://{host}"} if host else set()
    if any(origin not in origins and origin.lower() not in own for origin in sent):
        raise HeadRefused(403, "Origin not allowed. The operator adds origins with access.origins.")
    if not sent and any(site.lower() == b"cross-site" for site in sites):
        raise HeadRefused(403, "Cross-site request. The operator adds origins with access.origins.")
