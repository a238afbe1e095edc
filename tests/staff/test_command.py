from pathlib import Path

import pytest

from ttgateway.staff.command import open_command

HOME = Path("/home/me/ttgateway")
PROGRAM = HOME / ".venv/bin/ttgateway"


@pytest.fixture(autouse=True)
def nothing_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)


@pytest.mark.parametrize(
    ("directory", "folder", "command"),
    [
        ("ttgateway-state", HOME, ".venv/bin/ttgateway open"),
        (HOME / "ttgateway-state", HOME, ".venv/bin/ttgateway open"),
        ("my state", HOME, ".venv/bin/ttgateway --state-dir 'my state' open"),
        ("/var/lib/ttgateway", Path("/"), "home/me/ttgateway/.venv/bin/ttgateway --state-dir /var/lib/ttgateway open"),
        ("ttgateway-state", Path("/srv"), "/home/me/ttgateway/.venv/bin/ttgateway open"),
    ],
)
def test_the_command_is_what_one_types_where_the_gateway_was_started(
    directory: str | Path, folder: Path, command: str
) -> None:
    assert open_command(Path(directory), PROGRAM, folder) == command


def test_what_is_on_the_path_needs_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: str(PROGRAM))
    assert open_command(Path("ttgateway-state"), PROGRAM, HOME) == "ttgateway open"


def test_another_program_of_that_name_on_the_path_is_not_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/ttgateway")
    assert open_command(Path("ttgateway-state"), PROGRAM, HOME) == ".venv/bin/ttgateway open"
