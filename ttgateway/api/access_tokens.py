"""Access tokens, version 2 (protocol section 2.1)."""

from typing import cast

from ttgateway.api.codes import Ack, Endpoint
from ttgateway.api.render import Shape, items_v2, token
from ttgateway.api.routes import Access, Call, Reply, Routes, acknowledged
from ttgateway.gateway import Gateway
from ttgateway.secrets import NewToken
from ttgateway.store.tokens import Token


def add_access_tokens(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v2/accesstoken`` and what is below it."""

    def made(new: NewToken) -> Reply:
        shape: Shape = {**token(new.token, gateway.zone), "token": new.secret}
        return Reply({"token": shape}, status=201)

    @routes.v2("GET", "/accesstoken/generate", Endpoint.ACCESS_TOKEN_GENERATE, access=Access.ANYBODY)
    async def generate_after_button(call: Call) -> Reply:
        return made(await gateway.secrets.create_in_window(call.query("name")))

    @routes.v2("POST", "/accesstoken/generate", Endpoint.ACCESS_TOKEN_GENERATE)
    async def generate(call: Call) -> Reply:
        return made(await gateway.secrets.create(call.body().get("name")))

    @routes.v2("GET", "/accesstoken", Endpoint.ACCESS_TOKEN)
    async def show_own(call: Call) -> Reply:
        return Reply({"token": token(_own(call), gateway.zone)})

    @routes.v2("DELETE", "/accesstoken", Endpoint.ACCESS_TOKEN)
    async def delete_own(call: Call) -> Reply:
        await gateway.secrets.revoke(_own(call))
        return acknowledged(Ack.TOKEN_DELETED, "Token deleted.")

    @routes.v2("GET", "/accesstoken/all", Endpoint.ACCESS_TOKEN_ALL)
    async def show_all(call: Call) -> Reply:
        return Reply(items_v2([token(known, gateway.zone) for known in gateway.secrets.all()]))


def _own(call: Call) -> Token:
    return cast(Token, call.token)  # these routes are only reached with one
