import ipaddress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet.error import ConnectionDone

from tests.notifier.network import Peer
from ttgateway.notifier.attempts.connection import (
    MOST_BODY_BYTES,
    MOST_HEADER_BYTES,
    MOST_INTERIM,
    MOST_USUAL_BYTES,
    ListenerConnection,
)
from ttgateway.notifier.attempts.outcome import PROTOCOL, TLS, Reply

REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Waits:
    def __init__(self) -> None:
        self.told: list[Reply | tuple[str, bool]] = []
        self.heads = 0

    def answered(self) -> None:
        self.heads += 1

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
    assert (waits.told, waits.heads) == ([], 1)
    peer.lose(ConnectionDone())
    assert waits.told == [Reply(200)]


@pytest.mark.parametrize(
    "head", [b"Content-Length: 9", b"Transfer-Encoding: chunked", b"Connection: close\r\nContent-Length: 9"]
)
def test_a_reply_that_has_an_end_is_waited_for(head: bytes) -> None:
    peer, waits = asked()
    peer.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
    assert (waits.told, waits.heads) == ([], 0)
    peer.lose(ConnectionDone())


@pytest.mark.parametrize("cut", [1, 7, 100])
def test_lines_may_end_without_a_carriage_return(cut: int) -> None:
    peer, waits = asked()
    reply = b"HTTP/1.1 503 Busy\nRetry-After: 7\nContent-Length: 2\n\nok"
    for start in range(0, len(reply), cut):
        peer.send(reply[start : start + cut])
    assert waits.told == [Reply(503, b"7")]


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


@pytest.mark.parametrize(
    "endless", [b"0\r\n" + b"a: b\r\n" * 500, b"1;" + b"a=b;" * 500], ids=["trailers", "extensions"]
)
def test_what_never_ends_around_a_chunked_body_is_cut_off_too_and_the_status_counts(endless: bytes) -> None:
    peer, waits = asked()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.send(endless)
    assert waits.told == []
    peer.send(endless[4:] * 4)
    assert waits.told == [Reply(200)]
    assert peer.transport.aborted


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
    assert peer.connection.overdue() is None


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
    assert peer.connection.overdue() is None
    peer, waits = asked()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ndrip")
    assert peer.connection.overdue() == Reply(200)
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


@pytest.mark.parametrize("size", [1, 20, 1000])
def test_a_retry_after_among_headers_that_are_none_does_not_count_however_it_comes(size: int) -> None:
    reply = b"HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nBro\x00ken: x\r\n\r\n"
    peer, waits = asked()
    for begin in range(0, len(reply), size):
        if peer.open:
            peer.send(reply[begin : begin + size])
    assert waits.told == [Reply(503)]


@pytest.mark.parametrize("size", [1, 20, 1000])
def test_a_retry_after_counts_only_once_all_headers_are_there(size: int) -> None:
    reply = b"HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nX: y\r\n"
    peer, waits = asked()
    for begin in range(0, len(reply), size):
        peer.send(reply[begin : begin + size])
    peer.lose(ConnectionDone())
    assert waits.told == [Reply(503)]


def test_the_retry_after_of_an_interim_reply_is_not_that_of_the_final_one() -> None:
    peer, waits = asked()
    peer.send(b"HTTP/1.1 103 Early Hints\r\nRetry-After: 120\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
    assert waits.told == [Reply(503)]


@pytest.mark.parametrize(
    "excess",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 600 So\r\n\r\n",
        b"HTTP/3.0 200 So\r\n\r\n",
        b"HTTP/1.1 101 Up\r\n\r\n",
    ],
)
def test_what_follows_a_whole_reply_in_one_piece_with_it_changes_nothing(excess: bytes) -> None:
    peer, waits = asked()
    peer.send(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n" + excess)
    assert waits.told == [Reply(503, b"7")]
    assert not peer.connection.usable


@pytest.mark.parametrize("spoilt", [b"HTTP/1.1 600 So\r\n\r\n", b"HTTP/1.1 102 So\r\n\r\n" * (MOST_INTERIM + 1)])
def test_what_follows_what_is_no_reply_in_one_piece_with_it_is_none_either(spoilt: bytes) -> None:
    for pieces in ([spoilt + OK], [spoilt, OK]):
        peer, waits = asked()
        for piece in pieces:
            if peer.open:
                peer.send(piece)
        assert waits.told == [(PROTOCOL, True)]


PIECES = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from(
            [
                *(OK, b"HTTP/1.1 ", b"HTTP/1.0 ", b"\r\n", b"\r\n\r\n", b"200 OK\r\n", b"503 Busy\r\n", b"100 So\r\n"),
                *(b"Retry-After: 9\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n"),
                *(b"0\r\n\r\n", b"X: y\r\n", b"X\x00: y\r\n", b"Connection: close\r\n", b"x" * 5_000),
            ]
        ),
    ),
    max_size=8,
)


def outcome_of(pieces: list[bytes]) -> list[Reply | tuple[str, bool]]:
    peer, waits = asked()
    for piece in pieces:
        if peer.open and piece:
            peer.send(piece)
    peer.lose(ConnectionDone())
    return waits.told


