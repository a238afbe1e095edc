"""What the tests of the protocol page share. What they expect stands on that page, and is not asked of the code."""

import json
from datetime import UTC, datetime
from typing import Any

from twisted.internet.task import Clock

from tests.api.client import PEER, Answer, Connection, House, request
from tests.notifier.network import FakeDial, fake_network
from tests.support import DEFAULTS, open_policy, result_of
from ttgateway.notifier.callbacks.reach import Reach
from ttgateway.notifier.notifier import Notifier
from ttgateway.settings import Settings

V1, V2 = "/api/v1", "/api/v2"
ORDERS = f"{V2}/activeorders"
REGISTER = f"{V2}/register"
NOON = "2016-09-22T19:08:52"
"""When a `House` begins: the moment of the page's first sample, in UTC."""
UNKNOWN = "f73e89fe-c32c-4595-9b8a-ad8dcf9791c6"
"""A uuid that is nobody's."""
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
URL = "http://10.0.1.18:8989/v1/notify"


def exactly(answer: Answer, expected: dict[str, Any]) -> None:
    """Check the whole reply: every field, its value and its type; ``1``, ``1.0``, ``"1"`` and ``true`` all differ."""
    assert answer.json == expected
    assert json.dumps(answer.json, sort_keys=True) == json.dumps(expected, sort_keys=True)


def acknowledges(answer: Answer, code: int, message: str) -> None:
    """Check that this is an acknowledgement of version 2, and holds nothing else."""
    exactly(answer, {"status": 200, "returnCode": code, "message": message})


def house_at(time: str) -> House:
    """Return a house where it is now ``time``, in UTC."""
    house = House()
    house.clock.wall_ahead = datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()
    return house


def posted(house: House, name: str = "102", location: str = "", kind: str = "ON_PREMISE") -> str:
    """Post an order; return its uuid."""
    body = {"name": name, "orderType": kind, "locationName": location}
    uuid: str = house.post(ORDERS, body).json["activeorder"]["uuid"]
    return uuid


def order(uuid: str, **changed: object) -> dict[str, object]:
    """Return the sample order of section 3, as version 2 shows it, with ``changed`` fields."""
    return {
        "name": "102",
        "uuid": uuid,
        "orderType": "ON_PREMISE",
        "locationName": "",
        "state": "started",
        "created": NOON,
        "stateChanged": NOON,
        "paged": False,
        "elapsedTime": 0,
        **changed,
    }


class Shop(House):
    """A gateway that calls listeners, over a network of fakes; all of the policy is open, but for ``closed``."""

    def __init__(self, *, settings: Settings = DEFAULTS, **closed: Any) -> None:
        timers = Clock()
        self.dial = FakeDial()
        self.network = fake_network(timers, dial=self.dial, policy=open_policy(**closed))
        super().__init__(settings=settings, callbacks=Reach(self.network), timers=timers)
        self.notifier = Notifier(self.gateway, self.store, self.network, self.clock, timers, lambda: 0.5)
        self.notifier.start()

    def begins(self, method: str, path: str, body: object = None) -> Connection:
        """Send a request that is not answered before somebody else has answered us."""
        connection = Connection(self.site, PEER)
        connection.send(request(method, path, body, secret=self.secret))
        return connection

    def reached(self, method: str, path: str, body: object = None, status: int = 405) -> Answer:
        """Make a request for which a listener is sent a HEAD, to which it answers ``status``."""
        connection = self.begins(method, path, body)
        assert self.dial.peer.received().startswith(b"HEAD ")
        self.dial.peer.answer(status)
        connection.end()
        return connection.answer()

    def registers(self, url: str = URL, **options: object) -> str:
        """Register a listener that answers; return its id."""
        listener: str = self.reached("POST", REGISTER, {"http_client": url, **options}).json["listener"]
        return listener

    def close(self) -> None:
        """Stop telling listeners, and whatever waits for them."""
        stopping = self.notifier.stop()
        self.timers.pump([0.1] * 60)
        result_of(stopping)
        self.network.sweep.stop()
