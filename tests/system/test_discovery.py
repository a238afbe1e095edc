"""The gateway on a real network: found by avahi and by ``ttgateway discover``, wherever it moves, until it leaves."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.daemon import eventually
from tests.system.lan import PORT, Lan, Member, StoreDaemon

ANNOUNCED_WITHIN = 20.0
MOVED_WITHIN = 35.0
GONE_WITHIN = 5.0

HOLD_THE_PORT = "import socket, time; s = socket.socket(2, 2); s.bind(('', 5353)); time.sleep(100)"

NOISE = """
import os, random, socket
s = socket.socket(2, 2)
s.setsockopt(0, 32, socket.inet_aton('10.77.0.1'))
for n in range(3000):
    head = bytes([n % 256, 0, random.choice([0, 0x84]), 0, 0, n % 4, 0, n % 7, 0, n % 3, 0, n % 5])
    name = b'\\x09ttgateway\\x0d_tracker-http\\x04_tcp\\x05local\\x00\\x00\\x21\\x80\\x01\\x00\\x00\\x00\\x78'
    s.sendto((head + name * (n % 2) + os.urandom(random.randrange(300))), ('224.0.0.251', 5353))
"""

LISTENER = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Listener(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    do_POST = do_HEAD
HTTPServer(("", 9000), Listener).serve_forever()
"""

CALL = """
import json, sys, urllib.request
url, secret, body = sys.argv[1:]
headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=10).read()
"""

ANNOUNCE = """
from zeroconf import ServiceInfo, Zeroconf
with Zeroconf(interfaces=["10.77.0.12"]) as zeroconf:
    zeroconf.register_service(
        ServiceInfo("_http._tcp.local.", "d._http._tcp.local.", 9000, parsed_addresses=["10.77.0.12"])
    )
"""


@pytest.fixture
def gateway(lan: Lan, tmp_path: Path) -> Iterator[Callable[[Member], StoreDaemon]]:
    """Start gateways on machines of the network; in the end each has ended well, and logged no traceback."""
    made: list[StoreDaemon] = []

    def start(member: Member) -> StoreDaemon:
        folder = tmp_path / member.name
        folder.mkdir()
        made.append(StoreDaemon(folder, member))
        made[-1].start()
        return made[-1]

    try:
        yield start
        for daemon in made:
            if daemon.runs:
                daemon.stop()
            assert not daemon.complaints(), daemon.log()
    finally:
        for daemon in made:
            daemon.end()


def test_it_is_found_wherever_it_moves_until_it_says_goodbye(
    lan: Lan, gateway: Callable[[Member], StoreDaemon]
) -> None:
    member = lan.join("10.77.0.11")
    daemon = gateway(member)
    eventually(lambda: lan.places() == [("ttgateway", "10.77.0.11")], ANNOUNCED_WITHIN)
    [found] = lan.found()
    assert found.port == str(PORT)
    assert found.host.startswith("ttgateway-")
    assert '"path=/api/v2"' in found.text
    assert "Announced on the network as ttgateway at 10.77.0.11, port 8000" in daemon.log()

    [shown] = json.loads(lan.discover("--seconds", "2", "--json").stdout)
    assert (shown["name"], shown["address"], shown["port"]) == ("ttgateway", "10.77.0.11", PORT)

    member.take("10.77.0.99")
    eventually(lambda: lan.places() == [("ttgateway", "10.77.0.99")], MOVED_WITHIN)

    assert daemon.stop() < 5
    eventually(lambda: lan.places() == [], GONE_WITHIN)
    gone = lan.discover("--seconds", "1")
    assert gone.returncode == 1
    assert gone.stderr == "ttgateway: no gateway has announced itself on this network within 1 s\n"


def test_two_of_one_name_are_both_found(lan: Lan, gateway: Callable[[Member], StoreDaemon]) -> None:
    for address in ("10.77.0.11", "10.77.0.12"):
        gateway(lan.join(address))
    eventually(lambda: sorted(name for name, _ in lan.places()) == ["ttgateway", "ttgateway-2"], MOVED_WITHIN)
    assert sorted(address for _, address in lan.places()) == ["10.77.0.11", "10.77.0.12"]


def test_two_that_took_one_name_while_they_could_not_hear_each_other_are_both_found(
    lan: Lan, gateway: Callable[[Member], StoreDaemon]
) -> None:
    members = [lan.join("10.77.0.11"), lan.join("10.77.0.12")]
    members[1].separate()
    daemons = [gateway(member) for member in members]
    eventually(lambda: all("Announced on the network as ttgateway at " in one.log() for one in daemons))
    members[1].rejoin()
    eventually(lambda: sorted(name for name, _ in lan.places()) == ["ttgateway", "ttgateway-2"], MOVED_WITHIN)


def test_it_waits_for_an_address_and_for_the_port_of_multicast_dns(
    lan: Lan, gateway: Callable[[Member], StoreDaemon]
) -> None:
    member = lan.join()
    holder = lan.start("python3", "-c", HOLD_THE_PORT, where=member.name)
    daemon = gateway(member)
    eventually(lambda: "Not announced on the network: this machine has no address" in daemon.log())
    member.take("10.77.0.11")
    eventually(lambda: "trying again: address already in use" in daemon.log(), ANNOUNCED_WITHIN)
    holder.kill()
    eventually(lambda: lan.places() == [("ttgateway", "10.77.0.11")], MOVED_WITHIN)


def test_noise_on_the_network_does_not_shake_it(lan: Lan, gateway: Callable[[Member], StoreDaemon]) -> None:
    gateway(lan.join("10.77.0.11"))
    eventually(lambda: len(lan.places()) == 1, ANNOUNCED_WITHIN)
    assert lan.start("python3", "-c", NOISE).wait(30) == 0
    assert [address for _, address in lan.places()] == ["10.77.0.11"]


def test_a_listener_whose_machine_announces_itself_is_tried_at_once(
    lan: Lan, gateway: Callable[[Member], StoreDaemon]
) -> None:
    display = lan.join("10.77.0.12")
    daemon = gateway(lan.join("10.77.0.11"))
    url = "http://10.77.0.12:9000/"

    def call(path: str, **body: str) -> int:
        line = ["python3", "-c", CALL, f"http://10.77.0.11:{PORT}/api/v2/{path}", daemon.secret, json.dumps(body)]
        return lan.start(*line).wait(20)

    listener = lan.start("python3", "-c", LISTENER, where=display.name)
    eventually(lambda: call("register", http_client=url) == 0, ANNOUNCED_WITHIN)
    listener.kill()
    listener.wait(10)
    assert call("activeorders", name="66", orderType="TO_GO") == 0
    eventually(lambda: (daemon.account(url)["nextAttemptSeconds"] or 0) > 8, MOVED_WITHIN)  # of about 10
    lan.start("python3", "-c", LISTENER, where=display.name)
    lan.start(sys.executable, "-c", ANNOUNCE, where=display.name)
    eventually(lambda: daemon.account(url)["delivered"] == 1, within=6)
