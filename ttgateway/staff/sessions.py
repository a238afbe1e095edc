"""``POST /api/v2/accesstoken/session``: a one-time link's code becomes a secret with an end."""

from typing import Annotated

from ttgateway.api.call import Access, Call, Reply
from ttgateway.api.codes import BodyInvalid, Endpoint
from ttgateway.api.reading import Asked, reads
from ttgateway.api.routes import Routes
from ttgateway.api.shapes import Count, Shape
from ttgateway.gateway import Gateway
from ttgateway.refusals import LinkSpent
from ttgateway.secrets import SESSION

_LONGEST = 256


def _code(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise BodyInvalid("Invalid code. Must be that of a one-time link.")
    return value


class LinkCode(Asked, frozen=True):
    """The code in a one-time link."""

    code: Annotated[str, reads(_code)]


class Session(Shape, frozen=True):
    """A secret for the staff page, shown this once; it opens nothing any more after ``seconds``."""

    secret: str
    seconds: Count


class OneSession(Shape, frozen=True):
    """One session."""

    session: Session


def add_sessions(routes: Routes, gateway: Gateway) -> None:
    """Serve the exchange. It is the staff page's own, and no operation of the OpenAPI document."""

    @routes.v2(
        "POST",
        "/accesstoken/session",
        Endpoint.ACCESS_TOKEN_GENERATE,
        {201: OneSession},
        access=Access.ANYBODY,
        body=LinkCode,
    )
    async def begin(call: Call, body: LinkCode) -> Reply:
        """Begin a session; a wrong code counts as a wrong secret does."""
        try:
            made = await gateway.secrets.begin_session(body.code)
        except LinkSpent:
            routes.slow_down(call.peer, failed=True)
            raise
        return Reply(OneSession(session=Session(secret=made.secret, seconds=int(SESSION))), status=201)
