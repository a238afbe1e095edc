"""The whole API as one resource."""

from collections.abc import Callable
from typing import cast

from klein.resource import KleinResource
from twisted.internet.interfaces import IReactorTime

from ttgateway.api.access_tokens import add_access_tokens
from ttgateway.api.active_orders import add_active_order, add_active_orders
from ttgateway.api.document.documentation import add_documentation
from ttgateway.api.events import add_events
from ttgateway.api.gateway_info import add_gateway, add_root
from ttgateway.api.listeners import add_listeners
from ttgateway.api.observation import add_observation
from ttgateway.api.past_orders import add_past_orders
from ttgateway.api.radio import add_radio
from ttgateway.api.registration import add_registration
from ttgateway.api.routes import Routes
from ttgateway.api.server.request import ApiRequest
from ttgateway.api.v1 import add_v1
from ttgateway.api.websocket import add_websocket
from ttgateway.feeds.audience import Audience
from ttgateway.gateway import Gateway
from ttgateway.metrics import Metrics

_ALL = (
    add_root,
    add_gateway,
    add_access_tokens,
    add_active_orders,
    add_active_order,
    add_registration,
    add_listeners,
    add_v1,
    add_past_orders,
    add_radio,
)


class _ApiResource(KleinResource):
    """All routes; what Klein would answer with a traceback in the log is none of ours."""

    def __init__(self, routes: Routes) -> None:
        super().__init__(routes.app)
        self._routes = routes

    def render(self, request: ApiRequest) -> bytes | int:  # type: ignore[override]  # our site's requests
        """Answer, or say that no such path or method exists."""
        try:
            b"/".join([request.method, *(request.postpath or [])]).decode("utf-8")
        except UnicodeDecodeError:
            reply = self._routes.unserved(request, 404)
            if request.method != b"HEAD":
                return reply
            request.set_header("content-length", str(len(reply)))
            return b""  # Twisted would drop the body itself, and log a line for each
        return cast(int, super().render(request))


def api_resource(
    gateway: Gateway,
    clock: IReactorTime,
    metrics: Metrics,
    audience: Audience,
    also: Callable[[Routes], None] | None = None,
) -> KleinResource:
    """Return the resource that serves versions 1 and 2 of the API, what watches the gateway, and what ``also`` adds."""
    routes = Routes(gateway, clock)
    for add in _ALL:
        add(routes, gateway)
    add_events(routes, gateway, clock, audience)
    add_websocket(routes, gateway, audience, clock)
    add_observation(routes, gateway, metrics)
    add_documentation(routes, gateway)
    if also is not None:
        also(routes)
    return _ApiResource(routes)
