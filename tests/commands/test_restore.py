import os
from pathlib import Path

import pytest

from tests.commands.stand_ins import House
from tests.commands.stored import stored
from tests.store.files import clock_at, shop_in
from tests.support import result_of
from ttgateway.commands.backup import backup
from ttgateway.commands.restore import restore
from ttgateway.store import opening


@pytest.fixture
def house(tmp_path: Path) -> House:
    return stored(tmp_path / "state")


def test_back_to_a_copy_says_what_serves_what_is_kept_and_what_is_lost(house: House, tmp_path: Path) -> None:
    house.stop_daemon()
    house.invoke(backup, str(tmp_path / "copy.db"))
    shop = shop_in(house.console.state_dir, clock_at())
    shop.post("3")
    result_of(shop.store.stop())
    result = house.invoke(restore, str(tmp_path / "copy.db"))
    assert result.exit_code == 0, result.output
    assert "2 active orders" in result.stderr
    assert f"kept in {house.console.state_dir / 'replaced' / '1'}" in result.stderr
    assert "LOST to the gateway: its 1 newest changes" in result.stderr
    assert "The secrets are those of the store that was there" in result.stderr
    again = house.invoke(restore, str(house.console.state_dir / "replaced" / "1" / opening.FILE))
    assert "LOST" not in again.stderr


def test_while_a_gateway_runs_nothing_is_restored(house: House, tmp_path: Path) -> None:
    house.stop_daemon()
    house.invoke(backup, str(tmp_path / "copy.db"))
    held = opening.lock(house.console.state_dir)
    try:
        result = house.invoke(restore, str(tmp_path / "copy.db"))
    finally:
        os.close(held)
    state = house.console.state_dir
    assert result.exit_code == 75
    assert result.stderr == f"ttgateway: {state}: a gateway runs on this state directory; stop it first\n"


@pytest.mark.parametrize(("content", "code"), [(b"", 65), (b"x" * 5000, 65), (None, 66)])
def test_what_is_no_copy_is_told_in_one_line(house: House, tmp_path: Path, content: bytes | None, code: int) -> None:
    if content is not None:
        (tmp_path / "copy.db").write_bytes(content)
    result = house.invoke(restore, str(tmp_path / "copy.db"))
    assert (result.exit_code, result.stderr.count("\n")) == (code, 1)
    assert result.stderr.endswith("; nothing was changed\n")


def test_a_damaged_copy_is_told_in_one_line(house: House, tmp_path: Path) -> None:
    house.stop_daemon()
    house.invoke(backup, str(tmp_path / "copy.db"))
    raw = bytearray((tmp_path / "copy.db").read_bytes())
    raw[4096 * 3 + 100] ^= 1
    (tmp_path / "copy.db").write_bytes(raw)
    result = house.invoke(restore, str(tmp_path / "copy.db"))
    assert (result.exit_code, result.stderr.count("\n")) == (65, 1)
    assert "is damaged" in result.stderr


def test_a_copy_that_is_not_there_leaves_no_state_directory_behind(tmp_path: Path) -> None:
    house = House(tmp_path / "state")
    result = house.invoke(restore, str(tmp_path / "copy.db"))
    assert (result.exit_code, list(tmp_path.iterdir())) == (66, [])
    assert result.stderr == f"ttgateway: {tmp_path / 'copy.db'}: No such file or directory; nothing was changed\n"


@pytest.mark.parametrize("name", [opening.FILE, f"{opening.FILE}-wal", "link"])
def test_the_store_itself_is_not_restored(house: House, tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to(house.console.state_dir / opening.FILE)
    file = (tmp_path if name == "link" else house.console.state_dir) / name
    result = house.invoke(restore, str(file))
    assert (result.exit_code, result.stderr) == (2, f"ttgateway: {file}: is the store itself\n")
    assert not (house.console.state_dir / "replaced").exists()
