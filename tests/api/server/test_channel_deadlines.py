import pytest

from tests.api.server.house import GET, POST, House


def test_a_silent_connection_is_closed_after_a_minute(house: House) -> None:
    wire = house.wire()
    house.pass_time(59.75)
    assert not wire.transport.disconnecting
    house.pass_time(0.25)
    assert wire.transport.disconnecting
    assert wire.said() == b""
    assert not wire.transport.disconnected
    house.pass_time(5)
    assert wire.transport.disconnected
    assert house.clock.getDelayedCalls() == []


def test_a_client_that_polls_keeps_its_connection(house: House) -> None:
    wire = house.wire()
    for _ in range(30):
        wire.send(GET)
        house.pass_time(5)
    house.pass_time(54.75)
    assert wire.statuses() == [200] * 30
    assert not wire.transport.disconnecting
    house.pass_time(0.25)
    assert wire.transport.disconnecting


@pytest.mark.parametrize("idle", [0, 3, 7, 59])
def test_dripping_headers_end_five_seconds_after_the_first_byte(house: House, idle: int) -> None:
    wire = house.wire()
    house.pass_time(idle)
    for byte in GET[:19]:
        wire.send(bytes([byte]))
        house.pass_time(0.25)
    assert wire.statuses() == []
    wire.send(GET[19:20])
    house.pass_time(0.25)
    assert wire.refused(408)["returnCode"] == -5


def test_a_refusal_speaks_of_its_own_request_and_not_of_the_last_one(house: House) -> None:
    wire = house.wire()
    wire.send(GET + b"GET /api/v1/ord")
    house.pass_time(5)
    assert wire.statuses() == [200, 408]
    assert b"returnCode" not in wire.said()


def test_the_headers_of_a_pipelined_request_have_five_seconds_too(house: House) -> None:
    wire = house.wire()
    wire.send(GET + GET[:10])
    house.pass_time(5)
    assert wire.statuses() == [200, 408]


def test_an_empty_line_after_a_request_starts_no_request(house: House) -> None:
    wire = house.wire()
    wire.send(GET + b"\r\n")
    house.pass_time(50)
    assert not wire.transport.disconnecting
    wire.send(GET)
    assert wire.statuses() == [200, 200]


def test_a_dripping_body_ends_ten_seconds_after_the_headers(house: House) -> None:
    wire = house.wire()
    wire.send(POST)
    house.pass_time(4)
    wire.send(b"Content-Length: 1000\r\n\r\n")
    for _ in range(39):
        wire.send(b"x")
        house.pass_time(0.25)
    assert wire.statuses() == []
    house.pass_time(0.25)
    wire.refused(408)
    assert house.echo.requests == []


def test_a_request_that_is_not_answered_in_thirty_seconds_is_cut_off(house: House) -> None:
    wire = house.wire()
    house.echo.waits = True
    wire.send(POST + b"Content-Length: 1\r\n\r\n")
    house.pass_time(8)
    wire.send(b"x")
    house.pass_time(21.75)
    assert not wire.transport.disconnected
    house.pass_time(0.25)
    assert wire.transport.disconnected
    assert wire.said() == b""


def test_a_request_that_waits_on_purpose_has_longer(house: House) -> None:
    wire = house.wire()
    house.echo.waits = True
    wire.send(GET)
    house.echo.requests[0].no_deadline()
    house.pass_time(64.75)
    assert not wire.transport.disconnected
    house.echo.answer()
    house.pass_time(5)
    wire.send(GET)
    house.pass_time(30)
    assert wire.statuses() == [200]
    assert wire.transport.disconnected  # the next one has its 30 s again


@pytest.mark.parametrize("close", [b"", b"Connection: close\r\n"])
def test_who_does_not_read_the_reply_is_cut_off(house: House, close: bytes) -> None:
    wire = house.wire()
    house.echo.waits = True
    wire.send(GET[:-2] + close + b"\r\n")
    house.pass_time(10)
    wire.channel.pauseProducing()  # as a transport does whose buffer is full
    house.echo.answer()
    house.pass_time(19.75)
    assert not wire.transport.disconnected
    house.pass_time(0.25)
    assert wire.transport.disconnected
    assert house.clock.getDelayedCalls() == []


def test_no_further_request_is_answered_while_the_replies_are_not_read(house: House) -> None:
    wire = house.wire()
    wire.send(GET)
    wire.channel.pauseProducing()
    wire.send(GET * 3)
    assert wire.statuses() == [200]
    house.pass_time(20)
    wire.channel.resumeProducing()
    assert wire.statuses() == [200] * 4
    house.pass_time(59.75)
    assert not wire.transport.disconnecting


def test_nothing_is_read_while_the_replies_are_not(house: House) -> None:
    wire = house.wire()
    house.echo.waits = True
    wire.send(GET)
    wire.channel.pauseProducing()
    assert wire.transport.producerState == "paused"
    house.echo.answer()
    assert wire.transport.producerState == "paused"
    wire.channel.resumeProducing()
    assert wire.transport.producerState == "producing"


def test_a_body_that_came_while_the_replies_were_not_read_is_not_forgotten(house: House) -> None:
    wire = house.wire()
    wire.send(POST + b"Content-Length: 2\r\n\r\n")
    wire.channel.pauseProducing()
    wire.send(b"{}")
    assert wire.statuses() == []
    wire.channel.resumeProducing()
    assert wire.statuses() == [200]


def test_no_timer_is_left_when_a_connection_ends(house: House) -> None:
    for data in (b"", GET, GET[:10], POST + b"Content-Length: 5\r\n\r\n", b"nonsense\r\n\r\n"):
        wire = house.wire()
        wire.send(data)
        assert len(house.clock.getDelayedCalls()) == 1
        wire.end()
        assert house.clock.getDelayedCalls() == []
    assert len(house.site.connections) == 0


def test_the_site_itself_needs_no_timer(house: House) -> None:
    house.site.startFactory()
    assert house.clock.getDelayedCalls() == []
    house.site.stopFactory()