@given(PIECES.map(b"".join), st.lists(st.integers(0, 30_000), max_size=6), st.booleans())
@settings(deadline=None)
def test_any_bytes_in_any_pieces_come_to_what_they_come_to_in_one(data: bytes, cuts: list[int], every: bool) -> None:
    places = sorted({0, len(data), *(range(min(len(data), 300)) if every else (min(cut, len(data)) for cut in cuts))})
    pieces = [data[begin:end] for begin, end in pairwise(places)]
    assert outcome_of(pieces) == outcome_of([data])


FIELDS = st.lists(
    st.tuples(
        st.from_regex(r"X-[A-Za-z0-9-]{1,20}", fullmatch=True),
        st.text(st.characters(min_codepoint=32, max_codepoint=126)),
    ),
    max_size=5,
)


@given(st.integers(200, 599), FIELDS, st.none() | st.integers(0, 10**6), st.binary(max_size=100), st.booleans())
def test_every_reply_by_the_grammar_is_its_status_and_its_retry_after(
    status: int, fields: list[tuple[str, str]], retry: int | None, body: bytes, chunked: bool
) -> None:
    after = [] if retry is None else [("Retry-After", str(retry))]
    framing = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))
    head = "".join(f"{name}: {value}\r\n" for name, value in [*fields, *after, framing])
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked and body else b"0\r\n\r\n" if chunked else body
    reply = f"HTTP/1.1 {status} So\r\n{head}\r\n".encode() + sent
    assert outcome_of([reply]) == [Reply(status, None if retry is None else str(retry).encode())]


def test_a_broken_header_after_the_status_line_is_the_same_in_any_pieces() -> None:
    data = b"HTTP/1.0 500\r\nContent-Encoding: gzip\r\nRetfter\nr\r\r\n1\r\n\r\n"  # found by atheris
    assert outcome_of([data]) == outcome_of([data[at : at + 1] for at in range(len(data))]) == [Reply(500, None)]


class Kernel:
    """A socket's sending end, which takes so many bytes at a time, or fails."""

    def __init__(self, *takes: int | OSError) -> None:
        self.takes = list(takes)
        self.taken = b""

    def send(self, data: bytes) -> int:
        takes = self.takes.pop(0)
        if isinstance(takes, OSError):
            raise takes
        self.taken += data[:takes]
        return min(takes, len(data))


def over(kernel: Kernel) -> tuple[Peer, Waits]:
    """Send a request by a transport that has a socket."""
    peer, waits = connected(), Waits()
    peer.connection._send = kernel.send
    peer.transport.stuck = True
    peer.connection.request(REQUEST, waits)
    return peer, waits


def test_what_the_kernel_takes_at_once_is_not_given_to_the_transport() -> None:
    kernel = Kernel(1_000)
    peer, waits = over(kernel)
    assert (kernel.taken, peer.received()) == (REQUEST, b"")
    assert peer.transport.producer is None
    peer.send(OK)
    assert waits.told == [Reply(200)]
    assert peer.connection.usable


@pytest.mark.parametrize("takes", [0, 7, BlockingIOError(), ConnectionResetError()])
def test_the_transport_writes_what_the_kernel_does_not_take(takes: int | OSError) -> None:
    kernel = Kernel(takes)
    peer, waits = over(kernel)
    assert kernel.taken + peer.received() == REQUEST
    peer.send(OK)
    assert waits.told == [(PROTOCOL, True)]  # it cannot have read the request
    assert not peer.connection.usable


def test_the_same_reply_again_means_the_same_again() -> None:
    peer, _ = asked()
    peer.send(OK)
    for _ in range(3):
        waits = Waits()
        peer.connection.request(REQUEST, waits)
        peer.send(OK)
        assert waits.told == [Reply(200)]
        assert peer.connection.usable
    waits = Waits()
    peer.connection.request(REQUEST, waits)
    peer.send(OK[:20])
    assert waits.told == []
    peer.send(OK[20:])
    assert waits.told == [Reply(200)]
    waits = Waits()
    peer.connection.request(REQUEST, waits)
    peer.send(OK.replace(b"200", b"503"))
    assert waits.told == [Reply(503)]


def test_a_long_reply_is_not_remembered() -> None:
    peer, waits = asked()
    peer.send(b"HTTP/1.1 200 OK\r\nX: %b\r\nContent-Length: 0\r\n\r\n" % (b"x" * MOST_USUAL_BYTES))
    assert waits.told == [Reply(200)]
    assert peer.connection._usual is None


def test_the_usual_reply_and_more_is_more_than_a_reply() -> None:
    peer, _ = asked()
    peer.send(OK)
    waits = Waits()
    peer.connection.request(REQUEST, waits)
    peer.send(OK + OK)
    assert waits.told == [Reply(200)]
    assert not peer.connection.usable


def test_the_usual_reply_before_the_request_is_written_is_none() -> None:
    peer, _ = asked()
    peer.send(OK)
    peer.transport.stuck = True
    waits = Waits()
    peer.connection.request(REQUEST, waits)
    peer.send(OK)
    assert waits.told == [(PROTOCOL, True)]
