import re
from pathlib import Path

import pytest

from ttgateway.staff.assets import Assets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("index.html", "<h1>$name</h1>"), ("a.js", "1"), ("b.css", "2"), ("notes.txt", "3")):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_only_what_a_page_is_made_of_is_served(folder: Path) -> None:
    assets = Assets(folder)
    assert {name: asset.body for name, asset in assets.files.items()} == {"a.js": b"1", "b.css": b"2"}
    assert assets.files["a.js"].kind == "text/javascript; charset=utf-8"
    assert assets.page.substitute(name="x") == "<h1>x</h1>"


def test_another_content_has_another_edition(folder: Path) -> None:
    first = Assets(folder).edition
    assert Assets(folder).edition == first
    (folder / "a.js").write_text("1b")
    second = Assets(folder).edition
    (folder / "a.js").rename(folder / "c.js")
    assert len({first, second, Assets(folder).edition}) == 3


def test_the_page_names_nobody_else() -> None:
    assets = Assets()
    texts = [asset.body.decode() for asset in assets.files.values()] + [assets.page.template]
    named = {address for text in texts for address in re.findall(r"""(?:https?:)?//[\w.-]+\.\w+[^\s"']*""", text)}
    assert named == {"http://www.w3.org/2000/svg"}


def test_no_script_looks_behind() -> None:
    """It would be a syntax error in Safari before 16.4, where nothing would be shown then."""
    assert not [name for name, asset in Assets().files.items() if b"(?<=" in asset.body or b"(?<!" in asset.body]


def test_no_text_becomes_markup_and_no_style_or_script_stands_in_the_page() -> None:
    assets = Assets()
    scripts = "".join(asset.body.decode() for name, asset in assets.files.items() if name.endswith(".js"))
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert way not in scripts
    for way in ("<style", " style=", " onclick=", "<script>"):
        assert way not in assets.page.template
