"""What the daemon answers on its control socket. Whoever can open the socket may do all of it."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from klein import Klein
from klein.resource import KleinResource
from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest

from ttgateway.api.listeners import detailed, listener_shape
from ttgateway.api.render import order_v2
from ttgateway.api.shielding import shielded
from ttgateway.button import press
from ttgateway.control.standing import status_shape
from ttgateway.control.surroundings import Enquiries, Surroundings
from ttgateway.gateway import Gateway
from ttgateway.links import LINK
from ttgateway.orders.moment import shown
from ttgateway.refusals import DiskFull, ListenerSilent, Refusal
from ttgateway.store.copies.backups import Asked
from ttgateway.store.tables.listeners import Listener
from ttgateway.store.tables.tokens import Token

SOCKET = "control.sock"
"""The socket's name in the state directory."""

_Shape = dict[str, object]


def control_resource(gateway: Gateway, surroundings: Surroundings) -> KleinResource:
    """Return what is served on the control socket."""
    app = Klein()

    def serve(method: str, path: str, handler: Callable[[_Shape], Awaitable[object]]) -> None:
        def called(request: IRequest, **parts: str) -> Deferred[bytes]:
            return shielded(_answered(request, handler, parts))

        app.route(path, methods=[method], endpoint=f"{method} {path}")(called)

    operator = _Operator(gateway, surroundings.serves)
    serve("GET", "/status", operator.status)
    serve("GET", "/tokens", operator.tokens)
    serve("POST", "/tokens", operator.create_token)
    serve("DELETE", "/tokens/<token>", operator.revoke_token)
    serve("POST", "/button", operator.press_button)
    serve("POST", "/links", operator.make_link)
    serve("GET", "/listeners", operator.listeners)
    serve("GET", "/listeners/<listener>", operator.listener)
    serve("DELETE", "/listeners/<listener>", operator.remove_listener)
    serve("POST", "/listeners/<listener>/ping", operator.ping)
    serve("POST", "/listeners/<listener>/resync", operator.resync)
    serve("POST", "/listeners/<listener>/replay", operator.replay)
    serve("GET", "/orders", operator.orders)
    serve("POST", "/backup", operator.begin_backup)
    serve("GET", "/backup", operator.backup)
    serve("DELETE", "/backup", operator.take_back_backup)
    serve("GET", "/damage", operator.damage)
    serve("DELETE", "/damage", operator.see_damage)
    enquiries = Enquiries(gateway, surroundings)
    serve("GET", "/view", enquiries.view)
    serve("GET", "/allowed", enquiries.rules)
    serve("POST", "/allowed", enquiries.allow)
    serve("DELETE", "/allowed", enquiries.close)
    serve("POST", "/trial", enquiries.trial)
    serve("POST", "/listeners/<listener>/examine", enquiries.examine)
    return app.resource()


class _Operator:
    """What an operator can ask for; each takes the fields of the body and the path, and returns what to show."""

    def __init__(self, gateway: Gateway, serves: Callable[[], Sequence[tuple[str, int]]]) -> None:
        self._gateway = gateway
        self._serves = serves

    async def status(self, _: _Shape) -> object:
        return await status_shape(self._gateway)

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

    async def make_link(self, _: _Shape) -> object:
        return {"code": self._gateway.secrets.links.make(), "seconds": int(LINK), "serves": list(self._serves())}

    async def listeners(self, _: _Shape) -> object:
        return [listener_shape(self._gateway, *one) for one in self._gateway.registry.all()]

    async def listener(self, asked: _Shape) -> object:
        return detailed(self._gateway, str(asked["listener"]))

    async def remove_listener(self, asked: _Shape) -> object:
        found = self._named(asked)
        await self._gateway.registry.remove(found)
        return {"url": found.url}

    async def ping(self, asked: _Shape) -> object:
        found = self._named(asked)
        try:
            await self._gateway.registry.ping(found.id)
        except ListenerSilent as silent:
            raise ListenerSilent(f"{found.url} ({silent.cause})", silent.cause) from None
        return {"url": found.url}

    async def resync(self, asked: _Shape) -> object:
        found = self._named(asked)
        await self._gateway.registry.resync(found.id)
        return {"url": found.url}

    async def replay(self, asked: _Shape) -> object:
        found, progress = self._gateway.registry.listener(str(asked["listener"]))
        stands = progress.cursor
        await self._gateway.registry.replay(found.id, asked.get("since"))  # type: ignore[arg-type]  # it looks itself
        return {"url": found.url, "stands": stands}

    async def orders(self, _: _Shape) -> object:
        orders = await self._gateway.active_orders()
        return [order_v2(order, self._gateway.now(), self._gateway.zone) for order in orders]

    async def begin_backup(self, _: _Shape) -> object:
        self._gateway.backups.ask()
        return {}

    async def backup(self, _: _Shape) -> object:
        backups = self._gateway.backups
        asked = backups.asked or Asked("failed", why="the copy was taken back")
        folder, name = backups.asked_path.parts[-2:]
        return {**msgspec.structs.asdict(asked), "path": f"{folder}/{name}"}

    async def take_back_backup(self, _: _Shape) -> object:
        self._gateway.backups.take_back()
        return {}

    async def damage(self, _: _Shape) -> object:
        return {"damage": self._gateway.damage}

    async def see_damage(self, _: _Shape) -> object:
        return {"damage": await self._gateway.damage_seen()}

    def _named(self, asked: _Shape) -> Listener:
        """Return the listener in the path; raise `ListenerUnknown`."""
        found, _ = self._gateway.registry.listener(str(asked["listener"]))
        return found

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
        "ends": show(token.ends),
    }


def matching(tokens: list[Token], wanted: str) -> list[Token]:
    """Return the tokens with this id, or else those with this name."""
    by_id = [token for token in tokens if token.hash.hex()[:12] == wanted]
    return by_id or [token for token in tokens if token.name == wanted]


async def _answered(request: IRequest, handler: Callable[[_Shape], Awaitable[object]], parts: dict[str, str]) -> bytes:
    request.setHeader(b"content-type", b"application/json")
    try:
        body = request.content.read() if request.content is not None else b""
        return msgspec.json.encode(await handler({**_fields(body), **parts}))
    except (Refusal, msgspec.DecodeError) as error:
        request.setResponseCode(507 if isinstance(error, DiskFull) else 400)
        return msgspec.json.encode({"message": str(error)})


def _fields(body: bytes) -> _Shape:
    """Return what a body asks for, nothing where it is empty; raise ``msgspec.DecodeError``."""
    try:
        return msgspec.json.decode(body, type=_Shape) if body else {}
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(f"The body cannot be read: {error}") from None
