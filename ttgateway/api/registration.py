"""Registering a listener, versions 1 and 2 (protocol section 6)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from ttgateway.api.call import Access, Call, Reply
from ttgateway.api.codes import Ack, Endpoint
from ttgateway.api.fields import boolean
from ttgateway.api.parsing import form_value
from ttgateway.api.reading import Asked, as_it_came, reads
from ttgateway.api.routes import Routes
from ttgateway.api.shapes import Acknowledged, Registered
from ttgateway.gateway import Gateway
from ttgateway.orders.change import ChangeType
from ttgateway.registry import Registration
from ttgateway.store.tables.listeners import CatchUp

_FIELD = "http_client"
_LEADS = {"listener": "/listener"}


CallbackUrl = Annotated[
    str,
    reads(
        as_it_came,
        pattern=r"^http://10\.[0-9]{1,2}\.[0-9]{1,2}\.[1-9][0-9]?:8[0-9]{3}/[a-z0-9/]{0,40}$",
        description="Where to POST the changes. More is allowed than this pattern tells: see the page on security.",
        examples=["http://10.0.1.18:8989/v1/notify"],
    ),
]


class Registering(Asked, frozen=True):
    """A listener that wants to be told: ``secret`` signs deliveries, ``events`` narrows them to some types."""

    http_client: CallbackUrl
    secret: Annotated[str, reads(as_it_came, pattern="^whsec_[A-Za-z0-9+/]{32}$")] | None = None
    events: Annotated[list[ChangeType], reads(as_it_came, min_length=1)] | None = None
    snapshot: Annotated[bool | Literal["true", "false"], reads(boolean("snapshot"))] | None = None
    catch_up: Annotated[CatchUp, reads(as_it_came)] | None = None


class Unregistering(Asked, frozen=True):
    """A listener that wants to be told nothing more."""

    http_client: CallbackUrl


def add_registration(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v1/register`` and ``/api/v2/register``."""
    _add_v1(routes, gateway)
    _add_v2(routes, gateway)


def _add_v1(routes: Routes, gateway: Gateway) -> None:
    @routes.v1(
        "GET", "/register", Acknowledged, access=Access.OLD_DEVICES, query=Unregistering, query_of=_query, changes=True
    )
    async def register_v1(call: Call, query: Unregistering) -> Reply:
        """Register a listener; the URL may be sent unescaped."""
        url = query.http_client
        await gateway.registry.register(Registration(url=url, api=1, caller=call.peer))
        return Reply(Acknowledged(message=f"Registered client at: {url}"))


def _add_v2(routes: Routes, gateway: Gateway) -> None:
    opened = {"access": Access.OLD_DEVICES, "body_of": _body, "form": Unregistering}

    @routes.v2(
        "POST",
        "/register",
        Endpoint.REGISTER,
        Registered,
        body=Registering,
        acks=(Ack.REGISTERED,),
        leads=_LEADS,
        **opened,
    )
    async def register_v2(call: Call, body: Registering) -> Reply:
        """Register a listener, or renew what it asked for."""
        url = body.http_client
        listener = await gateway.registry.register(
            Registration(
                url=url,
                api=2,
                caller=call.peer,
                secret=body.secret,
                events=body.events,
                snapshot=bool(body.snapshot),
                catch_up=body.catch_up,
            )
        )
        return Reply(Registered(message=f"Registered client at: {url}", listener=listener.id), Ack.REGISTERED)

    @routes.v2(
        "DELETE", "/register", Endpoint.REGISTER, Registered, body=Unregistering, acks=(Ack.LISTENER_REMOVED,), **opened
    )
    async def unregister(call: Call, body: Unregistering) -> Reply:
        """Forget a listener; the URL may stand in the query as well."""
        url = body.http_client
        listener = await gateway.registry.unregister(url)
        return Reply(Registered(message=f"Removed client at: {url}", listener=listener.id), Ack.LISTENER_REMOVED)


def _query(call: Call) -> Mapping[str, object]:
    """Return the query as it was sent: samples send the URL unescaped, so it must not be taken apart at ``&``."""
    return {_FIELD: form_value(call.request.uri.partition(b"?")[2], _FIELD)}


def _body(call: Call) -> Mapping[str, object]:
    """Return the fields of a body that is JSON, or a form: whatever the content type says."""
    raw = call.raw_body()
    if raw.lstrip()[:1] != b"{" and (url := form_value(raw, _FIELD)) is not None:
        return {_FIELD: url}
    return {**_query(call), **call.body()} if call.request.method == b"DELETE" else call.body()
