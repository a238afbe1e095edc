import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.stored import stored
from ttgateway.commands.checks.state import look


@pytest.fixture
def state(tmp_path: Path) -> Path:
    stored(tmp_path / "state")
    (tmp_path / "state").chmod(0o700)
    return tmp_path / "state"


def faults(state: Path) -> dict[str, str]:
    """Return what is wrong, and what to do."""
    found, _ = look(state)
    return {one.what: one.do for one in found if one.severity != "ok"}


def test_one_that_is_its_owners_alone_is_well(state: Path) -> None:
    [finding], _ = look(state)
    assert finding.severity == "ok"
    assert (state / "ballast").exists(), "nothing in it is secret"


def test_one_that_is_open_to_others_is_a_fault(state: Path) -> None:
    state.chmod(0o755)
    assert faults(state) == {f"{state} is open to others (mode 755)": f"chmod 700 {state}"}


def test_what_is_to_be_typed_can_be_where_a_path_has_blanks(tmp_path: Path) -> None:
    state = tmp_path / "store 7; state"
    stored(state)
    state.chmod(0o755)
    (state / "ttgateway.db").chmod(0o644)
    assert set(faults(state).values()) == {f"chmod 700 '{state}'", f"chmod 600 '{state}/ttgateway.db'"}


@pytest.mark.parametrize("name", ["ttgateway.db", "backups/1.db", "ttgateway.db-wal", "corrupt/1/ttgateway.db"])
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o666])
def test_a_file_with_secrets_that_others_can_read_is_a_fault(state: Path, name: str, mode: int) -> None:
    path = state / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    path.chmod(mode)
    assert faults(state) == {f"{path} can be read by others (mode {mode:o})": f"chmod 600 {path}"}


def test_a_file_that_its_owner_cannot_use_is_a_fault(state: Path) -> None:
    (state / "lock").touch()
    (state / "lock").chmod(0o400)
    assert faults(state) == {f"{state / 'lock'} cannot be used by its owner (mode 400)": f"chmod 600 {state / 'lock'}"}


def test_a_directory_in_the_place_of_the_lock_is_a_fault(state: Path) -> None:
    lock = state / "lock"
    lock.unlink(missing_ok=True)
    lock.mkdir(mode=0o700)
    assert faults(state) == {f"{lock} is a directory: no gateway can start": f"Move it away: mv {lock} {lock}.away"}


def test_a_file_of_somebody_else_is_a_fault(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root leaves it, who ran a command in place of the gateway's user."""
    path = state / "ttgateway.db"
    belongs(monkeypatch, lambda one: one == path)
    [(what, do)] = faults(state).items()
    assert what.startswith(f"{path} belongs to uid 4000000001, the directory to ")
    assert do.startswith(f"chown {pwd.getpwuid(os.geteuid()).pw_name} {path}, ")


def test_where_all_files_are_one_users_the_directory_is_to_be_that_users(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    belongs(monkeypatch, lambda one: one != state)
    [(what, do)] = faults(state).items()
    assert what.startswith(f"{state} belongs to ")
    assert what.endswith(", all that is in it to uid 4000000001")
    assert do == f"chown 4000000001 {state}, and run commands as that user"


def test_what_root_has_left_is_not_a_reason_to_give_root_the_directory(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    belongs(monkeypatch, lambda one: True, 0)
    real = Path.stat
    monkeypatch.setattr(Path, "stat", lambda self, **how: owned(real(self, **how), 4_000_000_001))
    assert set(faults(state).values()) >= {f"chown 4000000001 {state / 'ttgateway.db'}, and run commands as that user"}


def owned(found: os.stat_result, owner: int) -> os.stat_result:
    return os.stat_result((*found[:4], owner, *found[5:]))


def belongs(monkeypatch: pytest.MonkeyPatch, others: Callable[[Path], bool], owner: int = 4_000_000_001) -> None:
    """Let the files that are ``others`` belong to a user, who has no name."""
    real = Path.lstat

    def lstat(self: Path) -> os.stat_result:
        found = real(self)
        return owned(found, owner) if others(self) else found

    monkeypatch.setattr(Path, "lstat", lstat)


def test_one_that_cannot_be_entered_names_whom_to_be(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    [(what, do)] = faults(state).items()
    assert "permission denied" in what
    assert do.startswith("Run this as ")


def test_one_that_cannot_be_written_is_a_fault(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    [(what, do)] = faults(state).items()
    assert what.startswith(f"{state} cannot be written by ")
    assert do.endswith(f"chmod 700 {state}")


def test_one_that_is_missing_or_no_directory_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert list(faults(tmp_path / "gone")) == [f"{tmp_path / 'gone'} does not exist"]
    assert list(faults(tmp_path / "file")) == [f"{tmp_path / 'file'} is no directory"]
    [(what, _)] = faults(tmp_path / "file" / "state").items()
    assert "not a directory" in what
