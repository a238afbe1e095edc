"""One HTTP request with a time limit for all of it and a bound on its answer.

The time limit of treq ends with the answer's headers, and its readers of bodies do not stop when they are cancelled
(treq#83, twisted#8227): so the body is read here.
"""

from collections.abc import Callable
from typing import Any, Protocol, cast

import msgspec
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError
from twisted.internet.error import ConnectionRefusedError as ConnectionRefused
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.python.failure import Failure
from twisted.web.client import RequestTransmissionFailed, ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss

LIMIT = 10.0
"""Seconds for a request and all of its answer."""

MOST_BODY = 32 * 1024 * 1024
"""Bytes of an answer: ten thousand listeners with the longest of URLs."""

_TIMEOUTS = (CancelledError, DeferredTimeout, ConnectTimeout)
_WRAPPERS = (ResponseFailed, RequestTransmissionFailed)
_FAILURES = (*_TIMEOUTS, *_WRAPPERS, ConnectError, ConnectionClosed, DNSLookupError)


class NoAnswer(Exception):
    """A request got no answer, or not all of it in time; the text says why, in a few words.

    ``nobody`` tells whether there was nobody to ask: whatever was asked for was not done.
    """

    def __init__(self, why: str, *, nobody: bool = False) -> None:
        super().__init__(why)
        self.nobody = nobody


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer: its status, its whole body, and ``Retry-After`` in seconds (``None``: not sent)."""

    status: int
    body: bytes
    retry_after: int | None = None

    def parsed(self) -> Any:
        """Return the JSON in the body; raise `NoAnswer` if it is none: then it is no gateway that answers."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            raise NoAnswer(f"HTTP {self.status} without JSON: is that a ttgateway?") from None


class Requests(Protocol):
    """The part of ``treq.client.HTTPClient`` that is used here."""

    @property
    def request(self) -> Callable[..., Deferred[Any]]:
        """Send a request; the result is the response, once its headers have come."""


async def call(
    requests: Requests, timers: IReactorTime, method: str, url: str, *, limit: float = LIMIT, **options: Any
) -> Answer:
    """Return the answer to one request, whatever its status; raise `NoAnswer`.

    ``options`` are treq's (``json``, ``headers``, ``params``); ``limit`` is in seconds, for all of it.
    """
    ends = timers.seconds() + limit
    try:
        response = await requests.request(
            method, url, allow_redirects=False, unbuffered=True, reactor=timers, **options
        ).addTimeout(limit, timers)
        body = await _body(response, MOST_BODY).addTimeout(max(0.0, ends - timers.seconds()), timers)
    except _FAILURES as error:
        raise _no_answer(error, limit) from None
    except (ValueError, UnicodeError) as error:  # a URL that the client cannot read after all
        raise NoAnswer(f"not a URL that can be called: {error}", nobody=True) from None
    return Answer(int(response.code), body, _retry_after(response))


def _retry_after(response: Any) -> int | None:
    value: str = (response.headers.getRawHeaders("retry-after") or [""])[0]
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else None


class _Body(TwistedProtocol):
    """Collects a body of at most ``most`` bytes; cancelling ``whole`` closes the connection."""

    def __init__(self, most: int) -> None:
        self.whole: Deferred[bytes] = Deferred(lambda _: self._stop())
        self._parts: list[bytes] = []
        self._room = most

    def dataReceived(self, data: bytes) -> None:
        self._room -= len(data)
        if self._room < 0:
            self._stop()
        else:
            self._parts.append(data)

    def connectionLost(self, reason: Failure = ResponseDone) -> None:  # type: ignore[assignment]
        if self.whole.called:
            return
        if self._room >= 0 and reason.check(ResponseDone, PotentialDataLoss):
            self.whole.callback(b"".join(self._parts))
        else:
            self.whole.errback(Failure(ResponseFailed([reason])))

    def _stop(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


def _body(response: Any, most: int) -> Deferred[bytes]:
    body = _Body(most)
    response.deliverBody(body)
    return body.whole


def _no_answer(error: BaseException, limit: float) -> NoAnswer:
    """Return what went wrong in words for an operator."""
    while isinstance(error, _WRAPPERS) and error.reasons:
        error = cast(BaseException, error.reasons[0].value)
    if isinstance(error, _TIMEOUTS):
        return NoAnswer(f"no answer within {limit:g} s", nobody=isinstance(error, ConnectTimeout))
    if isinstance(error, ConnectionRefused):
        return NoAnswer("connection refused", nobody=True)
    if isinstance(error, DNSLookupError):
        return NoAnswer("no such host name", nobody=True)
    if isinstance(error, ConnectError):
        return NoAnswer(_first_line(error), nobody=True)
    if isinstance(error, ConnectionClosed):
        return NoAnswer("the connection was closed")
    return NoAnswer(f"not an HTTP answer: {type(error).__name__}")


def _first_line(error: ConnectError) -> str:
    cause = error.osError
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return str(error).partition("\n")[0].rstrip(".")
