import ast

import pytest

from tests.mutation.operators import mutants


def bodies(source: str) -> set[str]:
    return {mutant.source for mutant in mutants(source)}


@pytest.mark.parametrize(
    ("source", "mutated"),
    [
        ("a == b", {"a != b"}),
        ("a < b <= c", {"a <= b <= c", "a < b < c"}),
        ("a in b", {"a not in b"}),
        ("a is None", {"a is not None"}),
        ("a and b", {"a or b"}),
        ("a or b or c", {"a and b and c", "b or c", "a or c", "a or b"}),
        ("a + b", {"a - b"}),
        ("a >> b & c", {"a << b & c", "a >> b | c"}),
        ("x = True", {"x = False"}),
        ("x = 7", {"x = 8"}),
        ("x = 'text'", {"x = 'mutated'"}),
        ("x = b'text'", {"x = b'mutated'"}),
        ("x = not a", {"x = not (not a)"}),
        ("x = {a, b}", {"x = {b}", "x = {a}"}),
        ("f(a, b)", {"f(b, a)"}),
        ("f('a', 'b')", {"f('mutated', 'b')", "f('a', 'mutated')", "f('b')", "f('a')"}),
        ("return a", {"return None"}),
        ("raise a", set()),
        ("x += y", set()),
    ],
)
def test_each_slip_is_made_once(source: str, mutated: set[str]) -> None:
    def within(statement: str) -> str:
        return ast.unparse(ast.parse(f"def f():\n    {statement}\n    g"))

    without_last = within(source).removesuffix("g") + "pass"
    assert bodies(within(source)) == {within(text) for text in mutated | {"pass"}} | {without_last}


def test_a_condition_is_turned_round() -> None:
    assert "def f():\n    if not a:\n        g()" in bodies("def f():\n    if a:\n        g()")


@pytest.mark.parametrize(
    "source",
    ['"""Text."""', "x: int", "__slots__ = ('a', 'b')", "def f() -> 'A':\n    ...", "@a(1)\ndef f():\n    ..."],
)
def test_text_types_and_decorators_are_left_alone(source: str) -> None:
    assert mutants(source) == []


def test_a_mutant_shows_where_it_differs() -> None:
    (mutant,) = [one for one in mutants("a = 1\nb = a < 2") if "<=" in one.source]
    assert (mutant.line, mutant.difference) == (2, "-b = a < 2\n+b = a <= 2")
