"""The tutorial and the how-tos are walked through as a reader does, each command of theirs; several at a time."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

PAGES = [ROOT / "docs/tutorial.rst", *sorted((ROOT / "docs/howto").glob("*.rst"))]
AT_A_TIME = 3
Walks = dict[Path, "Future[subprocess.CompletedProcess[str]]"]


def walked(page: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.docs.walk", str(page), str(folder)]
    return subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=110)  # noqa: S603


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walks]:
    """All walks, begun."""
    # `make` would install the project from the folder of a walk.
    subprocess.run(["make", "--question", ".venv/run"], check=True, cwd=ROOT, timeout=20)  # noqa: S607
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        yield {page: threads.submit(walked, page, tmp_path_factory.mktemp(page.stem)) for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_it_comes_to_what_the_page_says(page: Path, walks: Walks) -> None:
    ended = walks[page].result()
    assert ended.returncode == 0, ended.stdout + ended.stderr
