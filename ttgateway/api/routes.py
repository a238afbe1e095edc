"""Routes: who may call a path, and how what its handler returns or raises becomes a reply."""

from collections.abc import Callable
from typing import Any, cast

from klein import Klein
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException

from ttgateway.api.auth import shown_secret
from ttgateway.api.call import Access, Call, Handler, Operation, Reply, written
from ttgateway.api.codes import ERRORS, AuthorizationMalformed, Endpoint, SecretUnknown
from ttgateway.api.reading import read
from ttgateway.api.server.rates import TokenBuckets
from ttgateway.api.server.refusal import NO_SUCH_API
from ttgateway.api.server.request import ApiRequest
from ttgateway.api.shapes import Refused
from ttgateway.api.shielding import shielded
from ttgateway.gateway import Gateway
from ttgateway.refusals import ListenerSilent, NotNow, PagingUnavailable, TooMany
from ttgateway.sparing import sparing_logger

STRANGERS_RATE, STRANGERS_BURST = 100.0, 1_000
"""Requests a second, and at once, that a peer may make without a valid secret. Against floods, not against work."""

FAILURES_RATE, FAILURES_BURST = 10.0, 500
"""Wrong secrets a second, and at once, before a peer is told to slow down; never is it locked out for good."""

_PREFIX = {1: "/api/v1", 2: "/api/v2"}


