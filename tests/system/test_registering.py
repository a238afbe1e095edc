"""Devices register as the vendor's samples do: byte by byte, with requests, as JSON and as a form."""

import base64
import json
import socket
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.system.daemon import Client, Daemon, eventually
from tests.system.hostility import say_and_close
from tests.system.listeners import Listener


def basic(secret: str) -> str:
    """Return the header of version 1: the secret as the user name, an empty password."""
    return "Basic " + base64.b64encode(f"{secret}:".encode()).decode()


def raw(port: int, request: str) -> tuple[int, dict[str, Any]]:
    """Send ``request`` as it stands; return the status and the JSON of the reply."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.encode())
        reply = b""
        while data := connection.recv(65536):
            reply += data
    head, _, body = reply.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)


def check_told(client: Client, listener: Listener) -> None:
    """Fail unless the listener is told of a change."""
    client.post_order(1)
    eventually(lambda: listener.seqs() == [1])
    assert [head.path for head in listener.heads] == ["/v1/notify"]


def v1_url(listener: Listener) -> str:
    """Return the URL of the vendor's samples."""
    return f"http://127.0.0.1:{listener.port}/v1/notify"


def test_version_1_takes_the_url_unescaped_with_basic_auth(
    daemon: Daemon, client: Client, listen: Callable[..., Listener]
) -> None:
    listener = listen()
    status, fields = raw(
        daemon.port,
        f"GET /api/v1/register?http_client={v1_url(listener)} HTTP/1.1\r\nHost: 127.0.0.1:{daemon.port}\r\n"
        f"Authorization: {basic(daemon.secret)}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n",
    )
    assert (status, fields) == (200, {"status": 200, "message": f"Registered client at: {v1_url(listener)}"})
    check_told(client, listener)


def test_version_1_takes_what_urllib_sends(daemon: Daemon, client: Client, listen: Callable[..., Listener]) -> None:
    listener = listen()
    request = urllib.request.Request(
        f"http://127.0.0.1:{daemon.port}/api/v1/register?http_client={v1_url(listener)}",
        headers={"Authorization": basic(daemon.secret), "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        assert response.status == 200
    check_told(client, listener)


@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "unescaped"])
def test_version_1_takes_what_requests_sends(
    daemon: Daemon, client: Client, listen: Callable[..., Listener], escaped: bool
) -> None:
    listener = listen()
    api = f"http://127.0.0.1:{daemon.port}/api/v1/register"
    url, params = (api, {"http_client": v1_url(listener)}) if escaped else (f"{api}?http_client={v1_url(listener)}", {})
    reply = requests.get(url, params=params, auth=(daemon.secret, ""), timeout=10)
    assert (reply.status_code, reply.json()["status"]) == (200, 200)
    assert "returnCode" not in reply.json()
    check_told(client, listener)


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", "text/plain", None])
@pytest.mark.parametrize("form", [True, False], ids=["form", "JSON"])
def test_version_2_takes_json_and_a_form_whatever_the_content_type_says(
    daemon: Daemon, client: Client, listen: Callable[..., Listener], content_type: str | None, form: bool
) -> None:
    listener = listen()
    url = v1_url(listener)
    headers = {"Authorization": f"Bearer {daemon.secret}"} | ({"Content-Type": content_type} if content_type else {})
    reply = requests.post(
        f"http://127.0.0.1:{daemon.port}/api/v2/register",
        data=f"http_client={url}".encode() if form else json.dumps({"http_client": url}).encode(),
        headers=headers,
        timeout=10,
    )
    fields = reply.json()
    assert (reply.status_code, fields["status"], fields["returnCode"]) == (200, 200, 1005), fields
    assert fields["message"] == f"Registered client at: {url}"
    assert fields["listener"] == daemon.account(url)["id"]
    check_told(client, listener)


def test_a_form_that_is_escaped_is_taken_too(daemon: Daemon, client: Client, listen: Callable[..., Listener]) -> None:
    listener = listen()
    reply = requests.post(
        f"http://127.0.0.1:{daemon.port}/api/v2/register",
        data={"http_client": v1_url(listener)},
        headers={"Authorization": f"Bearer {daemon.secret}"},
        timeout=10,
    )
    assert reply.status_code == 200, reply.text
    check_told(client, listener)


@pytest.mark.parametrize("answer", [200, 204, 301, 404, 405, 410, 500, 501, 503])
def test_any_answer_to_the_head_will_do(client: Client, listen: Callable[..., Listener], answer: int) -> None:
    listener = listen()
    listener.misbehave(say_and_close(b"HTTP/1.1 %d X\r\n\r\n" % answer))
    assert client.register(listener.url).status == 200


def test_an_unregistered_listener_is_told_nothing_more(
    daemon: Daemon, client: Client, listen: Callable[..., Listener]
) -> None:
    gone, stays = listen(), listen()
    for listener in (gone, stays):
        assert client.register(listener.url).status == 200
    reply = client.call("DELETE", "/api/v2/register", {"http_client": gone.url})
    assert (reply.status, reply.fields["returnCode"]) == (200, 1901)
    client.post_order(1)
    eventually(lambda: stays.seqs() == [1])
    assert gone.seqs() == []
    assert [shown["url"] for shown in daemon.control("GET", "/listeners")] == [stays.url]
