import base64
import json
import time
from collections.abc import Iterator
from datetime import datetime, tzinfo

import pytest
import standardwebhooks.webhooks
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from ttgateway.notifier.attempts.signing import check_secret, signature
from ttgateway.refusals import ListenerOptionInvalid

AT = 1614265330
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Stopped(datetime):
    """A clock that stands at `AT`, for the library, which reads the real one."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Stopped":
        return cls.fromtimestamp(AT, tz)


@pytest.fixture(autouse=True)
def _stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", Stopped)


def headers(value: str, webhook_id: str = "e.7") -> dict[str, str]:
    return {"webhook-id": webhook_id, "webhook-timestamp": str(AT), "webhook-signature": value}


def test_a_signature_is_that_of_the_published_example() -> None:
    signed = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", AT, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_signature_is_one_that_the_library_verifies() -> None:
    body = json.dumps({"name": "café"}, ensure_ascii=False).encode()
    assert Webhook(SECRET).verify(body, headers(signature(SECRET, "e.7", AT, body))) == {"name": "café"}


@pytest.mark.parametrize(
    ("webhook_id", "timestamp", "body"), [("e.8", AT, b"{}"), ("e.7", AT + 1, b"{}"), ("e.7", AT, b'{"a": 1}')]
)
def test_a_signature_covers_id_and_timestamp_and_body(webhook_id: str, timestamp: int, body: bytes) -> None:
    signed = signature(SECRET, webhook_id, timestamp, body)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(b"{}", headers(signed))


@pytest.fixture
def _far_west(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Pacific/Honolulu")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_far_west")
def test_a_signature_is_the_same_in_every_zone() -> None:
    signed = signature(SECRET, "e.7", AT, b"{}")
    assert Webhook(SECRET).verify(b"{}", headers(signed)) == {}


@given(st.binary(min_size=24, max_size=64))
def test_a_secret_of_24_to_64_bytes_is_taken_as_it_is(key: bytes) -> None:
    text = "whsec_" + base64.b64encode(key).decode()
    assert check_secret(text) == text


@pytest.mark.parametrize(
    "secret",
    [
        None,
        17,
        SECRET.encode(),
        "",
        "whsec_",
        SECRET.removeprefix("whsec_"),
        SECRET.replace("whsec_", "WHSEC_"),
        " " + SECRET,
        SECRET + "\n",
        SECRET + "=",
        SECRET[:-1] + "!",
        SECRET[:-1] + "é",
        SECRET[:-1] + "\ud800",
        SECRET[:-2] + "-_",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_" + base64.b64encode(bytes(25)).decode().rstrip("="),
    ],
)
def test_another_secret_is_refused_and_not_repeated(secret: object) -> None:
    with pytest.raises(ListenerOptionInvalid) as refused:
        check_secret(secret)
    assert str(refused.value) == "Invalid secret. Must be whsec_ followed by the base64 of 24 to 64 bytes."
    assert refused.value.__context__ is None


@given(st.one_of(st.text(), st.text().map("whsec_".__add__)))
def test_any_text_is_a_secret_or_is_refused(text: str) -> None:
    try:
        assert check_secret(text) == text
    except ListenerOptionInvalid:
        return
    assert signature(text, "e.7", AT, b"{}").startswith("v1,")
