"""The whole API as one resource."""

from klein.resource import KleinResource
from twisted.internet.interfaces import IReactorTime

from ttgateway import __version__
from ttgateway.api.access_tokens import add_access_tokens
from ttgateway.api.active_orders import add_active_order, add_active_orders
from ttgateway.api.codes import Endpoint
from ttgateway.api.registration import add_registration
from ttgateway.api.routes import Access, Call, Reply, Routes
from ttgateway.api.v1 import add_v1
from ttgateway.gateway import Gateway


def api_resource(gateway: Gateway, clock: IReactorTime) -> KleinResource:
    """Return the resource that serves versions 1 and 2 of the API."""
    routes = Routes(gateway, clock)
    for add in (_add_root, add_access_tokens, add_active_orders, add_active_order, add_registration, add_v1):
        add(routes, gateway)
    return routes.app.resource()


def _add_root(routes: Routes, gateway: Gateway) -> None:
    @routes.v2("GET", "", Endpoint.GATEWAY, access=Access.ANYBODY)
    async def show_gateway(call: Call) -> Reply:
        """Clients poll this every five seconds, to see that the gateway is there."""
        return Reply(
            {
                "gateway": {
                    "name": gateway.settings.name,
                    "id": gateway.id,
                    "version": __version__,
                    "epoch": gateway.epoch,
                    "uptime": gateway.uptime(),
                }
            }
        )
