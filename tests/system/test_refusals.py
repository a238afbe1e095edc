"""What is refused, and how: the right code, within its time, with nothing stored, sent or contacted."""

import socket
import time
from collections.abc import Callable, Iterator

import pytest

from tests.system.daemon import Client, Daemon, Reply, eventually, free_port
from tests.system.hostility import greet, hang, hang_up, say
from tests.system.listeners import Listener, Manners

Listen = Callable[..., Listener]
ANSWERS_WITHIN = 4.0


def register(client: Client, url: object, **wishes: object) -> Reply:
    """Register ``url``, whatever it is; fail if the answer takes too long."""
    began = time.monotonic()
    reply = client.call("POST", "/api/v2/register", {"http_client": url, **wishes})
    assert time.monotonic() - began < ANSWERS_WITHIN
    assert reply.fields["status"] == reply.status
    return reply


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for all: what is refused changes nothing. In the end nothing is stored, and its log is clean."""
    daemon = Daemon(tmp_path_factory.mktemp("refusals")).start()
    try:
        assert daemon.secret
        yield daemon
        assert daemon.control("GET", "/orders") == []
        daemon.stop()
        assert not daemon.complaints()
    finally:
        daemon.end()


@pytest.fixture
def nothing_kept(daemon: Daemon) -> Iterator[None]:
    """Fail a test after which a listener is registered."""
    yield
    assert daemon.control("GET", "/listeners") == []


pytestmark = pytest.mark.usefixtures("nothing_kept")


def check_unreachable(reply: Reply, url: str, cause: str) -> None:
    """Fail unless ``reply`` says that nobody answers at ``url``, and why."""
    assert (reply.status, reply.fields["returnCode"]) == (404, -30)
    assert reply.fields["message"] == f"Client not responding at {url}"
    assert reply.fields["cause"] == cause


def test_where_nobody_listens_the_cause_is_refused(client: Client) -> None:
    url = f"http://127.0.0.1:{free_port()}/notify"
    check_unreachable(register(client, url), url, "refused")


@pytest.mark.parametrize(
    ("manners", "cause"),
    [
        (hang, "timeout"),
        (hang_up, "protocol"),
        (say(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol"),
        (say(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), "protocol"),
    ],
    ids=["hangs", "hangs up", "SSH", "101"],
)
def test_where_no_http_is_spoken_the_cause_says_so(
    client: Client, listen: Listen, manners: Manners, cause: str
) -> None:
    listener = listen()
    listener.misbehave(manners)
    check_unreachable(register(client, listener.url), listener.url, cause)


def test_a_name_that_does_not_exist_has_the_cause_dns(client: Client) -> None:
    url = "http://till-7.invalid:8989/notify"
    check_unreachable(register(client, url), url, "dns")


def test_a_listener_that_speaks_no_tls_has_the_cause_tls(client: Client, listen: Listen) -> None:
    listener = listen()
    listener.misbehave(greet(b"HTTP/1.1 400 No\r\n\r\n"))
    url = listener.url.replace("http:", "https:")
    check_unreachable(register(client, url), url, "tls")


def test_version_1_is_told_without_a_code_and_a_cause(client: Client) -> None:
    url = f"http://127.0.0.1:{free_port()}/notify"
    reply = client.call("GET", f"/api/v1/register?http_client={url}")
    assert (reply.status, reply.fields) == (404, {"status": 404, "message": f"Client not responding at {url}"})


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://169.254.169.254/latest/meta-data", "metadata"),
        ("http://169.254.1.1:8989/", "link-local"),
        ("http://8.8.8.8:8989/", "public"),
        ("http://0.0.0.0:8989/", "unspecified"),
        ("http://224.0.0.251:8989/", "multicast"),
        ("http://255.255.255.255:8989/", "broadcast"),
        ("http://100.64.0.1:8989/", "CGNAT"),
        ("http://[::ffff:8.8.8.8]:8989/", "public"),
        ("http://[64:ff9b::7f00:1]:8989/", "NAT64"),
        ("http://[2002:7f00:1::]:8989/", "6to4"),
        ("http://[fe80::1]:8989/", "link-local"),
        ("http://127.0.0.1:22/", "port 22"),
        ("http://127.0.0.1:9100/", "port 9100"),
        ("http://localhost:25/", "port 25"),
    ],
)
def test_a_forbidden_url_is_refused_at_once_with_the_rule(client: Client, url: str, rule: str) -> None:
    began = time.monotonic()
    reply = register(client, url)
    assert time.monotonic() - began < 1.0
    assert (reply.status, reply.fields["returnCode"]) == (403, -29)
    assert rule in reply.fields["message"]
    assert "callbacks.allow" in reply.fields["message"] or "No setting allows it" in reply.fields["message"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.3", "localhost", "[::ffff:127.0.0.1]"])
def test_the_gateway_itself_is_never_called(daemon: Daemon, client: Client, host: str) -> None:
    reply = register(client, f"http://{host}:{daemon.port}/api/v2")
    assert (reply.status, reply.fields["returnCode"]) == (403, -29)
    assert "this gateway itself" in reply.fields["message"]


def test_a_forbidden_port_is_not_contacted(client: Client) -> None:
    with socket.socket() as service:
        service.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        service.bind(("127.0.0.1", 6379))
        service.listen()
        service.settimeout(0.3)
        assert register(client, "http://127.0.0.1:6379/").status == 403
        with pytest.raises(TimeoutError):
            service.accept()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "notify",
        "http://user:pass@127.0.0.1:8989/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:0/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://127.0.0.1\\@8.8.8.8/",
        "http://127.0.0.1:8989/#fragment",
        "http://127.0.0.1:8989/a b",
        "http://127.0.0.1:8989/\r\nX-Injected: yes",
        "http://127.0.0.1:\uff18\uff10/",
        "http://[fe80::1%25eth0]/",
        "http://127.0.0.1:8989/" + "a" * 2048,
        17,
        ["http://127.0.0.1:8989/"],
    ],
)
def test_what_is_no_url_that_we_call_is_refused(client: Client, url: object) -> None:
    reply = register(client, url)
    assert (reply.status, reply.fields["returnCode"]) == (400, -29)


def test_a_registration_without_a_url_is_refused(client: Client) -> None:
    for body in (b"", b"{}", b'{"http_client": ""}'):
        reply = client.call("POST", "/api/v2/register", body)
        assert (reply.status, reply.fields["returnCode"]) == (400, -28)
    assert client.call("GET", "/api/v1/register").fields == {"status": 400, "message": "Missing http_client."}


@pytest.mark.parametrize(
    "wish",
    [{"secret": "whsec_short"}, {"events": ["ORDER_EATEN"]}, {"events": "ORDER_CREATED"}, {"catch_up": "some"}],
)
def test_a_wish_that_cannot_be_met_is_refused_before_anybody_is_called(
    client: Client, listen: Listen, wish: dict[str, object]
) -> None:
    listener = listen()
    reply = register(client, listener.url, **wish)
    assert (reply.status, reply.fields["returnCode"]) == (400, -31)
    assert listener.peers == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not JSON", -31),
        (b'["66"]', -31),
        (b'{"name": "66", "name": "67", "orderType": "TO_GO"}', -31),
        (b'{"name": "66", "orderType": "TO_GO", "x": NaN}', -31),
        (b"\xff\xfe", -31),
        (b"[" * 10_000, -31),
        (b'{"orderType": "TO_GO"}', -8),
        (b'{"name": "66a", "orderType": "TO_GO"}', -9),
        (b'{"name": "12345678901", "orderType": "TO_GO"}', -9),
        (b'{"name": 66.5, "orderType": "TO_GO"}', -9),
        (b'{"name": "66", "orderType": "TO_GO", "locationName": "A1"}', -10),
        (b'{"name": "66"}', -11),
        (b'{"name": "66", "orderType": "EATEN"}', -12),
        (b'{"name": "66", "orderType": 1}', -12),
    ],
)
def test_a_bad_order_is_refused_and_nothing_is_stored_or_sent(
    daemon: Daemon, client: Client, listen: Listen, body: bytes, code: int
) -> None:
    listener = listen()
    assert client.register(listener.url).status == 200
    reply = client.call("POST", "/api/v2/activeorders", body)
    assert (reply.status, reply.fields["returnCode"]) == (400, code)
    assert client.call("GET", "/api/v2/activeorders").fields["count"] == 0
    account = daemon.account(listener.url)
    assert (account["pending"], account["delivered"]) == (0, 0)
    assert client.call("DELETE", "/api/v2/register", {"http_client": listener.url}).status == 200
    assert listener.told == []


def test_a_body_over_64_kib_is_refused(client: Client) -> None:
    reply = client.call("POST", "/api/v2/activeorders", b" " * (64 * 1024 + 1))
    assert (reply.status, reply.fields["returnCode"]) == (413, -31)
    client.close()


def test_who_shows_no_secret_may_not_post(daemon: Daemon) -> None:
    stranger = Client(daemon.port)
    reply = stranger.post_order(66)
    assert (reply.status, reply.fields["returnCode"], reply.headers["www-authenticate"]) == (401, -2, "Bearer")
    reply = stranger.call("GET", "/api/v1/register?http_client=http://127.0.0.1:8989/")
    assert (reply.status, reply.headers["www-authenticate"]) == (401, 'Basic realm="ttgateway"')
    reply = stranger.call("GET", "/api/v2/activeorders", Authorization="Digest x")
    assert (reply.status, reply.fields["returnCode"]) == (400, -1)
    assert stranger.call("GET", "/api/v2").status == 200
    stranger.close()


def test_twenty_that_register_hanging_hosts_do_not_stop_others(daemon: Daemon, client: Client, listen: Listen) -> None:
    hanging, good = listen(host="127.0.0.6"), listen()
    hanging.misbehave(hang)
    waiting = [daemon.client() for _ in range(20)]
    for number, each in enumerate(waiting):
        each.send("POST", "/api/v2/register", {"http_client": f"{hanging.url}/{number}"})
    eventually(lambda: len(hanging.peers) == 20, within=2.0)
    began = time.monotonic()
    assert client.register(good.url).status == 200
    assert time.monotonic() - began < 0.5
    assert [each.receive().fields["cause"] for each in waiting] == ["timeout"] * 20
    assert time.monotonic() - began < ANSWERS_WITHIN
    for each in waiting:
        each.close()
    assert client.call("DELETE", "/api/v2/register", {"http_client": good.url}).status == 200
