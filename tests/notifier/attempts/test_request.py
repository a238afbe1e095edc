from datetime import UTC, datetime

from standardwebhooks import Webhook

from ttgateway import __version__
from ttgateway.notifier.attempts.request import head_request, post_request, post_start
from ttgateway.notifier.callbacks.callback import CallbackURL

URL = CallbackURL.parse("http://10.0.1.18:8989/v1/notify?x=1")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def parts(request: bytes) -> tuple[str, list[str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *headers = head.decode("ascii").split("\r\n")
    return first, headers, body


def test_a_delivery_is_sent_with_the_headers_of_the_protocol() -> None:
    first, headers, body = parts(
        post_request(
            post_start(URL),
            webhook_id="e1.7",
            timestamp=1_700_000_000,
            previous=6,
            attempt=2,
            flags="coalesced",
            secret="",
            body=b'{"seq":7}',
        )
    )
    assert first == "POST /v1/notify?x=1 HTTP/1.1"
    assert headers == [
        "Host: 10.0.1.18:8989",
        f"User-Agent: ttgateway/{__version__}",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Content-Type: application/json",
        "webhook-id: e1.7",
        "webhook-timestamp: 1700000000",
        "ttgateway-previous: 6",
        "ttgateway-attempt: 2",
        "ttgateway-flags: coalesced",
        "Content-Length: 9",
    ]
    assert body == b'{"seq":7}'


def test_a_delivery_to_a_listener_with_a_secret_is_signed() -> None:
    timestamp = 4_000_000_000
    _, headers, _ = parts(
        post_request(
            post_start(URL),
            webhook_id="e1.7",
            timestamp=timestamp,
            previous=0,
            attempt=1,
            flags="",
            secret=SECRET,
            body=b"{}",
        )
    )
    named = dict(header.split(": ", 1) for header in headers)
    assert "ttgateway-flags" not in named
    signed = Webhook(SECRET).sign("e1.7", datetime.fromtimestamp(timestamp, UTC), "{}")
    assert named["webhook-signature"] == signed


def test_a_head_asks_and_closes() -> None:
    first, headers, body = parts(head_request(URL))
    assert first == "HEAD /v1/notify?x=1 HTTP/1.1"
    assert "Connection: close" in headers
    assert body == b""
