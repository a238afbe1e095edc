"""A client may close its half once it has asked, as ``nc -N`` does, and read the answer."""

from tests.api.server.house import GET, POST, House

WHOLE = POST + b"Content-Length: 2\r\n\r\n{}"


def test_the_request_that_is_being_answered_is_answered_and_the_connection_closed(house: House) -> None:
    house.echo.waits = True
    wire = house.wire()
    wire.send(WHOLE)
    wire.channel.readConnectionLost()
    assert not wire.transport.disconnecting
    house.echo.answer()
    assert wire.statuses() == [200]
    assert wire.said().endswith(b"late\n\r\n0\r\n\r\n")
    assert wire.transport.disconnecting


def test_so_are_those_that_came_along_with_it(house: House) -> None:
    house.echo.waits = True
    wire = house.wire()
    wire.send(WHOLE + GET)
    wire.channel.readConnectionLost()
    house.echo.answer()
    assert not wire.transport.disconnecting
    house.echo.answer()
    assert wire.statuses() == [200, 200]
    assert wire.transport.disconnecting


def test_what_was_answered_already_is_still_written_out(house: House) -> None:
    wire = house.wire()
    wire.send(GET)
    wire.channel.readConnectionLost()
    assert wire.statuses() == [200]
    assert wire.transport.disconnecting
    assert not wire.transport.disconnected


def test_half_a_request_is_not_waited_for(house: House) -> None:
    for begun in (GET[:9], POST + b"Content-Length: 2\r\n\r\n{"):
        wire = house.wire()
        wire.send(begun)
        wire.channel.readConnectionLost()
        assert wire.transport.disconnected
    assert house.echo.requests == []


def test_who_waits_for_something_to_happen_has_gone(house: House) -> None:
    house.echo.waits = True
    wire = house.wire()
    wire.send(GET)
    house.echo.requests[0].no_deadline()
    wire.channel.readConnectionLost()
    assert wire.transport.disconnected


def test_the_deadline_of_the_request_stands(house: House) -> None:
    house.echo.waits = True
    wire = house.wire()
    wire.send(GET)
    wire.channel.readConnectionLost()
    house.pass_time(30.5)
    assert wire.transport.disconnected
