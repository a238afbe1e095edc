from pathlib import Path

import pytest

from tests.commands.stand_ins import House
from tests.commands.stored import stored
from tests.support import AtOnce, OnDemand
from ttgateway.commands.backup import backup
from ttgateway.store import opening
from ttgateway.store.copies.backups import Backups
from ttgateway.store.disk import LEAST_FREE, NoDisk


@pytest.fixture
def house(tmp_path: Path) -> House:
    return stored(tmp_path / "state")


def serving(house: House, executor: AtOnce | OnDemand) -> Backups:
    """Let the daemon of the house make copies of the store in the state directory."""
    state = house.console.state_dir
    house.store.backups = Backups(state / "backups", executor, state / opening.FILE, NoDisk())
    return house.store.backups


def left(house: House) -> list[str]:
    return sorted(str(path.relative_to(house.console.state_dir)) for path in house.console.state_dir.rglob("*.db*"))


def test_without_a_daemon_the_copy_tells_what_it_holds_and_is_its_owners_alone(house: House, tmp_path: Path) -> None:
    house.stop_daemon()
    result = house.invoke(backup, str(tmp_path / "copy.db"))
    assert result.exit_code == 0, result.output
    assert "2 active orders, 2 in all, 2 changes, 0 listeners, 0 secrets; last seq 2" in result.stdout
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "state"]


def test_with_a_daemon_the_copy_is_made_by_it_and_taken_from_its_state_directory(house: House, tmp_path: Path) -> None:
    executor = OnDemand()
    backups = serving(house, executor)
    house.reactor.callLater(1.0, executor.step)
    result = house.invoke(backup, str(tmp_path / "copy.db"))
    assert result.exit_code == 0, result.output
    assert "2 active orders" in result.stdout
    assert backups.asked is None
    assert left(house) == [opening.FILE]


def test_a_daemon_that_cannot_copy_says_why_in_one_line(house: House, tmp_path: Path) -> None:
    serving(house, AtOnce())
    (house.console.state_dir / "backups").write_bytes(b"in the way")
    result = house.invoke(backup, str(tmp_path / "copy.db"))
    assert result.exit_code == 1
    assert result.stderr.startswith("ttgateway: the gateway cannot copy its store: ")
    assert not (tmp_path / "copy.db").exists()


def test_a_gateway_in_memory_has_nothing_to_copy(house: House, tmp_path: Path) -> None:
    result = house.invoke(backup, str(tmp_path / "copy.db"))
    assert (result.exit_code, result.stderr) == (1, "ttgateway: The store is in memory only.\n")


def test_two_at_once_are_refused_one(house: House, tmp_path: Path) -> None:
    serving(house, OnDemand()).ask()
    result = house.invoke(backup, str(tmp_path / "copy.db"))
    assert (result.exit_code, result.stderr) == (1, "ttgateway: A copy is being made already.\n")


def test_ctrl_c_leaves_no_file(house: House, tmp_path: Path) -> None:
    serving(house, OnDemand())
    house.reactor.callLater(1.0, house.ending.ask)
    result = house.invoke(backup, str(tmp_path / "copy.db"))
    assert (result.exit_code, result.stderr) == (1, "ttgateway: interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_what_is_there_stays_unless_it_is_to_be_replaced(house: House, tmp_path: Path) -> None:
    house.stop_daemon()
    (tmp_path / "copy.db").write_bytes(b"mine")
    result = house.invoke(backup, str(tmp_path / "copy.db"))
    assert (result.exit_code, (tmp_path / "copy.db").read_bytes()) == (73, b"mine")
    assert house.invoke(backup, str(tmp_path / "copy.db"), "--force").exit_code == 0
    assert (tmp_path / "copy.db").read_bytes() != b"mine"


def test_the_store_itself_is_never_replaced(house: House) -> None:
    house.stop_daemon()
    before = (house.console.state_dir / opening.FILE).read_bytes()
    result = house.invoke(backup, str(house.console.state_dir / "." / opening.FILE), "--force")
    assert result.exit_code == 2
    assert (house.console.state_dir / opening.FILE).read_bytes() == before


def test_a_folder_that_is_not_there_is_told_in_one_line(house: House, tmp_path: Path) -> None:
    for there in (True, False):
        if there:
            serving(house, AtOnce())
        else:
            house.stop_daemon()
        result = house.invoke(backup, str(tmp_path / "no" / "copy.db"))
        assert (result.exit_code, result.stderr.count("\n")) == (73, 1)
        assert result.stderr == f"ttgateway: {tmp_path / 'no' / 'copy.db'}: no such file or directory\n"


@pytest.mark.parametrize("runs", [True, False])
def test_of_a_newer_gateways_store_the_store_is_named(house: House, tmp_path: Path, runs: bool) -> None:
    store = house.console.state_dir / opening.FILE
    db = opening.connect(str(store))
    db.pragma("user_version", 99)
    db.close()
    serving(house, AtOnce())
    if not runs:
        house.stop_daemon()
    result = house.invoke(backup, str(tmp_path / "copy.db"))
    assert (result.exit_code, result.stderr.count("\n")) == (78, 1)
    assert result.stderr.startswith(f"ttgateway: {store}: was written by a newer ttgateway")


def test_where_the_daemon_has_no_room_for_a_copy_the_exit_code_tells_it(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving(house, OnDemand())
    monkeypatch.setattr(NoDisk, "free", lambda disk: LEAST_FREE)
    result = house.invoke(backup, str(tmp_path / "copy.db"))
    assert (result.exit_code, result.stderr.count("\n")) == (73, 1)
    assert result.stderr.startswith(f"ttgateway: No room for a copy in {house.console.state_dir / 'backups'}: ")


def test_a_damaged_store_makes_no_copy(house: House, tmp_path: Path) -> None:
    house.stop_daemon()
    path = house.console.state_dir / opening.FILE
    raw = bytearray(path.read_bytes())
    raw[4096 * 3 + 100] ^= 1
    path.write_bytes(raw)
    result = house.invoke(backup, str(tmp_path / "copy.db"))
    assert result.exit_code != 0
    assert "damaged" in result.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


def test_a_state_directory_without_a_store_has_no_copy(tmp_path: Path) -> None:
    house = House(tmp_path / "state")
    house.stop_daemon()
    result = house.invoke(backup, str(tmp_path / "copy.db"))
    assert "no gateway has its state there" in result.stderr
    assert not house.console.state_dir.exists()


def test_a_file_that_cannot_be_looked_for_is_told_in_one_line(house: House, tmp_path: Path) -> None:
    result = house.invoke(backup, str(tmp_path / ("x" * 300)))
    assert result.exit_code == 73
    assert result.stderr.splitlines()[-1].endswith(": file name too long")
    assert "Traceback" not in result.output
