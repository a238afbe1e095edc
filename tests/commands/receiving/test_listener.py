from datetime import datetime, tzinfo
from typing import Any

import pytest
import standardwebhooks.webhooks
from treq.testing import StubTreq

from tests.support import result_of
from ttgateway.commands.receiving.deliveries import Delivery, Judgement
from ttgateway.commands.receiving.listener import Listener
from ttgateway.notifier.attempts.signing import signature

AT = 1614265330
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"seq": 7, "name": "66"}'


class Stopped(datetime):
    """A clock that stands at `AT`, for the library, which reads the real one."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Stopped":
        return cls.fromtimestamp(AT, tz)


class Taken:
    """Notes what was taken."""

    def __init__(self, secret: str = "") -> None:
        self.all: list[tuple[Delivery, Judgement, bytes]] = []
        self.takes = True
        self._treq: Any = StubTreq(Listener(self.take, secret))  # type: ignore[no-untyped-call]

    def take(self, delivery: Delivery, judgement: Judgement, raw: bytes) -> bool:
        if self.takes:
            self.all.append((delivery, judgement, raw))
        return self.takes

    def send(self, method: str, body: bytes = b"", **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return int(result_of(self._treq.request(method, "http://here/", data=body, headers=named)).code)


def signed(body: bytes = BODY, at: int = AT) -> dict[str, str]:
    return {
        "webhook_id": "e1.7",
        "webhook_timestamp": str(at),
        "webhook_signature": signature(SECRET, "e1.7", at, body),
    }


@pytest.fixture(autouse=True)
def _stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", Stopped)


def test_somebody_is_here() -> None:
    assert Taken().send("HEAD") == 200


def test_a_delivery_is_taken_as_it_came() -> None:
    taken = Taken()
    assert taken.send("POST", BODY, webhook_id="e1.7", ttgateway_previous="6") == 200
    ((delivery, judgement, raw),) = taken.all
    assert raw == BODY
    assert (delivery.seq, delivery.previous, delivery.epoch) == (7, 6, "e1")
    assert judgement == Judgement(False)


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"7", b"\xff", b"[" * 100_000])
def test_what_is_not_a_json_object_gets_a_400(body: bytes) -> None:
    taken = Taken()
    assert taken.send("POST", body) == 400
    assert taken.all == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_not_taken(method: str) -> None:
    assert Taken().send(method) == 405


def test_what_cannot_be_taken_is_not_acknowledged() -> None:
    taken = Taken()
    taken.takes = False
    assert taken.send("POST", BODY) == 503


def test_a_good_signature_is_nothing_special() -> None:
    taken = Taken(SECRET)
    assert taken.send("POST", BODY, **signed()) == 200
    assert taken.all[0][1] == Judgement(False)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(b'{"seq": 8}'),
        signed(at=AT - 3600),
        {**signed(), "webhook_signature": "nonsense"},
        {**signed(), "webhook_signature": "v1,%%%"},
        {**signed(), "webhook_timestamp": "soon"},
    ],
)
def test_a_bad_signature_is_told_and_confuses_nothing(headers: dict[str, str]) -> None:
    taken = Taken(SECRET)
    assert taken.send("POST", BODY, **headers) == 200
    assert taken.all[0][1].faults == ("bad signature on seq 7",)
    taken.send("POST", BODY, **signed())
    assert taken.all[1][1] == Judgement(False)
