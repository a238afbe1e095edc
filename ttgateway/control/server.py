"""What the daemon answers on its control socket. Whoever can open the socket may do all of it."""

from collections.abc import Awaitable, Callable

import msgspec
from klein import Klein
from klein.resource import KleinResource
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.web.iweb import IRequest

from ttgateway.button import press
from ttgateway.gateway import Gateway
from ttgateway.orders.moment import shown
from ttgateway.orders.order import Order
from ttgateway.refusals import Refusal
from ttgateway.store.listeners import Listener, Progress
from ttgateway.store.tokens import Token

SOCKET = "control.sock"
"""The socket's name in the state directory."""

_Shape = dict[str, object]


def control_resource(gateway: Gateway) -> KleinResource:
    """Return what is served on the control socket."""
    app = Klein()

    def serve(method: str, path: str, handler: Callable[[_Shape], Awaitable[object]]) -> None:
        def called(request: IRequest, **parts: str) -> Deferred[bytes]:
            return ensureDeferred(_answered(request, handler, parts))

        app.route(path, methods=[method], endpoint=f"{method} {path}")(called)

    operator = _Operator(gateway)
    serve("GET", "/tokens", operator.tokens)
    serve("POST", "/tokens", operator.create_token)
    serve("DELETE", "/tokens/<token>", operator.revoke_token)
    serve("POST", "/button", operator.press_button)
    serve("GET", "/listeners", operator.listeners)
    serve("GET", "/orders", operator.orders)
    return app.resource()


class _Operator:
    """What an operator can ask for; each takes the fields of the body and the path, and returns what to show."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def tokens(self, _: _Shape) -> object:
        return [token_shape(token, self._shown) for token in self._gateway.secrets.all()]

    async def create_token(self, asked: _Shape) -> object:
        made = await self._gateway.secrets.create(asked.get("name"), key=bool(asked.get("key")))
        return {**token_shape(made.token, self._shown), "secret": made.secret}

    async def revoke_token(self, asked: _Shape) -> object:
        found = matching(self._gateway.secrets.all(), str(asked["token"]))
        for token in found:
            await self._gateway.secrets.revoke(token)
        return {"revoked": len(found)}

    async def press_button(self, _: _Shape) -> object:
        press(self._gateway.secrets, "ttgateway button")
        return {}

    async def listeners(self, _: _Shape) -> object:
        return [self._listener(listener, progress) for listener, progress in self._gateway.registry.all()]

    async def orders(self, _: _Shape) -> object:
        return [self._order(order) for order in await self._gateway.active_orders()]

    def _listener(self, listener: Listener, progress: Progress) -> _Shape:
        status = self._gateway.registry.status(listener)
        return {
            "id": listener.id,
            "url": listener.url,
            "api": listener.api,
            "state": status.state,
            "registered": self._shown(listener.registered),
            "delivered": progress.delivered,
            "coalesced": progress.coalesced,
            "filtered": progress.filtered,
            "parked": progress.parked,
            "pending": status.pending,
            "oldestPendingSeconds": round(status.oldest_pending, 1),
            "lastSuccess": self._shown(progress.last_success),
            "lastFailure": self._shown(progress.last_failure),
            "lastFailureCause": progress.last_cause or None,
            "nextAttemptSeconds": None if status.next_attempt is None else round(status.next_attempt, 1),
        }

    def _order(self, order: Order) -> _Shape:
        return {
            "name": order.name,
            "uuid": order.uuid,
            "orderType": order.type,
            "locationName": order.location,
            "state": order.state,
            "created": self._shown(order.started),
            "paged": order.paged,
            "elapsedTime": order.elapsed(self._gateway.now().uptime),
        }

    def _shown(self, wall: float | None) -> str | None:
        return None if wall is None else shown(wall, self._gateway.zone)


def token_shape(token: Token, show: Callable[[float | None], str | None]) -> _Shape:
    """Return what an operator is shown of a token; ``id`` names it among those of the same name."""
    return {
        "id": token.hash.hex()[:12],
        "name": token.name,
        "kind": token.kind,
        "created": show(token.created),
        "lastUsed": show(token.last_used),
        "ipAddress": token.ip_address,
    }


def matching(tokens: list[Token], wanted: str) -> list[Token]:
    """Return the tokens with this id, or else those with this name."""
    by_id = [token for token in tokens if token.hash.hex()[:12] == wanted]
    return by_id or [token for token in tokens if token.name == wanted]


async def _answered(request: IRequest, handler: Callable[[_Shape], Awaitable[object]], parts: dict[str, str]) -> bytes:
    request.setHeader(b"content-type", b"application/json")
    try:
        body = request.content.read() if request.content is not None else b""
        asked = msgspec.json.decode(body, type=_Shape) if body else {}
        return msgspec.json.encode(await handler({**asked, **parts}))
    except (Refusal, msgspec.DecodeError) as error:
        request.setResponseCode(400)
        return msgspec.json.encode({"message": str(error)})
