from tests.api.server.house import GET, POST, House
from ttgateway.api.server.channel import ApiChannel


def test_a_request_is_answered_and_the_connection_kept(house: House) -> None:
    wire = house.wire()
    wire.send(GET)
    wire.send(POST + b"Content-Length: 2\r\n\r\n{}")
    assert wire.statuses() == [200, 200]
    assert house.echo.bodies == [b"", b"{}"]
    assert not wire.transport.disconnecting
    assert b"Server: ttgateway\r\n" in wire.said()


def test_pipelined_requests_are_answered_in_turn(house: House) -> None:
    wire = house.wire()
    house.echo.waits = True
    wire.send(GET + POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + GET[:20])
    assert len(house.echo.requests) == 1
    house.echo.answer()
    assert house.echo.bodies == [b"", b"{}"]
    house.echo.answer()
    wire.send(GET[20:])
    house.echo.answer()
    assert wire.statuses() == [200, 200, 200]


def test_every_byte_may_come_alone(house: House) -> None:
    wire = house.wire()
    for byte in GET + POST + b"Content-Length: 2\r\n\r\n{}":
        wire.send(bytes([byte]))
    assert wire.statuses() == [200, 200]


def test_neither_a_form_nor_a_query_is_parsed_before_somebody_asks(house: House) -> None:
    wire = house.wire()
    wire.send(
        b"POST /api/v2/register?x=1 HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 3\r\n\r\na=b"
    )
    wire.send(
        b"POST / HTTP/1.1\r\nHost: gateway\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: 5\r\n\r\n--b--"
    )
    assert house.echo.bodies == [b"a=b", b"--b--"]
    assert [request.args for request in house.echo.requests] == [{}, {}]


def test_the_channel_is_ours(house: House) -> None:
    assert isinstance(house.site.buildProtocol(None), ApiChannel)
    assert house.site.acceptableProtocols() == [b"http/1.1"]


def test_while_it_stops_a_request_that_has_begun_is_answered_and_another_is_refused(house: House) -> None:
    house.echo.waits = True
    begun, idle = house.wire(), house.wire()
    begun.send(GET)
    house.site.stop()
    idle.send(GET)
    assert idle.refused(503)["returnCode"] == -904
    house.echo.answer()
    assert begun.statuses() == [200]
