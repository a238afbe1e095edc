"""The import rule of the architecture, and who may meet the reactor and the wall clock."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

PROJECT = Path(__file__).parent.parent
PACKAGE = PROJECT / "ttgateway"


def names_in(tree: ast.AST) -> Iterator[str]:
    """Return each imported name in full, and each name with an attribute (``time.time``)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def modules_that(name: Callable[[str], bool]) -> set[str]:
    """Return the modules in which one of the names is such a one."""
    paths = list(PACKAGE.rglob("*.py"))
    assert len(paths) > 50
    return {
        str(path.relative_to(PACKAGE)) for path in paths if any(map(name, names_in(ast.parse(path.read_text("utf-8")))))
    }


def test_imports_point_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run([linter, "--no-cache"], cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Contracts: " in ended.stdout


def test_the_architecture_draws_the_layers_that_the_linter_holds() -> None:
    contract = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    held = [{name.removeprefix("ttgateway.") for name in layer.split(" | ")} for layer in contract["layers"]]
    drawing = (PROJECT / "docs/architecture.rst").read_text("utf-8").split("**Imports point one way**::")[1]
    block = drawing.split("\n\nWhat stands left")[0]
    drawn = [set(re.findall(r"\w+", layer)) for layer in block.split("->")]
    assert drawn == held


def test_only_the_two_entries_meet_the_reactor() -> None:
    assert modules_that("twisted.internet.reactor".__eq__) == {"tap.py", "commands/cli.py"}


def test_only_the_clock_reads_the_wall_clock() -> None:
    wall = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today", "time.localtime"}
    assert modules_that(wall.__contains__) == {"clock.py"}


def test_the_domain_knows_nothing_but_itself() -> None:
    def foreign(name: str) -> bool:
        return name.startswith("twisted") or (
            name.startswith("ttgateway.") and not name.startswith("ttgateway.orders.")
        )

    assert not {path for path in modules_that(foreign) if path.startswith("orders/")}
