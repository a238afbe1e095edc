"""The plot."""

from xml.etree import ElementTree

from bench import plot

SVG = "{http://www.w3.org/2000/svg}"


def drawn(**groups: list[float | None]) -> ElementTree.Element:
    return ElementTree.fromstring(plot.bars("a & b", groups, ["one", "two"]))  # noqa: S314


def widths(picture: ElementTree.Element) -> list[float]:
    bars = [bar for bar in picture.iter(f"{SVG}rect") if bar.get("x") == str(plot.LEFT) and bar.get("y") != "32"]
    return [float(bar.attrib["width"]) for bar in bars]


def test_the_scale_is_logarithmic() -> None:
    one, ten, hundred = widths(drawn(a=[1.0, 10.0], b=[100.0, None]))
    assert one == 0
    assert abs(hundred - 2 * ten) < 0.2


def test_what_was_not_measured_has_no_bar() -> None:
    assert len(widths(drawn(a=[3.0, None], b=[None, 4.0]))) == 2


def test_words_are_escaped_and_all_there() -> None:
    words = [text.text for text in drawn(a=[3.0, 250.0]).iter(f"{SVG}text")]
    assert {"a & b", "one", "two", "a", "3.0", "250", "1", "1000"} <= set(words)


def test_all_is_inside() -> None:
    picture = drawn(a=[1.0, 999.0], b=[5.0, 1000.0])
    height = float(picture.attrib["height"])
    assert all(float(text.attrib["y"]) <= height for text in picture.iter(f"{SVG}text"))
    assert all(float(text.attrib["x"]) <= plot.WIDTH - 20 for text in picture.iter(f"{SVG}text"))
