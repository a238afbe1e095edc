"""Routes: who may call a path, and how what its handler returns or raises becomes a reply."""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any, cast

import msgspec
from klein import Klein
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException

from ttgateway.api.auth import shown_secret
from ttgateway.api.codes import ERRORS, NO_SUCH_API, Ack, AuthorizationMalformed, Endpoint, SecretUnknown
from ttgateway.api.parsing import parse_json
from ttgateway.api.rates import TokenBuckets
from ttgateway.api.render import Shape
from ttgateway.api.request import ApiRequest
from ttgateway.gateway import Gateway
from ttgateway.refusals import ListenerSilent, NotNow, TooMany
from ttgateway.store.tokens import Token

STRANGERS_RATE, STRANGERS_BURST = 50.0, 200
"""Requests a second, and at once, that a peer may make without a valid secret. Against floods, not against work."""

FAILURES_RATE, FAILURES_BURST = 10 / 60, 10
"""Wrong secrets a second, and at once, before a peer is told to slow down; never is it locked out for good."""


class Access(Enum):
    """Who may call a path."""

    KNOWN = "a secret is wanted"
    OLD_DEVICES = "a secret is wanted, unless the operator opened these paths to devices that send none"
    ANYBODY = "no secret is wanted"


class Call(msgspec.Struct, frozen=True):
    """One call of a path: the HTTP request, who makes it, and the secret that it showed (if any)."""

    request: ApiRequest
    peer: str
    token: Token | None

    def body(self) -> Shape:
        """Return the JSON object in the body; raise `NotAnObject`. Nothing at all counts as an empty object."""
        return parse_json(self.raw_body())

    def raw_body(self) -> bytes:
        """Return the body as it came."""
        return self.request.body()

    def query(self, name: str) -> str | None:
        """Return one query parameter."""
        values = cast(dict[bytes, list[bytes]], self.request.args).get(name.encode("ascii"))
        return values[0].decode("utf-8", "replace") if values else None


class Reply(msgspec.Struct, frozen=True):
    """What is replied: ``fields``, under a returnCode of its own or (``None``) that of the endpoint."""

    fields: Shape
    code: int | None = None
    status: int = 200


Handler = Callable[..., Awaitable[Reply]]


def acknowledged(code: Ack, message: str, **fields: object) -> Reply:
    """Return a reply that says what was done."""
    return Reply({"message": message, **fields}, code)


