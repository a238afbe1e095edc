"""The gateway under the restrictions of its unit, as far as they can be set without systemd: all of it works."""

import json
import subprocess
import sys
from pathlib import Path

import trustme

from tests.system import displays
from tests.system.confined import UID, ConfinedDaemon
from tests.system.daemon import eventually
from tests.system.lan import PORT, Lan
from tests.system.test_discovery import CALL

GATEWAY, DISPLAY = "10.77.0.11", "10.77.0.12"


def status_of(daemon: ConfinedDaemon) -> dict[str, str]:
    lines = Path(f"/proc/{daemon.process.pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def call(lan: Lan, daemon: ConfinedDaemon, path: str, **fields: object) -> None:
    """Call the API from elsewhere on the network."""
    line = ["ip", "netns", "exec", lan.name, sys.executable, "-c", CALL, f"http://{GATEWAY}:{PORT}/api/v2/{path}"]
    subprocess.run([*line, daemon.secret, json.dumps(fields)], check=True, timeout=20)  # noqa: S603


def test_it_serves_delivers_by_http_and_https_finds_names_is_found_and_starts_again(lan: Lan, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("display.test").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "display.pem"))
    folder = tmp_path / "gateway"
    folder.mkdir()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    display = lan.join(DISPLAY)
    lan.start(sys.executable, displays.__file__, str(tmp_path), DISPLAY, where=display.name)
    settings = f'[callbacks]\nca_file = "{folder / "authority.pem"}"\n'
    daemon = ConfinedDaemon(folder, lan.join(GATEWAY), settings, DISPLAY)

    def told() -> list[list[object]]:
        file = tmp_path / "told"
        return sorted(json.loads(line) for line in file.read_text().splitlines()) if file.exists() else []

    try:
        daemon.start()
        status = status_of(daemon)
        assert set(status["Uid"].split()) == set(status["Gid"].split()) == {str(UID)}
        assert {status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
        assert (status["NoNewPrivs"], status["Seccomp"], status["Groups"]) == ("1", "2", "")
        mounts = [line.split() for line in Path(f"/proc/{daemon.process.pid}/mountinfo").read_text().splitlines()]
        writable = {mount[4] for mount in mounts if mount[5].startswith("rw")}
        assert {"/", "/usr", "/etc"}.isdisjoint(writable)
        assert str(daemon.state) in writable

        call(lan, daemon, "register", http_client=f"http://display.test:{displays.HTTP}/orders")
        call(lan, daemon, "register", http_client=f"https://display.test:{displays.HTTPS}/orders")
        call(lan, daemon, "activeorders", name="66", orderType="TO_GO")
        eventually(lambda: told() == [["http", 1], ["https", 1]])
        eventually(lambda: lan.places() == [("ttgateway", GATEWAY)], 20.0)

        daemon.stop()
        daemon.begin()
        eventually(lambda: bool((daemon.state / "control.sock").exists() and daemon.runs))
        eventually(lambda: "serves at" in daemon.log().rpartition("has stopped")[2])
        call(lan, daemon, "activeorders", name="67", orderType="TO_GO")
        eventually(lambda: told() == [["http", 1], ["http", 2], ["https", 1], ["https", 2]])
        daemon.stop()
        assert not daemon.complaints(), daemon.log()
        assert "Permission denied" not in daemon.log()
        assert "not permitted" not in daemon.log()
    finally:
        daemon.end()
