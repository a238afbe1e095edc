import pytest

from tests.api.server.house import GET, POST, House


def test_a_body_declared_too_long_is_refused_before_it_is_read(house: House) -> None:
    wire = house.wire()
    wire.send(POST + b"Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n")
    assert wire.refused(413)["returnCode"] == -31
    wire.send(b"x" * 65537)
    assert house.echo.requests == []


def test_a_length_of_thousands_of_digits_is_too_long(house: House) -> None:
    wire = house.wire()
    wire.send(POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n")
    wire.refused(413)


def test_the_longest_body_is_taken_in_either_coding(house: House) -> None:
    wire = house.wire()
    wire.send(POST + b"Content-Length: 65536\r\n\r\n" + b"x" * 65536)
    wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"8000\r\n" + b"y" * 32768 + b"\r\n")
    wire.send(b"8000\r\n" + b"y" * 32768 + b"\r\n0\r\n\r\n")
    assert wire.statuses() == [200, 200]
    assert house.echo.bodies == [b"x" * 65536, b"y" * 65536]


@pytest.mark.parametrize("pieces", [1, 70])
def test_a_chunked_body_is_counted_as_it_comes(house: House, pieces: int) -> None:
    wire = house.wire()
    body = (b"400\r\n" + b"x" * 1024 + b"\r\n") * 70 + b"0\r\n\r\n"
    wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    for index in range(pieces):
        wire.send(body[index * len(body) // pieces : (index + 1) * len(body) // pieces])
    assert wire.refused(413)["returnCode"] == -31
    assert house.echo.requests == []


def test_what_comes_after_a_refusal_is_dropped_and_at_length_not_even_read(house: House) -> None:
    wire = house.wire()
    closings = wire.half_closes()
    wire.send(POST + b"Content-Length: 10000000\r\n\r\n")
    assert wire.statuses() == [413]
    assert closings == [True]  # our half only: the peer still sends, and shall not be reset before it has read this
    for _ in range(4):
        wire.send(b"x" * 65536)
    assert wire.transport.producerState == "producing"
    wire.send(b"x")
    assert wire.transport.producerState == "paused"
    house.pass_time(5)
    assert wire.transport.disconnected


@pytest.mark.parametrize(("line", "status"), [(b"X-%d: 1\r\n", 431), (b"X-%d: " + b"1" * 200 + b"\r\n", 431)])
def test_too_many_headers_are_refused(house: House, line: bytes, status: int) -> None:
    wire = house.wire()
    wire.send(GET[:-2] + b"".join(line % index for index in range(110)) + b"\r\n")
    wire.refused(status)
    assert house.echo.requests == []


def test_a_hundred_headers_are_taken(house: House) -> None:
    wire = house.wire()
    wire.send(GET[:-2] + b"".join(b"X-%d: 1\r\n" % index for index in range(99)) + b"\r\n")
    assert wire.statuses() == [200]


@pytest.mark.parametrize("ended", [b"", b" HTTP/1.1\r\n\r\n"])
def test_an_overlong_request_line_is_refused(house: House, ended: bytes) -> None:
    wire = house.wire()
    wire.send(b"GET /api/v2/" + b"a" * 17000 + ended)
    assert wire.refused(414)["returnCode"] == -5


def test_an_overlong_header_is_refused(house: House) -> None:
    wire = house.wire()
    wire.send(GET[:-2] + b"X: " + b"a" * 17000)
    wire.refused(431)


@pytest.mark.parametrize("pieces", [1, 70])
def test_a_body_in_thousands_of_chunks_is_refused(house: House, pieces: int) -> None:
    wire = house.wire()
    body = b"1\r\nx\r\n" * 9_000
    wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    for index in range(pieces):
        wire.send(body[index * len(body) // pieces : (index + 1) * len(body) // pieces])
    assert wire.refused(413)["message"] == "The body comes in more than 1024 chunks."
    assert house.echo.requests == []


def test_a_body_in_a_thousand_chunks_is_taken(house: House) -> None:
    wire = house.wire()
    wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1024 + b"0\r\n\r\n")
    assert house.echo.bodies == [b"x" * 1024]


def test_a_body_of_known_length_may_come_in_any_pieces(house: House) -> None:
    wire = house.wire()
    wire.send(POST + b"Content-Length: 2000\r\n\r\n")
    for _ in range(2000):
        wire.send(b"x")
    assert house.echo.bodies == [b"x" * 2000]


def test_headers_after_a_chunked_body_may_be_few(house: House) -> None:
    chunks = POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    wire, another = house.wire(), house.wire()
    wire.send(chunks + b"X-Checksum: 1\r\n" * 50 + b"\r\n")
    another.send(chunks + b"X-Checksum: 1\r\n" * 100 + b"\r\n")
    assert wire.statuses() == [200]
    another.refused(400)
