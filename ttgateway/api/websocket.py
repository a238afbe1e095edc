"""``GET /api/v2/websocket`` (protocol section 8): the handshake, and what a feed cannot know of the API.

The channel has judged ``Origin`` and ``Host`` before anything comes here. A malformed ``Authorization`` is answered in
plain HTTP; a secret that opens nothing is told on the WebSocket, as clients expect: an error text, and a close.
"""

import re

import msgspec
from twisted.internet.interfaces import IReactorTime
from twisted.web.http_headers import Headers
from twisted.web.server import Request
from twisted.web.websocket import WebSocketResource

from ttgateway.api.call import Access, written
from ttgateway.api.codes import NoUpgrade, SecretUnknown
from ttgateway.api.parsing import parse_json
from ttgateway.api.render import order_v2
from ttgateway.api.routes import Routes
from ttgateway.api.server.refusal import NO_SUCH_API
from ttgateway.api.server.request import ApiRequest
from ttgateway.api.shapes import ActiveOrderList
from ttgateway.feeds.audience import Audience
from ttgateway.feeds.websocket import Feed
from ttgateway.gateway import Gateway
from ttgateway.store.tables.tokens import Token

PATH = "/api/v2/websocket"

_KEY = re.compile(rb"[A-Za-z0-9+/]{21}[AQgw]==")  # 16 bytes in base64
_UNKNOWN = "Invalid or missing access token."


def add_websocket(routes: Routes, gateway: Gateway, audience: Audience, clock: IReactorTime) -> None:
    """Serve ``/api/v2/websocket``. It is no operation of the OpenAPI document, which knows no WebSockets."""

    def called(request: ApiRequest) -> WebSocketResource | bytes:
        try:
            known = _known(routes, request)
            key = _handshake_key(request)
            audience.check_room()
        except Exception as error:
            if isinstance(error, NoUpgrade):
                request.set_header("connection", "upgrade")
                request.set_header("upgrade", "websocket")
                request.set_header("sec-websocket-version", "13")
            return written(request, 2, routes.refused(request, 2, error), NO_SUCH_API)
        request.requestHeaders = _plain(key)
        return _Socket(Feed(request, _Door(routes, gateway, request), audience, clock, known))

    routes.app.route(PATH, methods=["GET"], strict_slashes=False, endpoint=f"GET {PATH}")(called)


def _known(routes: Routes, request: ApiRequest) -> Token | SecretUnknown | None:
    """Return the token that the handshake shows, or why that opens nothing; ``None`` where it shows none.

    Raises `AuthorizationMalformed` and `TooMany`.
    """
    try:
        return routes.admitted(request, Access.KNOWN).token
    except SecretUnknown as error:
        return error if request.requestHeaders.hasHeader(b"authorization") else None


def _handshake_key(request: ApiRequest) -> bytes:
    """Return the key of a WebSocket's handshake; raise `NoUpgrade`."""

    def sent(name: bytes) -> bytes:
        return b",".join(request.requestHeaders.getRawHeaders(name, []))

    tokens = [token.strip() for token in sent(b"connection").lower().split(b",")]
    key: bytes = sent(b"sec-websocket-key")
    if (
        request.method != b"GET"
        or request.clientproto != b"HTTP/1.1"
        or b"upgrade" not in tokens
        or sent(b"upgrade").lower() != b"websocket"
        or sent(b"sec-websocket-version") != b"13"
        or not _KEY.fullmatch(key)
    ):
        raise NoUpgrade("Must be the handshake of a WebSocket, version 13.")
    return key


def _plain(key: bytes) -> Headers:
    """Return a handshake with this key and nothing that Twisted, wsproto or h11 could stumble over.

    Twisted logs an error for a handshake that it does not take, and lets errors of the others through.
    """
    return Headers(
        {
            b"host": [b"gateway"],
            b"connection": [b"upgrade"],
            b"upgrade": [b"websocket"],
            b"sec-websocket-version": [b"13"],
            b"sec-websocket-key": [key],
        }
    )


class _Socket(WebSocketResource):
    """Twisted's WebSocket, with one feed on it."""

    isLeaf = True  # noqa: N815  # as Twisted wants it

    def __init__(self, feed: Feed) -> None:
        super().__init__(_Only(feed))


class _Only:
    """What makes one feed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def buildProtocol(self, request: Request) -> Feed:
        """Return the feed."""
        return self._feed


class _Door:
    """What the API knows, for one feed."""

    def __init__(self, routes: Routes, gateway: Gateway, request: ApiRequest) -> None:
        self._routes = routes
        self._gateway = gateway
        self._request = request
        self._peer = request.peer

    def admit(self, message: str) -> Token:
        """Return the token whose secret the first message shows.

        Raises `NotAnObject`, `SecretUnknown` and `TooMany`.
        """
        shown = parse_json(message.encode()).get("accesstoken")
        token = self._gateway.secrets.check(shown, self._peer) if isinstance(shown, str) else None
        if token is None:
            self._routes.slow_down(self._peer, failed=True)
            raise SecretUnknown(_UNKNOWN)
        self._request.trust()
        return token

    def check(self, message: str) -> None:
        """Raise `NotAnObject` where a message is none: clients that say more than they need do it in JSON."""
        parse_json(message.encode())

    async def active_orders(self) -> tuple[str, int]:
        """Return the text of the list of active orders, and the seq at which it is true; raise `NotNow`."""
        orders, seq = await self._gateway.standing()
        at, zone = self._gateway.now(), self._gateway.zone
        items = [order_v2(order, at, zone) for order in orders]
        return msgspec.json.encode(ActiveOrderList(len(items), items)).decode(), seq

    def refusal(self, error: Exception) -> tuple[int, str]:
        """Return the HTTP status of what went wrong, and the text that tells of it."""
        reply = self._routes.refused(self._request, 2, error)
        return reply.status, written(self._request, 2, reply, NO_SUCH_API).decode()
