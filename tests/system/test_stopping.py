"""Who waits for an answer when the gateway is told to stop gets one."""

from collections.abc import Callable

from tests.system.daemon import Client, Daemon, eventually
from tests.system.hostility import hang
from tests.system.listeners import Listener


def test_a_registration_and_a_wait_for_changes_are_answered_and_nothing_is_logged_as_an_error(
    daemon: Daemon, listen: Callable[..., Listener]
) -> None:
    listener = listen()
    listener.manners = hang
    reader, device = daemon.client(), daemon.client()
    assert reader.call("GET", "/api/v2/events?since=0").status == 200
    reader.send("GET", "/api/v2/events?since=0&wait=20")
    device.send("POST", "/api/v2/register", {"http_client": listener.url})
    eventually(lambda: listener.heads)
    daemon.stop()
    refused = device.receive()
    assert (refused.status, refused.fields["returnCode"]) == (503, -904)
    nothing = reader.receive()
    assert (nothing.status, nothing.fields["items"]) == (200, [])
    assert not [line for line in daemon.log().splitlines() if "#error]" in line]
    reader.close()
    device.close()


def test_while_a_last_delivery_is_under_way_no_order_is_taken_on_a_kept_connection(
    daemon: Daemon, client: Client, listen: Callable[..., Listener]
) -> None:
    listener = listen()
    client.register(listener.url)
    listener.held.clear()
    assert client.post_order(1).status == 200
    eventually(lambda: listener.told)
    daemon.terminate()
    eventually(lambda: not daemon.serves())
    refused = client.post_order(2)
    assert (refused.status, refused.fields["returnCode"]) == (503, -904)
    listener.held.set()
    daemon.wait()