class Routes:
    """All paths of one gateway's API; ``operations`` tells of them."""

    _log = sparing_logger("ttgateway.api")

    def __init__(self, gateway: Gateway, clock: IReactorTime) -> None:
        self._gateway = gateway
        self._strangers = TokenBuckets(clock, STRANGERS_RATE, STRANGERS_BURST)
        self._failures = TokenBuckets(clock, FAILURES_RATE, FAILURES_BURST)
        self.operations: list[Operation] = []
        self.app = Klein()
        self.app.url_map.merge_slashes = False
        self.app.handle_errors(HTTPException)(self._no_such_path)  # type: ignore[arg-type]  # our site's requests

    def v1(self, method: str, path: str, shows: Any, **more: Any) -> Callable[[Handler], Handler]:
        """Serve a path of version 1, whose replies hold a ``shows``; ``more`` is what `Operation` holds besides."""
        return self._serving(1, method, path, 0, {200: shows}, more)

    def v2(self, method: str, path: str, endpoint: Endpoint, shows: Any, **more: Any) -> Callable[[Handler], Handler]:
        """Serve a path of version 2, whose replies carry the returnCode of ``endpoint``.

        ``shows`` is what they hold, or such by HTTP status; ``more`` is what `Operation` holds besides.
        """
        return self._serving(2, method, path, endpoint, shows if isinstance(shows, dict) else {200: shows}, more)

    def plain(self, operation: Operation, answer: Callable[[ApiRequest], bytes]) -> None:
        """Serve a path of no version: ``answer`` sets the headers of its reply and returns its body."""

        def called(request: ApiRequest) -> bytes:
            try:
                self.admitted(request, operation.access)
                text = answer(request)
            except Exception as error:
                return written(request, 2, self.refused(request, 2, error), 0)
            request.set_header("content-length", str(len(text)))
            return text

        self._route(operation, called)

    def _serving(
        self, api: int, method: str, path: str, code: int, shows: dict[int, Any], more: dict[str, Any]
    ) -> Callable[[Handler], Handler]:
        def serve(handler: Handler) -> Handler:
            self._serve(
                Operation(
                    api=api,
                    method=method,
                    path=_PREFIX[api] + path,
                    code=code,
                    shows=shows,
                    about=handler.__doc__ or "",
                    **{"access": Access.KNOWN, **more},
                ),
                handler,
            )
            return handler

        return serve

    def _serve(self, operation: Operation, handler: Handler) -> None:
        def called(request: ApiRequest, **parts: str) -> Deferred[bytes]:
            if operation.changes and request.method == b"HEAD":
                return succeed(self._no_head(request, operation.path))
            return shielded(self._answer(request, operation, handler, parts))

        self._route(operation, called)

    def _route(self, operation: Operation, called: Callable[..., Any]) -> None:
        self.operations.append(operation)
        name, methods = f"{operation.method} {operation.path}", [operation.method]
        self.app.route(operation.path, methods=methods, strict_slashes=False, endpoint=name)(called)

    async def _answer(
        self, request: ApiRequest, operation: Operation, handler: Handler, parts: dict[str, str]
    ) -> bytes:
        """Return the reply to one call; nothing that a caller does may raise through this."""
        asked: dict[str, object] = dict(parts)
        try:
            call = self.admitted(request, operation.access)
            if operation.query is not None:
                asked["query"] = read(operation.query, operation.query_of(call))
            if operation.body is not None:
                asked["body"] = read(operation.body, operation.body_of(call))
            reply = await handler(call, **asked)
        except Exception as error:
            reply = self.refused(request, operation.api, error)
        return written(request, operation.api, reply, operation.code)

    def admitted(self, request: ApiRequest, access: Access) -> Call:
        """Return the call, if who makes it may; any request is a sign of life of its host.

        Raises `AuthorizationMalformed`, `SecretUnknown` and `TooMany`.
        """
        peer = request.peer
        self._gateway.registry.heard(peer)
        try:
            secret = shown_secret(request.requestHeaders.getRawHeaders(b"authorization", []))
        except AuthorizationMalformed:
            self.slow_down(peer, failed=True)
            raise
        token = None if secret is None else self._gateway.secrets.check(secret, peer)
        if token is not None:
            request.trust()
            return Call(request, peer, token)
        # Who polls a path that wants no secret with one that was revoked does not guess at it.
        self.slow_down(peer, failed=secret is not None and access is not Access.ANYBODY)
        opened = access is Access.OLD_DEVICES and self._gateway.settings.access.open_to_old_devices
        if access is Access.ANYBODY or (opened and secret is None):
            return Call(request, peer, None)
        raise SecretUnknown("Invalid or missing access token.")

    def slow_down(self, peer: str, *, failed: bool) -> None:
        """Raise `TooMany` where ``peer`` makes too many requests without a valid secret."""
        if not self._strangers.take(peer) or (failed and not self._failures.take(peer)):
            raise TooMany("Too many requests without a valid secret. Slow down.")

    def refused(self, request: ApiRequest, api: int, error: Exception) -> Reply:
        """Return what is replied to a call that went wrong; what we did not expect is logged, and is our fault."""
        known = next((ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS), None)
        if known is None:
            self._log.failure("A handler failed", Failure(error))
            return Reply(Refused(message="The gateway failed at this. It is in its log."), NO_SUCH_API, 500)
        status, code = known
        shown = Refused(message=str(error))
        if isinstance(error, ListenerSilent) and api == 2:
            shown = Refused(message=str(error), cause=error.cause)
        if isinstance(error, SecretUnknown):
            request.set_header("www-authenticate", "Bearer" if api == 2 else 'Basic realm="ttgateway"')
        if isinstance(error, NotNow | TooMany | PagingUnavailable):
            request.set_header("retry-after", "1")
        return Reply(shown, code, status)

    def _no_such_path(self, request: ApiRequest, failure: Failure) -> bytes:
        """Reply to what Klein refuses by itself: an unknown path or method."""
        error = cast(HTTPException, failure.value)
        for name, value in error.get_headers():
            if name.lower() in ("allow", "location"):
                request.set_header(name, value)
        return self.unserved(request, error.code or 404)

    def _no_head(self, request: ApiRequest, path: str) -> bytes:
        request.set_header("allow", ", ".join(one.method for one in self.operations if one.path == path))
        return self.unserved(request, 405)

    def unserved(self, request: ApiRequest, status: int) -> bytes:
        """Reply to a request that no handler takes; asking for nothing over and over is limited too."""
        words = "No such method here." if status == 405 else "No such API."
        api = 2 if request.path.startswith(b"/api/v2") else 1
        reply = Reply(Refused(message=words), NO_SUCH_API, status)
        try:
            self.admitted(request, Access.ANYBODY)
        except (AuthorizationMalformed, TooMany) as error:
            reply = self.refused(request, api, error)
        return written(request, api, reply, 0)
