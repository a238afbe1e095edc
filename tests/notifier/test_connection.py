import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet.error import ConnectionDone

from tests.notifier.network import Peer
from ttgateway.notifier.connection import (
    MOST_BODY_BYTES,
    MOST_HEADER_BYTES,
    MOST_INTERIM,
    ListenerConnection,
)
from ttgateway.notifier.outcome import PROTOCOL, TLS, Reply

REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Waits:
    def __init__(self) -> None:
        self.told: list[Reply | tuple[str, bool]] = []

    def replied(self, reply: Reply) -> None:
        self.told.append(reply)

    def broken(self, cause: str, heard: bool) -> None:
        self.told.append((cause, heard))


def connected(*, tls: bool = False) -> Peer:
    return Peer(ListenerConnection(tls=tls), ipaddress.ip_address("10.0.0.2"), 80, "kds" if tls else None)


def asked(*, head: bool = False, stuck: bool = False, tls: bool = False) -> tuple[Peer, Waits]:
    peer, waits = connected(tls=tls), Waits()
    peer.transport.stuck = stuck
    peer.connection.request(REQUEST, waits, head=head)
    return peer, waits


def test_the_request_is_sent_as_it_is() -> None:
    peer, _ = asked()
    assert peer.received() == REQUEST


def test_a_reply_is_told_and_the_connection_can_be_used_again() -> None:
    peer, waits = asked()
    peer.send(OK)
    assert waits.told == [Reply(200)]
    assert peer.connection.usable
    again = Waits()
    peer.connection.request(REQUEST, again)
    peer.send(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")
    assert again.told == [Reply(503, b"7")]
    assert waits.told == [Reply(200)]


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08",
    ],
    ids=["length", "204", "chunked with trailers", "interim replies", "no reason", "compressed"],
)
def test_every_proper_reply_is_understood_in_any_pieces(reply: bytes) -> None:
    for size in (1, 7, len(reply)):
        peer, waits = asked()
        for start in range(0, len(reply), size):
            peer.send(reply[start : start + size])
        assert [told.status for told in waits.told if isinstance(told, Reply)] == [204 if b" 204 " in reply else 200]
        assert peer.connection.usable


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        OK + b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\nbut here is some",
    ],
    ids=["close", "HTTP/1.0", "a second reply", "204 with a body"],
)
def test_a_connection_that_cannot_be_trusted_further_is_closed_after_its_reply(reply: bytes) -> None:
    peer, waits = asked()
    peer.send(reply)
    assert [told.status for told in waits.told if isinstance(told, Reply)] in ([200], [204])
    assert not peer.connection.usable
    assert not peer.open


def test_a_reply_that_ends_with_the_connection_counts_when_it_ends() -> None:
    peer, waits = asked()
    peer.send(b"HTTP/1.0 200 OK\r\n\r\nsome body")
    assert waits.told == []
    peer.lose(ConnectionDone())
    assert waits.told == [Reply(200)]


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"hello\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc",
        b"HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 600 Beyond\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 999 Beyond\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 20 Short\r\n\r\n",
        b"HTTP/1.1 1000 Long\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * (MOST_INTERIM + 1),
    ],
    ids=["ssh", "text", "tls alert", "101", "000", "600", "999", "20", "1000", "HTTP/2.0", "interim flood"],
)
def test_what_is_no_proper_reply_is_a_protocol_failure_and_ends_the_connection(garbage: bytes) -> None:
    peer, waits = asked()
    peer.send(garbage)
    assert waits.told == [(PROTOCOL, True)]
    assert not peer.open
    assert not peer.connection.usable


@pytest.mark.parametrize("line", [b"X-Filler: " + b"x" * 80 + b"\r\n", b"x" * 90], ids=["many", "one endless"])
def test_endless_headers_end_at_the_limit(line: bytes) -> None:
    peer, waits = asked()
    peer.send(b"HTTP/1.1 ")
    sent = 9
    while peer.open:
        peer.send(line)
        sent += len(line)
        assert sent < MOST_HEADER_BYTES + 200
    assert waits.told == [(PROTOCOL, True)]


