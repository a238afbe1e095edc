"""Who works with the gateway: tills that post orders, screens that follow them, and the devices' own errands."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.simulation.clock import Timeline
from tests.simulation.line import Line, request
from tests.simulation.listeners import Device
from tests.simulation.machine import Process
from tests.simulation.model import Model
from tests.simulation.orders import ABSENT, ACKED, REFUSED, Command

V1, V2 = "/api/v1", "/api/v2"

PATIENCE = 20.0
"""Seconds after which a client hangs up."""

NOT_NOW = (503, 507)
"""The gateway cannot do it at present."""

Found = Callable[[], Process | None]
Said = Callable[[str], None]


class Client:
    """Somebody with a secret and one connection, who makes one request after the other."""

    def __init__(self, timeline: Timeline, random: Random, model: Model, found: Found, said: Said, peer: str) -> None:
        self.timeline = timeline
        self.random = random
        self.model = model
        self.said = said
        self.secret = ""
        self._found = found
        self._peer = peer
        self._line: Line | None = None

    def line(self) -> Line | None:
        """Return the connection, a new one where there is none; ``None`` where nobody answers."""
        if self._line is None or not (self._line.open and self._line.process.alive):
            process = self._found()
            self._line = None if process is None else Line(process, self._peer)
        return self._line

    def leave(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.hang_up()
            self._line = None

    def ask(
        self,
        method: str,
        path: str,
        body: Any,
        heard: Callable[[int, Any, bytes], None],
        patience: float = PATIENCE,
    ) -> bool:
        """Make a request; hang up if no reply comes in time. Return whether it was sent at all."""
        line = self.line()
        if line is None:
            return False
        over: list[bool] = []

        def once(status: int, answer: Any, raw: bytes) -> None:
            over.append(True)
            if status >= 500 and status not in NOT_NOW:
                self.model.wrong(f"{method} {path} was answered with {status} {answer}")
            self.said(f"{method} {path} {json.dumps(body)} -> {status}")
            heard(status, answer, raw)

        def give_up() -> None:
            if not over:
                line.hang_up()

        line.ask(request(method, path, self.secret, body), once)
        if not over:
            self.timeline.after(patience, give_up)
        return True


class Till(Client):
    """A till: it alone has its names, and gives commands about them in turn."""

    names: tuple[str, ...] = ()
    version = V2
    sweeps = 0.0

    def act(self) -> None:
        """Give one command, or look."""
        chance = self.random.random()
        name = self.random.choice(self.names)
        if chance < self.sweeps:
            self._clear_all()
        elif chance < 0.12 and self.version == V2:
            self.ask("GET", f"{V2}/activeorders", None, self._looked)
        elif chance < 0.62:
            kind = self.random.choice(("ON_PREMISE", "ON_PREMISE", "TO_GO"))
            location = self.random.choice(("", "", str(self.random.randint(1, 30))))
            command = self._given("post", name, type=kind, location=location)
            body = {"name": name, "orderType": kind, "locationName": location}
            self._send(command, "POST", "/activeorders", body)
        elif chance < 0.75:
            self._send(self._given("page", name), "POST", f"/activeorders/{name}/page", {})
        elif chance < 0.80 and self.version == V2:
            self._send(self._given("unpage", name), "DELETE", f"/activeorders/{name}/page", None)
        else:
            self._send(self._given("clear", name), "DELETE", f"/activeorders/{name}", None)

    def _given(self, kind: str, name: str, type: str = "", location: str = "") -> Command:  # noqa: A002  # the API's name
        return Command(self.timeline.now, kind, name, type, location)

    def _send(self, command: Command, method: str, path: str, body: Any) -> None:
        def heard(status: int, answer: Any, _: bytes) -> None:
            if 200 <= status < 300:
                command.outcome = ACKED
                order = answer.get("activeorder")
                if order is not None:
                    command.reply = {key: value for key, value in order.items() if key in _SHOWN}
                    if self.version == V2:
                        self.model.stands(order, "a reply")
            elif status == 404:
                command.outcome = ABSENT
            elif status:
                command.outcome = REFUSED

        if self.line() is not None:
            self.model.ledger.give(command)
            self.ask(method, self.version + path, body, heard, self.random.choice((PATIENCE, PATIENCE, 0.003, 0.2)))

    def _clear_all(self) -> None:
        if self.line() is None:
            return
        sweep = self.model.ledger.sweep(self.timeline.now)

        def heard(status: int, answer: Any, _: bytes) -> None:
            if status == 200:
                sweep.cleared = {order["uuid"] for order in answer["items"]}
            elif status:
                sweep.cleared = set()

        self.ask("DELETE", f"{V2}/activeorders", None, heard)

    def _looked(self, status: int, answer: Any, _: bytes) -> None:
        if status == 200:
            if answer["count"] != len(answer["items"]):
                self.model.wrong(f"a list of {answer['count']} has {len(answer['items'])} items")
            for order in answer["items"]:
                self.model.stands(order, "a list")
                if order["elapsedTime"] < 0:
                    self.model.wrong(f"a negative age: {order}")


_SHOWN = ("uuid", "orderType", "locationName", "state", "created", "paged")


class Auditor(Client):
    """Looks whether the accounts balance."""

    waiting = -1

    def act(self) -> None:
        """Look once."""
        self.waiting = -1
        self.ask("GET", "/metrics", None, self._measured)
        self.ask("GET", f"{V2}/listeners", None, self._listed)

    def _measured(self, status: int, _: Any, raw: bytes) -> None:
        if status == 200:
            self.model.balanced(raw)

    def _listed(self, status: int, answer: Any, _: bytes) -> None:
        if status == 200:
            self.waiting = self.model.waiting(answer["items"])


class Errands(Client):
    """What a device asks of the gateway on its own behalf."""

    def __init__(
        self, timeline: Timeline, random: Random, model: Model, found: Found, said: Said, peer: str, device: Device
    ) -> None:
        super().__init__(timeline, random, model, found, said, peer)
        self.device = device

    def register(self) -> None:
        """Register, again or for the first time."""
        device, wishes, now = self.device, self.device.wishes, self.timeline.now
        if self.line() is None:
            return
        subscription = self.model.subscribing(device)

        def heard(status: int, _: Any, __: bytes) -> None:
            if status != 200:
                return
            if subscription.ended:  # which came first nobody knows: it may be told, and is owed nothing
                self.model.subscribing(device)
            elif subscription.base is None:
                subscription.base = self.model.look()

        self.said(f"{device.label} registers since {now:.1f}: {wishes}")
        if wishes.api == 1:
            self.ask("GET", f"{V1}/register?http_client={device.url}", None, heard)
            return
        body: dict[str, Any] = {"http_client": device.url, "snapshot": wishes.snapshot}
        body["catch_up"] = "latest" if wishes.latest else "every"
        if wishes.events:
            body["events"] = list(wishes.events)
        self.ask("POST", f"{V2}/register", body, heard)

    def unregister(self) -> None:
        """Unregister."""
        subscription = self.model.subscriptions.get(self.device.url)
        if subscription is None or self.line() is None:
            return
        subscription.end()

        def heard(status: int, _: Any, __: bytes) -> None:
            if status == 200:
                subscription.end(self.timeline.now + 0.01)
                if (waiting := self.model.subscriptions.get(self.device.url)) not in (None, subscription):
                    waiting.begin_anew(self.timeline.now + 0.01)  # it was asked for before the old one had ended

        self.ask("DELETE", f"{V2}/register", {"http_client": self.device.url}, heard)

    def mend(self, how: str) -> None:
        """Ask for a ``resync``, a ``replay`` or a ``ping``, once it is known under which id."""

        def listed(status: int, answer: Any, _: bytes) -> None:
            if status == 200:
                for one in answer["items"]:
                    if one["url"] == self.device.url:
                        self._mend(how, one["id"])

        self.ask("GET", f"{V2}/listeners", None, listed)

    def _mend(self, how: str, listener: str) -> None:
        subscription = self.model.subscriptions.get(self.device.url)
        if subscription is None:
            return
        body: dict[str, Any] = {}
        now, upto = self.timeline.now, subscription.reached
        since = max(0, upto - self.random.randint(1, 8))
        if how == "resync":
            subscription.resyncs.append(now)
        elif how == "replay":
            body = {"since": since}

        def heard(status: int, _: Any, __: bytes) -> None:
            if how == "replay" and status == 200:
                subscription.replays.append((now, since, upto))

        self.ask("POST", f"{V2}/listeners/{listener}/{how}", body, heard)
