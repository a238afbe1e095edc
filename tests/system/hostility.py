"""How listeners misbehave: each a way to serve a connection from the gateway."""

import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.system.listeners import OK, Listener, Manners, Peer, status

Act = Callable[[Peer], object]

DELIVERED = "delivered"


def reply(act: Act) -> Manners:
    """Return manners that read each request, record it, and then do ``act``."""

    def manners(listener: Listener, peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            listener.note(request)
            request.answered_at = time.monotonic()
            act(peer)

    return manners


def say(text: bytes) -> Manners:
    """Return manners that answer each request with ``text``, and then wait for the gateway to hang up."""
    return reply(lambda peer: peer.send(text))


def say_and_close(text: bytes) -> Manners:
    """Return manners that answer one request with ``text``, and close."""

    def manners(listener: Listener, peer: Peer) -> None:
        request = peer.read_request()
        if request is not None:
            listener.note(request)
            peer.send(text)

    return manners


def say_and_reset(text: bytes) -> Manners:
    """Return manners that answer one request with ``text``, and break the connection off."""

    def act(peer: Peer) -> None:
        peer.send(text)
        time.sleep(0.02 if text else 0.0)
        peer.reset()

    return reply(act)


def say_without_end(start: bytes, filler: bytes) -> Manners:
    """Return manners that answer each request with ``start`` and then ``filler`` over and over."""

    def act(peer: Peer) -> None:
        peer.send(start)
        peer.flood(filler)

    return reply(act)


def greet(text: bytes) -> Manners:
    """Return manners that say ``text``, whatever was sent, and close."""

    def manners(listener: Listener, peer: Peer) -> None:
        peer.socket.recv(100)
        peer.send(text)

    return manners


def hang_up(listener: Listener, peer: Peer) -> None:
    """Close every connection at once."""


def hang(listener: Listener, peer: Peer) -> None:
    """Take the request and never answer."""
    reply(lambda peer: peer.wait_for_the_end())(listener, peer)


def never_read(listener: Listener, peer: Peer) -> None:
    """Do not even read the request."""
    time.sleep(6.0)
    peer.wait_for_the_end()


def answer_at_accept(listener: Listener, peer: Peer) -> None:
    """Answer before anything was asked, and more often than that."""
    peer.send(OK * 3)
    while (request := peer.read_request()) is not None:
        listener.note(request)


def close_soon(listener: Listener, peer: Peer) -> None:
    """Answer well, and close the idle connection 20 ms later, as nobody asked."""
    request = peer.read_request()
    if request is not None:
        listener.note(request)
        peer.send(OK)
        time.sleep(0.02)


def close_at_once(listener: Listener, peer: Peer) -> None:
    """Answer well, and close the connection right after, as nobody asked."""
    say_and_close(OK)(listener, peer)


@dataclass(frozen=True)
class Kind:
    """A kind of hostility, and what it must come to: `DELIVERED`, or the cause of the failure."""

    manners: Manners
    comes_to: str


_BOMB = gzip.compress(bytes(8 * 1024 * 1024))
_FLOOD = b"x" * 65536
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n2\r\nok\r\n0\r\nX-A: b\r\n\r\n"
_CUT_SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhello"
_SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"

QUICK = {
    "hangs up at once": Kind(hang_up, "protocol"),
    "endless body after a 2xx": Kind(say_without_end(b"HTTP/1.1 200 OK\r\n\r\n", _FLOOD), DELIVERED),
    "endless chunks after a 2xx": Kind(say_without_end(_CHUNKED[:-20], b"1000\r\n" + b"x" * 4096 + b"\r\n"), DELIVERED),
    "endless trailers after a 2xx": Kind(say_without_end(_CHUNKED[:-20] + b"0\r\n", b"a: b\r\n" * 1000), DELIVERED),
    "endless headers after a 2xx": Kind(
        say_without_end(b"HTTP/1.1 200 OK\r\n", b"X-Filler: filler\r\n" * 100), DELIVERED
    ),
    "endless headers after a 503": Kind(say_without_end(b"HTTP/1.1 503 No\r\n", b"X-Filler: filler\r\n" * 100), "503"),
    "endless header after a 503": Kind(say_without_end(b"HTTP/1.1 503 No\r\nX: ", _FLOOD), "503"),
    "endless rubbish": Kind(reply(lambda peer: peer.flood(_FLOOD)), "protocol"),
    "endless blank lines": Kind(reply(lambda peer: peer.flood(b"\r\n" * 4096)), "protocol"),
    "1xx flood": Kind(reply(lambda peer: peer.flood(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)), "protocol"),
    "100 flood": Kind(reply(lambda peer: peer.flood(b"HTTP/1.1 100 Continue\r\n\r\n")), "protocol"),
    "101": Kind(say(_SWITCH), "protocol"),
    "a few interim replies, then a 2xx": Kind(say(b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" * 3 + OK), DELIVERED),
    "SSH banner": Kind(say(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"), "protocol"),
    "HTTP/0.9": Kind(say_and_close(b"<html><body>It works!</body></html>"), "protocol"),
    "HTTP/2 frames": Kind(say(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18)), "protocol"),
    "status 999": Kind(say(status(999)), "protocol"),
    "status 000": Kind(say(status(0)), "protocol"),
    "status 600": Kind(say(status(600)), "protocol"),
    "negative length of a 503": Kind(say(b"HTTP/1.1 503 No\r\nContent-Length: -5\r\n\r\n"), "503"),
    "negative length of a 2xx": Kind(say(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), DELIVERED),
    "204 with a body": Kind(say(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"), DELIVERED),
    "HTTP/1.0 without a length": Kind(say_and_close(b"HTTP/1.0 200 OK\r\n\r\nhello"), DELIVERED),
    "Connection: close": Kind(say_and_close(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"), DELIVERED),
    "chunks and trailers": Kind(say(_CHUNKED), DELIVERED),
    "gzip bomb": Kind(say(status(200, "Content-Encoding: gzip", body=_BOMB)), DELIVERED),
    "more replies than requests": Kind(say(OK * 3), DELIVERED),
    "closes right after the reply": Kind(close_at_once, DELIVERED),
    "closes 20 ms after the reply": Kind(close_soon, DELIVERED),
    "RST in the body of a 2xx": Kind(say_and_reset(_CUT_SHORT), DELIVERED),
    "closes in the body of a 2xx": Kind(say_and_close(_CUT_SHORT), DELIVERED),
    "RST before the reply": Kind(say_and_reset(b""), "protocol"),
    "cookies and a challenge": Kind(say(status(200, "Set-Cookie: a=b", "WWW-Authenticate: Basic")), DELIVERED),
}
"""What is over quickly: seen at once whether it counts, and what it costs the others."""


def _drip(start: bytes) -> Manners:
    def act(peer: Peer) -> None:
        peer.send(start)
        peer.drip(b"x" * 1000, 0.1)

    return reply(act)


def _flood_slowly(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\nhello")
    peer.wait_for_the_end()


def _interim_slowly(peer: Peer) -> None:
    while True:
        peer.send(b"HTTP/1.1 102 Processing\r\n\r\n")
        peer.listen_for(1.5)


SLOW = {
    "hangs": Kind(hang, "timeout"),
    "never reads": Kind(never_read, "timeout"),
    "drips the status line": Kind(_drip(b"HTTP/1.1 "), "protocol"),
    "drips headers after a 2xx": Kind(_drip(b"HTTP/1.1 200 OK\r\nX: "), DELIVERED),
    "drips headers after a 503": Kind(_drip(b"HTTP/1.1 503 No\r\nX: "), "503"),
    "drips the body of a 2xx": Kind(_drip(b"HTTP/1.1 200 OK\r\n\r\n"), DELIVERED),
    "drips the body of a 503": Kind(_drip(b"HTTP/1.1 503 No\r\n\r\n"), "503"),
    "never ends the body of a 2xx": Kind(reply(_flood_slowly), DELIVERED),
    "an interim reply now and then": Kind(reply(_interim_slowly), "timeout"),
}
"""What only a deadline ends."""