def test_headers_that_never_end_after_a_good_status_line_do_not_make_it_bad() -> None:
    peer, waits = asked()
    peer.send(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: x\r\n" * 2_000)
    assert waits.told == [Reply(200)]
    assert not peer.open


def test_interim_replies_count_towards_the_header_limit() -> None:
    peer, waits = asked()
    peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * 9_000 + b"\r\n\r\n")
    assert waits.told == []
    peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * 9_000 + b"\r\n\r\n")
    assert waits.told == [(PROTOCOL, True)]


def test_an_endless_body_is_cut_off_and_the_status_counts() -> None:
    peer, waits = asked()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
    peer.send(b"x" * MOST_BODY_BYTES)
    assert waits.told == []
    peer.send(b"x")
    assert waits.told == [Reply(200)]
    assert peer.transport.aborted


@pytest.mark.parametrize(
    ("status", "told"), [(200, Reply(200)), (404, Reply(404)), (503, Reply(503))], ids=["2xx", "4xx", "5xx"]
)
def test_what_goes_wrong_after_the_status_line_changes_nothing(status: int, told: Reply) -> None:
    for rest in (b"", b"Content-Length: 10\r\n\r\nhal", b"Content-Length: -5\r\n\r\n"):
        peer, waits = asked()
        peer.send(b"HTTP/1.1 %d So\r\n" % status + rest)
        peer.lose()
        assert waits.told == [told]


def test_a_connection_that_dies_tells_whether_anything_was_heard() -> None:
    peer, waits = asked()
    peer.lose()
    assert waits.told == [(PROTOCOL, False)]
    peer, waits = asked()
    peer.send(b"HTT")
    peer.lose()
    assert waits.told == [(PROTOCOL, True)]


@pytest.mark.parametrize("error", [SSL.Error([("ssl", "", "bad")]), VerificationError(errors=[]), ConnectionDone()])
def test_a_handshake_that_fails_is_told_as_such(error: Exception) -> None:
    peer, waits = asked(tls=True)
    peer.lose(error)
    assert waits.told == [(TLS, False)]


def test_a_connection_that_is_lost_after_the_handshake_is_no_matter_of_tls() -> None:
    peer, waits = asked(tls=True)
    peer.connection.handshakeCompleted()
    peer.lose(ConnectionDone())
    assert waits.told == [(PROTOCOL, False)]


def test_an_early_success_does_not_count_and_an_early_failure_does() -> None:
    peer, waits = asked(stuck=True)
    peer.send(OK)
    assert waits.told == [(PROTOCOL, True)]
    assert not peer.open
    assert not peer.connection.usable
    peer, waits = asked(stuck=True)
    peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
    assert waits.told == [Reply(413)]
    assert peer.transport.aborted


def test_an_early_success_that_is_cut_off_does_not_count_either() -> None:
    peer, waits = asked(stuck=True)
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    peer.lose()
    assert waits.told == [(PROTOCOL, True)]
    peer, waits = asked(stuck=True)
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    assert peer.connection.overdue() == 0


def test_the_reply_to_a_head_ends_with_its_headers() -> None:
    peer, waits = asked(head=True)
    peer.send(b"HTTP/1.1 405 No\r\nContent-Length: 400\r\n\r\n")
    assert waits.told == [Reply(405)]
    assert not peer.connection.usable


def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    for data in (OK, b"x"):
        peer = connected()
        peer.send(data)
        assert not peer.open
        assert not peer.connection.usable


def test_a_kept_connection_that_the_listener_closes_is_not_usable() -> None:
    peer, _ = asked()
    peer.send(OK)
    peer.lose(ConnectionDone())
    assert not peer.connection.usable


def test_overdue_tells_the_status_that_has_come_and_closes() -> None:
    peer, waits = asked()
    assert peer.connection.overdue() == 0
    peer, waits = asked()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ndrip")
    assert peer.connection.overdue() == 200
    assert waits.told == []
    assert peer.transport.aborted


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([OK, b"HTTP/1.1 ", b"\r\n", b"200 OK", b"0"]))))
def test_any_bytes_at_all_end_in_at_most_one_answer_and_never_an_exception(pieces: list[bytes]) -> None:
    peer, waits = asked()
    for piece in pieces:
        if peer.open:
            peer.send(piece)
    peer.lose()
    assert len(waits.told) == 1
