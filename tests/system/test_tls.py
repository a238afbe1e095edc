"""Listeners by ``https``: vouched for by the operator's authority and under their own name, or not called at all."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from tests.system.daemon import Client, Daemon, eventually
from tests.system.hostility import greet, hang, say
from tests.system.listeners import Listener, answer_all

Listen = Callable[..., Listener]
SHOP = trustme.CA()
STRANGER = trustme.CA()


def certified(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """Return what a server needs to prove that it has ``names``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


GOOD = certified(SHOP, "127.0.0.1", "localhost")
WRONG_NAME = certified(SHOP, "till.example", "127.0.0.9")
WRONG_AUTHORITY = certified(STRANGER, "127.0.0.1", "localhost")


@pytest.fixture
def daemon(daemons: Callable[..., Daemon], tmp_path: Path) -> Daemon:
    """A daemon that trusts the shop's authority, and serves."""
    authority = tmp_path / "shop.pem"
    SHOP.cert_pem.write_to_path(str(authority))
    return daemons(f'[callbacks]\nca_file = "{authority}"\n').start()


def test_a_listener_with_a_good_certificate_is_told_on_one_connection(client: Client, listen: Listen) -> None:
    listener = listen(tls=GOOD)
    assert client.register(listener.url).status == 200
    for name in range(1, 11):
        client.post_order(name)
    eventually(lambda: listener.seqs() == list(range(1, 11)))
    assert len({told.connection for told in listener.told}) == 1


def test_a_listener_may_be_named(client: Client, listen: Listen) -> None:
    listener = listen(tls=GOOD)
    assert client.register(listener.url.replace("127.0.0.1", "localhost")).status == 200
    client.post_order(1)
    eventually(lambda: listener.seqs() == [1])


@pytest.mark.parametrize("context", [WRONG_NAME, WRONG_AUTHORITY], ids=["wrong name", "wrong authority"])
def test_one_that_cannot_prove_who_it_is_is_not_registered(
    daemon: Daemon, client: Client, listen: Listen, context: ssl.SSLContext
) -> None:
    listener = listen(tls=context)
    reply = client.register(listener.url)
    assert (reply.status, reply.fields["returnCode"], reply.fields["cause"]) == (404, -30, "tls")
    assert listener.heads == []  # nothing was said to a stranger
    assert daemon.control("GET", "/listeners") == []


@pytest.mark.parametrize(
    "greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(range(64))]
)
def test_one_that_speaks_no_tls_is_not_registered(client: Client, listen: Listen, greeting: bytes) -> None:
    listener = listen()
    listener.misbehave(greet(greeting))
    reply = client.register(listener.url.replace("http:", "https:"))
    assert (reply.status, reply.fields["cause"]) == (404, "tls")


@pytest.mark.parametrize("start", [b"", b"\x16\x03\x03"], ids=["at once", "in a record"])
def test_one_that_hangs_up_in_the_handshake_is_not_registered(client: Client, listen: Listen, start: bytes) -> None:
    listener = listen()
    listener.misbehave(greet(start))
    reply = client.register(listener.url.replace("http:", "https:"))
    assert reply.status == 404
    assert reply.fields["cause"] in ("tls", "protocol")  # nothing tells which


@pytest.mark.parametrize("context", [WRONG_NAME, WRONG_AUTHORITY], ids=["wrong name", "wrong authority"])
def test_a_stranger_in_the_place_of_a_listener_is_told_nothing_and_the_listener_everything(
    daemon: Daemon, client: Client, listen: Listen, context: ssl.SSLContext
) -> None:
    listener, good = listen(tls=GOOD), listen()
    for one in (listener, good):
        assert client.register(one.url).status == 200
    listener.tls = context
    for name in (1, 2, 3):
        client.post_order(name)
    eventually(lambda: daemon.account(listener.url)["lastFailureCause"] == "tls")
    eventually(lambda: good.seqs() == [1, 2, 3], within=1.0)
    assert listener.told == []
    listener.tls = GOOD
    assert client.register(listener.url).status == 200
    eventually(lambda: listener.seqs() == [1, 2, 3])


def test_one_that_hangs_in_the_handshake_ends_by_the_deadline(daemon: Daemon, client: Client, listen: Listen) -> None:
    listener, good = listen(tls=GOOD), listen()
    for one in (listener, good):
        assert client.register(one.url).status == 200
    listener.tls = None
    listener.misbehave(hang)
    client.post_order(1)
    eventually(lambda: good.seqs() == [1], within=1.0)
    eventually(lambda: daemon.account(listener.url)["lastFailureCause"] == "timeout", within=10.3)
    eventually(lambda: listener.peers[0].closed is not None, within=1.0)
    assert listener.lifetimes()[0] < 10.3


def test_what_goes_wrong_after_a_2xx_is_no_reason_to_send_again_by_tls_too(
    daemon: Daemon, client: Client, listen: Listen
) -> None:
    listener = listen(tls=GOOD)
    assert client.register(listener.url).status == 200
    listener.misbehave(say(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000))
    for name in (1, 2, 3):
        client.post_order(name)
    eventually(lambda: daemon.account(listener.url)["delivered"] == 3)
    assert listener.seqs() == [1, 2, 3]
    listener.misbehave(answer_all)
    client.post_order(4)
    eventually(lambda: listener.seqs() == [1, 2, 3, 4])


def test_an_authority_file_that_cannot_be_used_ends_the_start(daemons: Callable[..., Daemon]) -> None:
    broken = daemons('[callbacks]\nca_file = "/nowhere.pem"\n')
    code, lines = broken.run_to_its_end()
    assert (code, len(lines)) == (2, 1)
    assert "callbacks.ca_file" in lines[0]
