"""Access tokens, version 2 (protocol section 2.1)."""

from typing import Annotated, cast

from ttgateway.api.call import Access, Call, Reply, acknowledged
from ttgateway.api.codes import Ack, Endpoint
from ttgateway.api.reading import AskedCamel, reads
from ttgateway.api.render import items_v2, new_token, token
from ttgateway.api.routes import Routes
from ttgateway.api.shapes import AccessToken, Acknowledged, Items, MadeAccessToken, OneAccessToken
from ttgateway.gateway import Gateway
from ttgateway.refusals import WindowShut
from ttgateway.secrets import NewToken, token_name
from ttgateway.store.tables.tokens import Token

_Name = Annotated[str, reads(token_name, pattern="^[A-Za-z0-9 ._-]{1,64}$")] | None


class Named(AskedCamel, frozen=True):
    """What a new token is to be called."""

    name: _Name = None


def add_access_tokens(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v2/accesstoken`` and what is below it."""
    _add_making(routes, gateway)
    _add_own(routes, gateway)


def _add_making(routes: Routes, gateway: Gateway) -> None:
    generated = {201: MadeAccessToken}

    def made(new: NewToken) -> Reply:
        return Reply(MadeAccessToken(token=new_token(new, gateway.zone)), status=201)

    @routes.v2(
        "GET",
        "/accesstoken/generate",
        Endpoint.ACCESS_TOKEN_GENERATE,
        generated,
        access=Access.ANYBODY,
        changes=True,
    )
    async def generate_after_button(call: Call) -> Reply:
        """Make a token for a device that has none, in the two minutes after the button was pressed."""
        return made(await gateway.secrets.create_in_window(call.query().get("name")))

    @routes.v2("POST", "/accesstoken/generate", Endpoint.ACCESS_TOKEN_GENERATE, generated, body=Named)
    async def generate(call: Call, body: Named) -> Reply:
        """Make a token. A session of the staff page makes none: it would outlive its end in them."""
        if _own(call).ends is not None:
            raise WindowShut("A session of the staff page makes no tokens. The operator does: ttgateway token create")
        return made(await gateway.secrets.create(body.name))


def _add_own(routes: Routes, gateway: Gateway) -> None:
    @routes.v2("GET", "/accesstoken", Endpoint.ACCESS_TOKEN, OneAccessToken)
    async def show_own(call: Call) -> Reply:
        """The caller's own token."""
        return Reply(OneAccessToken(token=token(_own(call), gateway.zone)))

    @routes.v2("DELETE", "/accesstoken", Endpoint.ACCESS_TOKEN, Acknowledged, acks=(Ack.TOKEN_DELETED,))
    async def delete_own(call: Call) -> Reply:
        """Delete the caller's own token."""
        await gateway.secrets.revoke(_own(call))
        return acknowledged(Ack.TOKEN_DELETED, "Token deleted.")

    @routes.v2("GET", "/accesstoken/all", Endpoint.ACCESS_TOKEN_ALL, Items[AccessToken])
    async def show_all(call: Call) -> Reply:
        """All tokens, without their secrets."""
        return Reply(items_v2(token(known, gateway.zone) for known in gateway.secrets.all()))


def _own(call: Call) -> Token:
    return cast(Token, call.token)  # these routes are only reached with one
