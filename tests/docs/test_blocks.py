"""No block of the documentation is unseen: it is walked through, held against the code here, run by a test that is
named, or says why it cannot be run.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, blocks, pages
from tests.docs.test_walks import PAGES as WALKED
from ttgateway.settings import parse

README = "README.rst"
"""Its commands, and what they show, are the walk of ``tests/system/test_readme.py``."""

BLOCKS = [block for page in pages() for block in blocks(page)]
TESTS = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))


def kind(block: Block) -> str:
    """Return the language of a block, also where the page does not say."""
    if block.language == "" and block.text.startswith("[Service]"):
        return "ini"
    if block.language == "" and re.fullmatch(r"\{.*\}", block.text):
        return "json"
    return block.language


def of_kind(language: str) -> list[Block]:
    found = [block for block in BLOCKS if kind(block) == language]
    assert found
    return found


def is_seen(block: Block) -> bool:
    """Tell whether a test takes a block, or it says why none can."""
    if block.mark("not run, ") or block.mark("run by ") or block.page == README:
        return True
    if kind(block) in ("json", "toml", "ini", "yaml", "file"):
        return True  # below
    walked = ROOT / block.page in WALKED
    placed = any(mark.endswith(" shows") for mark in block.marks) or block.mark("type in ") or block.mark("file ")
    return walked and (block.language in ("sh", "console") or bool(placed))


def test_each_block_is_seen() -> None:
    unseen = [f"{block.place}: {block.text.partition(chr(10))[0]}" for block in BLOCKS if not is_seen(block)]
    assert not unseen, "say in a comment what becomes of these blocks (tests/docs/pages.py tells how)"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_no_block_is_announced_in_a_way_that_we_do_not_look_for(page: Path) -> None:
    assert not re.search(r"^ *\.\. (code|sourcecode|parsed-literal|doctest|prompt)::", page.read_text(), re.MULTILINE)


@pytest.mark.parametrize("block", [one for one in BLOCKS if one.mark("run by ")], ids=lambda block: block.place)
def test_the_test_that_is_said_to_run_it_is_there(block: Block) -> None:
    assert (ROOT / str(block.mark("run by "))).is_file()


@pytest.mark.parametrize("block", [one for one in BLOCKS if one.marks], ids=lambda block: block.place)
def test_each_mark_is_one_that_is_understood(block: Block) -> None:
    known = r"(in|file|type in|Ctrl-[CD] in|with|after|run by) \S.*|.* shows|not run, .*"
    assert all(re.fullmatch(known, mark) for mark in block.marks), block.marks
    ours = ROOT / block.page in WALKED
    assert ours or all(mark.startswith(("not run, ", "run by ")) for mark in block.marks), "nobody walks this page"


@pytest.mark.parametrize("block", of_kind("json"), ids=lambda block: block.place)
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", of_kind("toml"), ids=lambda block: block.place)
def test_settings_can_be_used(block: Block) -> None:
    assert tomllib.loads(block.text)
    parse(block.text)


@pytest.mark.parametrize("block", of_kind("ini"), ids=lambda block: block.place)
def test_what_is_added_to_the_unit_is_known_to_systemd(block: Block, tmp_path: Path) -> None:
    unit = (ROOT / "etc/ttgateway.service").read_text()
    unit = re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", unit, flags=re.MULTILINE)
    (tmp_path / "ttgateway.service").write_text(unit)
    (tmp_path / "ttgateway.socket").write_text((ROOT / "etc/ttgateway.socket").read_text())
    (tmp_path / "ttgateway.service.d").mkdir()
    (tmp_path / "ttgateway.service.d" / "override.conf").write_text(block.text + "\n")
    line = ["systemd-analyze", "verify", str(tmp_path / "ttgateway.service")]
    ran = subprocess.run(line, check=False, capture_output=True, text=True, timeout=60)  # noqa: S603
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("block", of_kind("yaml"), ids=lambda block: block.place)
def test_what_prometheus_is_to_look_at_is_measured(block: Block) -> None:
    measured = (ROOT / "ttgateway/metrics.py").read_text()
    for name, label in re.findall(r"\bttgateway_(\w+)(?:\{(\w+))?", block.text):
        assert re.search(f'"(ttgateway_)?({name}|{name.removesuffix("_total")})"', measured), name
        assert not label or f'"{label}"' in measured, label


@pytest.mark.parametrize("block", of_kind("file"), ids=lambda block: block.place)
def test_a_program_that_is_shown_is_run_by_a_test(block: Block) -> None:
    program = (ROOT / block.page).parent / block.text
    assert program.is_file()
    assert program.name in TESTS or program.name in (ROOT / README).read_text()
