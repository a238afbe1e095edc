"""Registering a listener, versions 1 and 2 (protocol section 6)."""

from ttgateway.api.active_orders import check_boolean
from ttgateway.api.codes import Ack, Endpoint
from ttgateway.api.parsing import form_value
from ttgateway.api.render import Shape
from ttgateway.api.routes import Access, Call, Reply, Routes, acknowledged
from ttgateway.gateway import Gateway
from ttgateway.registry import Registration

_FIELD = "http_client"


def add_registration(routes: Routes, gateway: Gateway) -> None:
    """Serve ``/api/v1/register`` and ``/api/v2/register``."""

    @routes.v1("GET", "/register", access=Access.OLD_DEVICES)
    async def register_v1(call: Call) -> Reply:
        url = form_value(_query(call), _FIELD)
        await gateway.registry.register(Registration(url=url, api=1, caller=call.peer))
        return Reply({"message": f"Registered client at: {url}"})

    @routes.v2("POST", "/register", Endpoint.REGISTER, access=Access.OLD_DEVICES)
    async def register_v2(call: Call) -> Reply:
        body = _body(call)
        url = body.get(_FIELD)
        check_boolean("snapshot", body.get("snapshot"))
        listener = await gateway.registry.register(
            Registration(
                url=url,
                api=2,
                caller=call.peer,
                secret=body.get("secret"),
                events=body.get("events"),
                snapshot=body.get("snapshot") in (True, "true"),
                catch_up=body.get("catch_up"),
            )
        )
        return acknowledged(Ack.REGISTERED, f"Registered client at: {url}", listener=listener.id)

    @routes.v2("DELETE", "/register", Endpoint.REGISTER, access=Access.OLD_DEVICES)
    async def unregister(call: Call) -> Reply:
        body = _body(call)
        url = body.get(_FIELD, form_value(_query(call), _FIELD))
        listener = await gateway.registry.unregister(url)
        return acknowledged(Ack.LISTENER_REMOVED, f"Removed client at: {url}", listener=listener.id)


def _query(call: Call) -> bytes:
    """Return the query as it was sent: samples send the URL unescaped, so it must not be taken apart at ``&``."""
    return call.request.uri.partition(b"?")[2]


def _body(call: Call) -> Shape:
    """Return the fields of a body that is JSON, or a form: whatever the content type says."""
    raw = call.raw_body()
    if raw.lstrip()[:1] != b"{" and (url := form_value(raw, _FIELD)) is not None:
        return {_FIELD: url}
    return call.body()
