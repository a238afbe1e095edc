"""Callback URLs: what a listener registers becomes one checked value, or is refused.

Parsers disagree about hostile URLs (fault finding 7), so a URL is taken apart here once, strictly, and everything that
is sent, kept or dialled is rebuilt from the checked parts: RFC 3986, less all that no listener needs.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

import idna
import msgspec

from ttgateway.machine import IPAddress
from ttgateway.refusals import CallbackInvalid

MOST_BYTES = 2048

_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORBIDDEN = re.compile(r"""[\x00-\x20\x7f\\"'<>{}|^`]""")
_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?]*)(?P<target>.*)", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


class CallbackURL(msgspec.Struct, frozen=True):
    """A URL that a listener may have, in its canonical form; made by `parse` alone.

    ``host`` is a lower-case name without a trailing dot, a dotted quad, or an IPv6 address in its short form without
    brackets. ``target`` is the path and query, at least ``/``. Two URLs that name the same listener are equal;
    ``str(url)`` is the canonical URL, and parsing that gives an equal value.
    """

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, text: object) -> "CallbackURL":
        """Return the URL that ``text`` spells; raise `CallbackInvalid`, which says what is wrong with it."""
        text = _checked_text(text)
        parts = _URL.fullmatch(text)
        if parts is None:
            raise _invalid("must begin with http:// or https://")
        scheme = parts["scheme"].lower()
        host, port = _host_and_port(parts["authority"])
        if scheme == "https":
            _check_provable(host)
        url = cls(scheme, host, port or _DEFAULT_PORTS[scheme], _canonical_target(parts["target"]))
        if len(str(url)) > MOST_BYTES:  # a missing path, or a zero that "::" hid, makes it longer than it came
            raise _invalid(f"must be at most {MOST_BYTES} bytes")
        return url

    def __str__(self) -> str:
        """Return the canonical URL."""
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def address(self) -> IPAddress | None:
        """Return the address that the host is, just as it was written (IPv4-mapped stays so); ``None`` for a name."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """Return host and port as the ``Host`` header wants them: IPv6 in brackets, the default port left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def _invalid(what: str) -> CallbackInvalid:
    return CallbackInvalid(f"Invalid callback URL: {what}.")


def _checked_text(text: object) -> str:
    """Return ``text`` if each of its characters may stand in a callback URL, and none needs another reading."""
    if not isinstance(text, str):
        raise _invalid("must be a string")
    if not text.isascii():
        raise _invalid("must be ASCII; write other characters as %XX, and names in their xn-- form")
    if len(text) > MOST_BYTES:
        raise _invalid(f"must be at most {MOST_BYTES} bytes")
    if _FORBIDDEN.search(text):
        raise _invalid("must not contain blanks, control characters, or any of \\ \" ' < > { } | ^ `")
    if "#" in text:
        raise _invalid("must not have a fragment (#)")
    return text


def _host_and_port(authority: str) -> tuple[str, int | None]:
    """Return the canonical host, and the port where one is written."""
    if "@" in authority:
        raise _invalid("must not have a user name or password before the host")
    if "%" in authority:
        raise _invalid("must not have % in its host")
    if authority.startswith("["):
        text, bracket, rest = authority[1:].partition("]")
        if not bracket or rest[:1] not in ("", ":"):
            raise _invalid("an IPv6 host is written in brackets, as in http://[fd00::1]:8080/")
        host = _ipv6(text)
        port, has_port = rest[1:], bool(rest)
    else:
        name, colon, port = authority.partition(":")
        host, has_port = _ipv4_or_name(name), bool(colon)
    return host, _port(port) if has_port else None


def _port(text: str) -> int:
    if not _PORT.fullmatch(text) or int(text) > 65535:
        raise _invalid("the port must be a number from 1 to 65535, in digits alone")
    return int(text)


def _ipv6(text: str) -> str:
    try:
        return IPv6Address(text).compressed
    except ValueError:
        raise _invalid("what stands in brackets is not an IPv6 address") from None


def _ipv4_or_name(text: str) -> str:
    try:
        return str(IPv4Address(text))  # four decimal parts without leading zeros, and nothing else
    except ValueError:
        return _name(text.lower().removesuffix("."))


def _name(name: str) -> str:
    if not name:
        raise _invalid("must have a host")
    labels = name.split(".")
    # What other software would read as an address (127.1, 0x7f.1, 2130706433) is not a name.
    if _NUMBER.fullmatch(labels[-1]):
        raise _invalid("an IPv4 host is written as four decimal numbers, as in http://192.168.1.20/")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _invalid("the host must be an IP address, or a name of letters, digits, hyphens and dots")
    return name


def _check_provable(host: str) -> None:
    """Raise `CallbackInvalid` for a name that no certificate can be for: TLS verifies names by IDNA (RFC 5891)."""
    if ":" in host:
        return
    try:
        idna.encode(host)
    except idna.IDNAError:
        raise _invalid(
            "a name with -- in places 3 and 4 of a part is an xn-- form, or cannot be verified by TLS"
        ) from None


def _canonical_target(text: str) -> str:
    if _BROKEN_ESCAPE.search(text):
        raise _invalid("each % in the path and query must be followed by two hexadecimal digits")
    path, mark, query = _ESCAPE.sub(_canonical_escape, text).partition("?")
    return _without_dot_segments(path) + mark + query


def _canonical_escape(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if _UNRESERVED.fullmatch(character) else escape[0].upper()


def _without_dot_segments(path: str) -> str:
    """Return ``path``, which is empty or begins with a slash, without its ``.`` and ``..`` (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
