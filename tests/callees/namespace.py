"""A world of its own for the daemon: namespaces in which every address is here, and the resolver asks us."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.callees import dns
from tests.callees.addresses import OWN, ROUTER

_INSIDE = "TTGATEWAY_CALLEES_INSIDE"

_HOSTS = """127.0.0.1 localhost localhost.localdomain
::1 ip6-localhost ip6-loopback
"""


def enter() -> None:
    """Go into namespaces of our own (network, mounts, processes), by starting this command anew; returns inside.

    The network has a veth with the gateway's address and a default route; and every other address is local ("AnyIP"),
    so that whoever is called is here. When this process ends, all in it end. Needs root.
    """
    if os.environ.get(_INSIDE) != "1":
        command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        os.environ[_INSIDE] = "1"
        os.execvp("unshare", [*command, sys.executable, "-m", "tests.callees", *sys.argv[1:]])  # noqa: S606, S607
    for line in (
        *("link set lo up", "link add lan0 type veth peer name lan1", "link set lan0 up", "link set lan1 up"),
        *(f"addr add {OWN}/24 dev lan0", f"route add default via {ROUTER}"),
        *(
            "route add local 0.0.0.0/1 dev lo",
            "route add local 128.0.0.0/2 dev lo",
            "route add local 192.0.0.0/3 dev lo",
        ),
        *(f"route add local {ROUTER} dev lo", "route add local 240.0.0.0/4 dev lo", "-6 route add local ::/0 dev lo"),
    ):
        _run("ip", *line.split())
    files = {
        "/etc/resolv.conf": f"nameserver {dns.AT[0]}\noptions timeout:1 attempts:2\n",
        "/etc/hosts": _HOSTS,
        "/etc/nsswitch.conf": "hosts: files dns\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            ours = Path(folder) / Path(path).name
            ours.write_text(text)
            _run("mount", "--bind", str(ours), path)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=20)  # noqa: S603
