"""A listener on this machine: an HTTP server that takes deliveries, and says what is strange about them."""

from collections.abc import Callable
from typing import cast

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import Resource
from twisted.web.server import Request

from ttgateway.api.server.site import ApiSite
from ttgateway.commands.receiving.deliveries import Deliveries, Delivery, Judgement, Shape, delivery_of

Take = Callable[[Delivery, Judgement, bytes], bool]
"""Takes a delivery, what is to be said of it, and its body as it came; returns whether it was taken."""

BAD_SIGNATURE = "bad signature"


class Listener(Resource):
    """Answers a HEAD with 200, and a POST of a JSON object with 200 once ``take`` has taken it, else with 503.

    ``secret`` is that of the signatures to be checked, ``""`` for none.
    """

    def __init__(self, take: Take, secret: str = "") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.isLeaf = True
        self._take = take
        self._webhook = Webhook(secret) if secret else None
        self._deliveries = Deliveries()

    def render(self, request: Request) -> bytes:
        """Answer a request."""
        if request.method == b"HEAD":  # the gateway asks whether somebody is here
            return b""
        if request.method == b"POST":
            return self._deliver(request)
        request.setResponseCode(405)
        request.setHeader(b"allow", b"HEAD, POST")
        return b"HEAD and POST only\n"

    def _deliver(self, request: Request) -> bytes:
        raw = request.content.read() if request.content is not None else b""
        try:
            body = msgspec.json.decode(raw, type=Shape)
        except (msgspec.DecodeError, RecursionError):
            request.setResponseCode(400)
            return b"not a JSON object\n"

        def header(name: str) -> str | None:
            return cast("str | None", request.getHeader(name))

        delivery = delivery_of(body, header)
        if self._is_forged(raw, header):  # it may be anybody's, and must not confuse what is known of the true ones
            judgement = Judgement(False, (f"{BAD_SIGNATURE} on seq {delivery.seq}",))
        else:
            judgement = self._deliveries.judge(delivery)
        if not self._take(delivery, judgement, raw):
            request.setResponseCode(503)
        return b""

    def _is_forged(self, raw: bytes, header: Callable[[str], str | None]) -> bool:
        if self._webhook is None:
            return False
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        try:
            self._webhook.verify(raw, {name: header(name) or "" for name in names}, json_parse=False)
        except (WebhookVerificationError, ValueError):
            return True
        return False


def listener_site(listener: Listener, timers: IReactorTime) -> ApiSite:
    """Return the server: with the gateway's own limits, so that nobody who finds the port can fill the memory."""
    return ApiSite(listener, timers, lambda host: True, frozenset())
