from pathlib import Path
from typing import Any

import msgspec
import pytest

from ttgateway.commands.checks.settings import look
from ttgateway.settings import Settings, parse

TEXT = 'name = "kitchen"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(TEXT)
    return path


def view(config: Path | str, text: str = TEXT) -> dict[str, Any]:
    return {"config": str(config), "settings": msgspec.to_builtins(parse(text))}


def test_without_a_file_the_defaults_hold() -> None:
    for seen in (None, view("", "")):
        [finding], chosen = look(None, seen)
        assert (finding.severity, chosen) == ("ok", Settings())


@pytest.mark.parametrize("named", [True, False], ids=["by the operator", "by the gateway"])
def test_a_file_that_is_right_is_well(file: Path, named: bool) -> None:
    [finding], chosen = look(file if named else None, None if named else view(file))
    assert finding.severity == "ok"
    assert chosen is not None
    assert chosen.name == "kitchen"


def test_one_that_was_changed_since_the_start_wants_a_restart(file: Path) -> None:
    [finding], _ = look(None, view(file, 'name = "bar"'))
    assert finding.severity == "warning"
    assert "systemctl restart" in finding.do


@pytest.mark.parametrize(
    ("text", "says"),
    [("nam = 1", "nam: no such key"), ("name = ", "not TOML"), ('callbacks.allow = ["home"]', "a network like")],
)
def test_one_that_cannot_be_used_is_a_fault_that_names_the_line(file: Path, text: str, says: str) -> None:
    file.write_text(text)
    [finding], chosen = look(file, None)
    assert (finding.severity, chosen) == ("fault", None)
    assert finding.what.startswith(f"{file}: ")
    assert says in finding.what
    assert finding.do.startswith("Correct that line")


def test_one_that_is_not_there_or_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    for path, do in ((tmp_path / "gone", "Put the file there"), (tmp_path, "Look at")):
        [finding], chosen = look(path, None)
        assert (finding.severity, chosen) == ("fault", None)
        assert "cannot be read" in finding.what
        assert finding.do.startswith(do)


def test_a_file_of_authorities_that_cannot_be_used_is_a_fault(file: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for name, says in (("gone.pem", "No such file"), ("empty.pem", "holds no certificate")):
        file.write_text(f'callbacks.ca_file = "{tmp_path / name}"')
        [finding], _ = look(file, None)
        assert finding.severity == "fault"
        assert says in finding.what
