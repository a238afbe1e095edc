"""What a stranger installs works: the wheel in a fresh environment, and a tree that is installed to be worked on.

These tests install packages, and so need the package registry.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.daemon import Daemon
from tests.system.listeners import Listener
from ttgateway import __version__

ROOT = Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(".*", "*.egg-info", "build", "dist", "__pycache__", "ttgateway-state")
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}

pytestmark = pytest.mark.timeout(400)


def run(*command: str | Path, cwd: Path = Path("/")) -> str:
    """Run a command that must work; return what it prints."""
    ended = subprocess.run(  # noqa: S603
        [str(part) for part in command], cwd=cwd, env=CLEAN, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def fresh_environment(folder: Path) -> Path:
    """Return the ``bin`` of a new virtual environment."""
    run(sys.executable, "-m", "venv", folder)
    return folder / "bin"


def pip(binaries: Path, *arguments: str | Path, cwd: Path = Path("/")) -> None:
    """Let the environment's pip do something."""
    run(binaries / "python", "-m", "pip", "--disable-pip-version-check", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source tree: a build leaves traces in it."""
    copy = tmp_path_factory.mktemp("source") / "tree"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    return copy


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", folder, tree)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of a fresh environment in which the wheel is installed."""
    binaries = fresh_environment(tmp_path_factory.mktemp("installed") / "environment")
    pip(binaries, "install", "--quiet", wheel)
    return binaries


@pytest.fixture(scope="module")
def editable(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of a fresh environment in which the tree is installed to be worked on."""
    binaries = fresh_environment(tmp_path_factory.mktemp("editable") / "environment")
    pip(binaries, "install", "--quiet", "-e", ".", cwd=tree)
    return binaries


@pytest.fixture(params=["installed", "editable"])
def binaries(request: pytest.FixtureRequest) -> Path:
    """Either of the two."""
    return Path(request.getfixturevalue(request.param))


@pytest.fixture
def daemon(binaries: Path, tmp_path: Path) -> Iterator[Daemon]:
    """The installed daemon, started in another folder."""
    daemon = Daemon(tmp_path, twistd=binaries / "twistd", cwd=Path("/")).start()
    try:
        yield daemon
        daemon.stop()
        assert not daemon.complaints()
    finally:
        daemon.end()


def test_the_wheel_holds_the_package_the_plugin_and_the_schema_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert f"ttgateway-{__version__}-" in wheel.name
    assert "twisted/plugins/ttgateway_plugin.py" in names
    assert not {"twisted/__init__.py", "twisted/plugins/__init__.py"} & names
    assert {"ttgateway/py.typed", "ttgateway/tap.py", "ttgateway/control/server.py"} <= names
    assert [name for name in names if name.startswith("ttgateway/store/schema/") and name.endswith(".sql")]
    assert {name.split("/")[0] for name in names} == {"ttgateway", "twisted", f"ttgateway-{__version__}.dist-info"}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "ttgateway").rglob("*.py")}
    assert sources <= names
    page = {str(path.relative_to(ROOT)) for path in (ROOT / "ttgateway/staff/static").iterdir()}
    assert page <= names


def test_the_wheel_carries_the_licence_and_the_readme(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        licences = [name for name in opened.namelist() if name.endswith("/LICENSE")]
        metadata = opened.read(f"ttgateway-{__version__}.dist-info/METADATA").decode()
    assert licences
    assert "License-Expression: MIT" in metadata or "License: MIT" in metadata
    assert "Description-Content-Type: text/x-rst" in metadata


def test_the_source_distribution_holds_all_that_tests_documentation_and_packages_are_made_of(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--sdist", "--outdir", tmp_path, ROOT)
    (made,) = tmp_path.iterdir()
    with tarfile.open(made) as opened:
        held = {name.partition("/")[2] for name in opened.getnames()}
    left_out = {"__pycache__", "_build", "dropin.cache"}
    folders = (".ci", "bench", "debian", "docs", "etc", "examples", "newsfragments", "tests", "ttgateway", "twisted")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    files += [ROOT / name for name in ("CONTRIBUTING.rst", "LICENSE", "Makefile", "NEWS.rst", "pyproject.toml")]
    assert {str(path.relative_to(ROOT)) for path in files if not left_out & set(path.parts)} <= held
    assert not [name for name in held if name.endswith((".pyc", "dropin.cache")) or name.startswith((".venv", "dist"))]


def test_nothing_in_the_environment_contradicts_what_we_require(binaries: Path) -> None:
    pip(binaries, "check")


def test_twistd_lists_the_gateway(binaries: Path) -> None:
    assert "    ttgateway  " in run(binaries / "twistd", "--help")
    assert __version__ in run(binaries / "twistd", "ttgateway", "--version")


def test_the_command_line_is_there(binaries: Path) -> None:
    assert "token" in run(binaries / "ttgateway", "--help")


def test_it_starts_from_another_folder_serves_delivers_and_stops(daemon: Daemon) -> None:
    listener = Listener().open()
    client = daemon.client()
    try:
        gateway = client.call("GET", "/api/v2").fields["gateway"]
        assert gateway["version"] == __version__
        assert client.register(listener.url).status == 200
        assert client.post_order(66).status == 200
        daemon.stop()
        assert listener.seqs() == [1]
        daemon.start()
        client.close()
        assert client.call("GET", "/api/v2/activeorders").fields["count"] == 1
    finally:
        client.close()
        listener.close()
