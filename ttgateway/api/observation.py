"""What watches the gateway: ``/metrics`` for Prometheus, ``/healthz`` and ``/readyz`` for whoever restarts and routes.

The latter two want no secret. They answer 200 or 503, in JSON, without a ``returnCode``: they are of no version.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from ttgateway.api.call import Access, Operation, Reply, written
from ttgateway.api.gateway_shapes import Check, OneCheck
from ttgateway.api.routes import Routes
from ttgateway.api.server.request import ApiRequest
from ttgateway.api.shapes import Shape
from ttgateway.gateway import Gateway
from ttgateway.metrics import CONTENT_TYPE, Metrics

_JSON = "application/json"
_NO_VERSION = 1  # like version 1, these replies have no returnCode


class Unwell(Shape, frozen=True):
    """What is wrong, and how the gateway's parts are."""

    message: str
    check: Check


def add_observation(routes: Routes, gateway: Gateway, metrics: Metrics) -> None:
    """Serve ``/metrics``, ``/healthz`` and ``/readyz``."""
    health = gateway.health

    def show_metrics(request: ApiRequest) -> bytes:
        request.set_header("content-type", CONTENT_TYPE)
        return metrics.text()

    routes.plain(_path("/metrics", Access.KNOWN, {200: str}, "text/plain", "Figures for Prometheus."), show_metrics)
    states = {200: OneCheck, 503: Unwell}
    well = _path("/healthz", Access.ANYBODY, states, _JSON, "Whether the gateway works.")
    ready = _path("/readyz", Access.ANYBODY, states, _JSON, "Whether the gateway takes orders.")
    routes.plain(well, _answering(gateway, health.faults, "Not well"))
    routes.plain(ready, _answering(gateway, health.hindrances, "Not ready"))


def _path(path: str, access: Access, shows: dict[int, Any], kind: str, about: str) -> Operation:
    return Operation(
        api=0,
        method="GET",
        path=path,
        code=0,
        access=access,
        shows=shows,
        about=about,
        kind=kind,  # of no version
    )


def _answering(gateway: Gateway, obstacles: Callable[[], list[str]], words: str) -> Callable[[ApiRequest], bytes]:
    """Return who answers 200 where there are no ``obstacles``, else 503 with ``words`` and what they are."""

    def answer(request: ApiRequest) -> bytes:
        check = Check(**msgspec.structs.asdict(gateway.health.parts()))
        request.set_header("cache-control", "no-store")
        found = obstacles()
        if not found:
            return written(request, _NO_VERSION, Reply(OneCheck(check=check)), 0)
        request.set_header("retry-after", "1")
        message = f"{words}: {', '.join(found)}."
        return written(request, _NO_VERSION, Reply(Unwell(message=message, check=check), status=503), 0)

    return answer