class Routes:
    """All paths of one gateway's API."""

    _log = Logger()

    def __init__(self, gateway: Gateway, clock: IReactorTime) -> None:
        self._gateway = gateway
        self._strangers = TokenBuckets(clock, STRANGERS_RATE, STRANGERS_BURST)
        self._failures = TokenBuckets(clock, FAILURES_RATE, FAILURES_BURST)
        self.app = Klein()
        self.app.url_map.merge_slashes = False
        self.app.handle_errors(HTTPException)(self._no_such_path)  # type: ignore[arg-type]  # our site's requests

    def v1(self, method: str, path: str, *, access: Access = Access.KNOWN) -> Callable[[Handler], Handler]:
        """Serve a path of version 1."""
        return self._route(1, method, f"/api/v1{path}", 0, access)

    def v2(
        self, method: str, path: str, endpoint: Endpoint, *, access: Access = Access.KNOWN
    ) -> Callable[[Handler], Handler]:
        """Serve a path of version 2, whose replies carry the returnCode of ``endpoint``."""
        return self._route(2, method, f"/api/v2{path}", endpoint, access)

    def _route(self, api: int, method: str, path: str, code: int, access: Access) -> Callable[[Handler], Handler]:
        def serve(handler: Handler) -> Handler:
            def called(request: ApiRequest, **parts: str) -> Deferred[bytes]:
                return _shielded(self._answer(request, api, code, access, handler, parts))

            endpoint = f"{method} {path}"
            self.app.route(path, methods=[method], strict_slashes=False, endpoint=endpoint)(called)
            return handler

        return serve

    async def _answer(
        self, request: ApiRequest, api: int, code: int, access: Access, handler: Handler, parts: dict[str, str]
    ) -> bytes:
        """Return the reply to one call; nothing that a caller does may raise through this."""
        try:
            call = self._admitted(request, access)
            reply = await handler(call, **parts)
        except Exception as error:
            reply = self._refused(request, api, error)
        return written(request, api, reply, code)

    def _admitted(self, request: ApiRequest, access: Access) -> Call:
        """Return the call, if who makes it may; any request is a sign of life of its host."""
        peer = request.peer
        self._gateway.registry.heard(peer)
        try:
            secret = shown_secret(request.requestHeaders.getRawHeaders(b"authorization", []))
        except AuthorizationMalformed:
            self._slow_down(peer, failed=True)
            raise
        token = None if secret is None else self._gateway.secrets.check(secret, peer)
        if token is not None:
            request.trust()
            return Call(request, peer, token)
        # Who polls a path that wants no secret with one that was revoked does not guess at it.
        self._slow_down(peer, failed=secret is not None and access is not Access.ANYBODY)
        opened = access is Access.OLD_DEVICES and self._gateway.settings.access.open_to_old_devices
        if access is Access.ANYBODY or (opened and secret is None):
            return Call(request, peer, None)
        raise SecretUnknown("Invalid or missing access token.")

    def _slow_down(self, peer: str, *, failed: bool) -> None:
        """Raise `TooMany` where ``peer`` makes too many requests without a valid secret."""
        if not self._strangers.take(peer) or (failed and not self._failures.take(peer)):
            raise TooMany("Too many requests without a valid secret. Slow down.")

    def _refused(self, request: ApiRequest, api: int, error: Exception) -> Reply:
        """Return what is replied to a call that went wrong; what we did not expect is logged, and is our fault."""
        known = next((ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS), None)
        if known is None:
            self._log.failure("A handler failed", Failure(error))
            return Reply({"message": "The gateway failed at this. It is in its log."}, NO_SUCH_API, 500)
        status, code = known
        fields: Shape = {"message": str(error)}
        if isinstance(error, ListenerSilent) and api == 2:
            fields["cause"] = error.cause
        if isinstance(error, SecretUnknown):
            request.set_header("www-authenticate", "Bearer" if api == 2 else 'Basic realm="ttgateway"')
        if isinstance(error, NotNow | TooMany):
            request.set_header("retry-after", "1")
        return Reply(fields, code, status)

    def _no_such_path(self, request: ApiRequest, failure: Failure) -> bytes:
        """Reply to what Klein refuses by itself: an unknown path or method."""
        error = cast(HTTPException, failure.value)
        for name, value in error.get_headers():
            if name.lower() in ("allow", "location"):
                request.set_header(name, value)
        return self.unserved(request, error.code or 404)

    def unserved(self, request: ApiRequest, status: int) -> bytes:
        """Reply to a request that no handler takes; asking for nothing over and over is limited too."""
        words = "No such method here." if status == 405 else "No such API."
        api = 2 if request.path.startswith(b"/api/v2") else 1
        reply = Reply({"message": words}, NO_SUCH_API, status)
        try:
            self._admitted(request, Access.ANYBODY)
        except (AuthorizationMalformed, TooMany) as error:
            reply = self._refused(request, api, error)
        return written(request, api, reply, 0)


def written(request: ApiRequest, api: int, reply: Reply, code: int) -> bytes:
    """Return the JSON of a reply, and set the request's status and headers for it."""
    request.setResponseCode(reply.status)
    request.set_header("content-type", "application/json")
    numbers: Shape = {"status": reply.status}
    if api == 2:
        numbers["returnCode"] = int(code if reply.code is None else reply.code)
    text = msgspec.json.encode({**numbers, **reply.fields})
    request.set_header("content-length", str(len(text)))
    return text


def _shielded(answer: Any) -> Deferred[bytes]:
    """Let ``answer`` run to its end although the client has gone: a store that is half done helps nobody."""
    shield: Deferred[bytes] = Deferred()
    ensureDeferred(answer).chainDeferred(shield)
    return shield
