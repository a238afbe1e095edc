"""The whole day of a kitchen display, in the network namespace that this process has: run by `test_display_day`.

``python -m tests.system.display_day FOLDER`` makes an interface with a cable to nowhere, starts a daemon, and ends with
0 if all went as it should.
"""

import random
import subprocess
import sys
from pathlib import Path

from tests.system.daemon import TWISTD, Daemon, eventually
from tests.system.display import Display, find

ADDRESS = "10.77.0.1"
COMMAND = Path(sys.executable).with_name("ttgateway")


class LanDaemon(Daemon):
    """A daemon that the network can reach, and that is announced there."""

    def command(self) -> list[str]:
        """Return the command line."""
        where = ["--listen", f"tcp:{self.port}", "--state-dir", str(self.state)]
        return [str(TWISTD), "-n", "--pidfile=", "ttgateway", *where]


def ip(*words: str) -> None:
    """Configure the network of this namespace."""
    subprocess.run(["ip", *words], check=True)  # noqa: S603, S607


def operate(daemon: Daemon, *words: str) -> str:
    """Run the operator's command; return its last line."""
    line = [str(COMMAND), "--state-dir", str(daemon.state), *words]
    ended = subprocess.run(line, check=True, capture_output=True, text=True, timeout=30)  # noqa: S603
    return ended.stdout.strip().rpartition("\n")[2]


def morning(daemon: Daemon) -> Display:
    """The display finds the gateway, polls it, and gets a token once the button is pressed."""
    display = Display(*find(ADDRESS))
    for _ in range(3):
        assert display.good("GET", "/api/v2")["gateway"]["version"]
    generate = "/api/v2/accesstoken/generate?name=Kitchen%201"
    status, refused = display.ask("GET", generate)
    assert (status, refused["returnCode"]) == (403, -3)
    assert refused["message"] == "Time window expired or gateway button not pressed."
    operate(daemon, "button")
    made = display.good("GET", generate)
    assert (made["status"], made["returnCode"], made["token"]["name"]) == (201, 2, "Kitchen 1")
    assert display.ask("GET", generate)[0] == 403  # one token closes the window
    display.secret = made["token"]["token"]
    return display


def lunch(display: Display, till: Display) -> None:
    """Orders come and go; the display is told of each change exactly once, and shows what is so."""
    first = till.good("GET", "/api/v2/events?since=0&limit=100")["last"]
    chance = random.Random(7)  # noqa: S311
    for number in range(300):
        name = str(number % 40 + 1)
        kind = chance.choice(["ON_PREMISE", "TO_GO"])
        if chance.random() < 0.6:
            table = str(chance.randint(1, 90)) if chance.random() < 0.7 else ""
            till.good("POST", "/api/v2/activeorders", {"name": name, "orderType": kind, "locationName": table})
        elif chance.random() < 0.5:
            till.ask("POST", f"/api/v2/activeorders/{name}/page")
        else:
            till.ask("DELETE", f"/api/v2/activeorders/{name}")
    last = till.good("GET", f"/api/v2/events?since={first}")["last"]
    eventually(lambda: len(display.told) >= last - first)
    assert [change["seq"] for change in display.told] == list(range(first + 1, last + 1))
    active = till.good("GET", "/api/v2/activeorders")["items"]
    assert display.shown() == sorted((o["name"], o["state"], o["locationName"], o["paged"]) for o in active)


def afternoon(display: Display) -> None:
    """The display pages a guest, ends that, and clears the order: and is told of its own doings as of all others'."""
    display.good("POST", "/api/v2/activeorders", {"name": "102", "orderType": "ON_PREMISE"})
    paged = display.good("POST", "/api/v2/activeorders/102/guest_paging", {"tracking": True})
    assert (paged["returnCode"], paged["activeorder"]["paged"]) == (7, True)
    canceled = display.good("DELETE", "/api/v2/activeorders/102/guest_paging")
    assert (canceled["returnCode"], canceled["message"]) == (1002, "Paging canceled.")
    cleared = display.good("DELETE", "/api/v2/activeorders/102")
    assert (cleared["returnCode"], cleared["activeorder"]["state"]) == (6, "cleared")
    eventually(lambda: display.told[-1]["state"] == "cleared")
    uuid = cleared["activeorder"]["uuid"]
    assert [(change["type"], change["paged"]) for change in display.told if change["uuid"] == uuid] == [
        ("ORDER_CREATED", False),
        ("ORDER_PAGED", True),
        ("ORDER_MODIFIED", False),
        ("ORDER_MODIFIED", False),
    ]


def evening(daemon: Daemon, display: Display) -> None:
    """The display's token is revoked while it watches: it is told why, and the WebSocket is closed."""
    operate(daemon, "token", "revoke", "Kitchen 1")
    assert display.gone()
    assert (display.refused["status"], display.refused["returnCode"]) == (401, -2)
    assert display.closed == 4401
    status, refused = display.ask("GET", "/api/v2/activeorders")
    assert (status, refused["returnCode"]) == (401, -2)
    assert display.good("GET", "/api/v2")["gateway"]["uptime"] >= 0


def main(folder: Path) -> None:
    """Run the day."""
    ip("link", "set", "lo", "up")
    ip("link", "add", "shop", "type", "veth", "peer", "name", "cable")
    ip("link", "set", "cable", "up")
    ip("address", "add", f"{ADDRESS}/24", "dev", "shop")
    ip("link", "set", "shop", "up", "multicast", "on")
    ip("route", "add", "default", "dev", "shop")
    daemon = LanDaemon(folder).start()
    try:
        till = Display(ADDRESS, daemon.port)
        till.secret = daemon.secret
        for name in ("1", "2", "3"):
            till.good("POST", "/api/v2/activeorders", {"name": name, "orderType": "ON_PREMISE"})
        display = morning(daemon)
        display.watch()
        assert len(display.orders) == 3
        lunch(display, till)
        afternoon(display)
        evening(daemon, display)
        daemon.stop()
        assert not daemon.complaints(), daemon.log()
    finally:
        daemon.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
