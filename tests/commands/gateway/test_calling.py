from typing import Any, cast

import pytest
from treq.testing import StubTreq
from twisted.internet.defer import CancelledError, Deferred, TimeoutError, fail  # noqa: A004
from twisted.internet.error import ConnectError, ConnectionRefusedError, DNSLookupError  # noqa: A004
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone, ResponseNeverReceived
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from tests.support import result_of
from ttgateway.commands.gateway import calling
from ttgateway.commands.gateway.calling import Answer, NoAnswer, call


class Page(Resource):
    isLeaf = True  # noqa: N815

    def render(self, request: Request) -> bytes | int:
        if request.path == b"/redirect":
            request.redirect(b"http://elsewhere/")
        if request.path == b"/busy":
            request.setResponseCode(429)
            request.setHeader(b"retry-after", b"7")
        if request.path == b"/silent":
            return NOT_DONE_YET
        return b'{"a": 1}' if request.path == b"/json" else b"<html>"


class Response:
    """Headers that came; the body is up to the test."""

    code = 200
    headers = Headers()

    def __init__(self) -> None:
        self.transport = StringTransport()
        self.body: Any = None

    def deliverBody(self, protocol: Any) -> None:  # noqa: N802
        self.body = protocol
        protocol.makeConnection(self.transport)


class Sent:
    """Requests that come to what the test wants."""

    def __init__(self, response: Deferred[Any]) -> None:
        self.response = response

    def request(self, method: str, url: str, **options: Any) -> Deferred[Any]:
        return self.response


def get(path: str, timers: Clock) -> Answer:
    requests: Any = StubTreq(Page())  # type: ignore[no-untyped-call]
    return result_of(call(requests, timers, "GET", f"http://gateway{path}"))


def test_an_answer_comes_whole_with_its_status() -> None:
    assert get("/json", Clock()) == Answer(200, b'{"a": 1}')
    assert get("/json", Clock()).parsed() == {"a": 1}


def test_a_redirect_is_not_followed() -> None:
    assert get("/redirect", Clock()).status == 302


def test_retry_after_is_read() -> None:
    assert get("/busy", Clock()).retry_after == 7


def test_what_is_not_json_is_no_gateway() -> None:
    with pytest.raises(NoAnswer, match="HTTP 200 without JSON"):
        get("/html", Clock()).parsed()


def waiting(sent: Deferred[Any], timers: Clock) -> list[Any]:
    results: list[Any] = []
    from twisted.internet.defer import ensureDeferred

    ensureDeferred(call(cast(Any, Sent(sent)), timers, "GET", "http://gateway/", limit=5.0)).addBoth(results.append)
    return results


def test_a_body_that_does_not_end_is_cut_off_at_the_limit_of_the_whole() -> None:
    timers, response, sent = Clock(), Response(), Deferred[Any]()
    results = waiting(sent, timers)
    timers.advance(4.0)
    sent.callback(response)
    response.body.dataReceived(b"{")
    timers.advance(0.9)
    assert not results
    timers.advance(0.2)
    assert response.transport.disconnecting
    assert str(results[0].value) == "no answer within 5 s"
    response.body.connectionLost(Failure(ResponseDone()))  # comes later, and changes nothing


def test_a_body_that_is_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "MOST_BODY", 10)
    timers, response, sent = Clock(), Response(), Deferred[Any]()
    results = waiting(sent, timers)
    sent.callback(response)
    response.body.dataReceived(b"12345678901")
    assert response.transport.disconnecting
    response.body.connectionLost(Failure(ResponseDone()))
    assert isinstance(results[0].value, NoAnswer)


@pytest.mark.parametrize(
    ("error", "words", "nobody"),
    [
        (ConnectionRefusedError(), "connection refused", True),
        (DNSLookupError(), "no such host name", True),
        (ConnectError(OSError(113, "No route to host")), "no route to host", True),
        (ConnectTimeout(), "no answer within 5 s", True),
        (TimeoutError(), "no answer within 5 s", False),
        (ResponseNeverReceived([Failure(CancelledError())]), "no answer within 5 s", False),
        (ValueError("empty host"), "not a URL that can be called: empty host", True),
    ],
)
def test_why_there_was_no_answer_is_said_in_a_few_words(error: Exception, words: str, nobody: bool) -> None:
    results = waiting(fail(error), Clock())
    assert isinstance(results[0].value, NoAnswer)
    assert str(results[0].value) == words
    assert results[0].value.nobody is nobody
