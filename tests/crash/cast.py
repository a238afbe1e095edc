"""The listeners of one gateway: quick and slow, one that replays, one with snapshots, one for the latest only."""

import time
from dataclasses import dataclass, field

from tests.system.daemon import Client
from tests.system.listeners import OK, Listener, Manners, Peer, Told, answer_all

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

SLOWLY = 0.006
"""Seconds that the slow one takes for each answer: what comes during a start makes it fall behind."""


def slowly(listener: Listener, peer: Peer) -> None:
    """Answer every request after a while."""
    while (request := peer.read_request()) is not None:
        listener.note(request)
        time.sleep(SLOWLY)
        request.answered_at = time.monotonic()
        peer.send(OK)


def forgetfully(_: Listener, peer: Peer) -> None:
    """Answer every request, and keep nothing of it."""
    while peer.read_request() is not None:
        peer.send(OK)


def _open(manners: Manners = answer_all) -> Listener:
    listener = Listener()
    listener.manners = manners
    return listener.open()


@dataclass
class Cast:
    """All listeners, open; `closed` closes them."""

    first: Listener = field(default_factory=_open)
    signed: Listener = field(default_factory=_open)
    slow: Listener = field(default_factory=lambda: _open(slowly))
    latest: Listener = field(default_factory=_open)
    mirror: Listener = field(default_factory=_open)
    replayed: Listener = field(default_factory=_open)
    guests: Listener = field(default_factory=lambda: _open(forgetfully))
    ids: dict[str, str] = field(default_factory=dict)

    def register(self, client: Client) -> None:
        """Let each register as what it is, and note the ids that the gateway gave."""
        assert client.call("GET", f"/api/v1/register?http_client={self.first.url}").status == 200
        asked: list[tuple[Listener, dict[str, object]]] = [
            (self.signed, {"secret": SECRET}),
            (self.slow, {}),
            (self.latest, {"catch_up": "latest"}),
            (self.mirror, {"snapshot": True}),
            (self.replayed, {}),
        ]
        for listener, wishes in asked:
            assert client.register(listener.url, **wishes).status == 200
        self.ids = {shown["url"]: shown["id"] for shown in client.call("GET", "/api/v2/listeners").fields["items"]}

    @property
    def prompt(self) -> list[Listener]:
        """Those that answer at once and are told every change."""
        return [self.first, self.signed]

    @property
    def every(self) -> list[Listener]:
        """Those that are told every change, in order."""
        return [self.first, self.signed, self.slow, self.replayed]

    @property
    def all(self) -> list[Listener]:
        """All whose deliveries are kept."""
        return [*self.every, self.latest, self.mirror]

    def close(self) -> None:
        """Close them all."""
        for listener in (*self.all, self.guests):
            listener.close()


def flagged(told: Told, flag: str) -> bool:
    """Tell whether a delivery has this flag."""
    return flag in told.headers.get("ttgateway-flags", "")
