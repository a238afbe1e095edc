"""The requests that a listener gets, byte by byte (protocol sections 6 and 7)."""

from ttgateway import __version__
from ttgateway.notifier.attempts.signing import signature
from ttgateway.notifier.callbacks.callback import CallbackURL


def head_request(url: CallbackURL) -> bytes:
    """Return the HEAD that asks whether somebody is there."""
    return _start("HEAD", url) + b"Connection: close\r\n\r\n"


def post_start(url: CallbackURL) -> bytes:
    """Return the part of every delivery that is the same for one listener."""
    return _start("POST", url) + b"Content-Type: application/json\r\n"


def post_request(
    start: bytes, webhook_id: str, timestamp: int, previous: int, attempt: int, flags: str, secret: str, body: bytes
) -> bytes:
    """Return a whole delivery. ``timestamp`` is Unix time in seconds; ``flags`` and ``secret`` may be ``""``."""
    signed = f"webhook-signature: {signature(secret, webhook_id, timestamp, body)}\r\n" if secret else ""
    flagged = f"ttgateway-flags: {flags}\r\n" if flags else ""
    head = (
        f"webhook-id: {webhook_id}\r\nwebhook-timestamp: {timestamp}\r\n{signed}"
        f"ttgateway-previous: {previous}\r\nttgateway-attempt: {attempt}\r\n{flagged}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return start + head.encode("ascii") + body


def _start(method: str, url: CallbackURL) -> bytes:
    return (
        f"{method} {url.target} HTTP/1.1\r\nHost: {url.authority}\r\nUser-Agent: ttgateway/{__version__}\r\n"
        "Accept: */*\r\nAccept-Encoding: identity\r\n"
    ).encode("ascii")
