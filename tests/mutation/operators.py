"""Small faults for a module, one at a time: what a slip of a hand could make of it."""

import ast
import copy
import difflib
from collections.abc import Callable, Iterator
from typing import NamedTuple

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_TEXT = "mutated"


class Mutant(NamedTuple):
    """A module with one fault: its source, and what differs."""

    line: int
    source: str
    difference: str


def mutants(source: str) -> list[Mutant]:
    """Return every mutant of a module's source, each different from it and from the others."""
    tree = ast.parse(source)
    plain = ast.unparse(tree)
    found: dict[str, Mutant] = {}
    for number, node in enumerate(_order(tree)):
        for change in _changes(node):
            mutated = copy.deepcopy(tree)
            change(_order(mutated)[number])
            text = ast.unparse(ast.fix_missing_locations(mutated))
            if text != plain:
                found.setdefault(text, Mutant(getattr(node, "lineno", 0), text, _difference(plain, text)))
    return list(found.values())


def _difference(old: str, new: str) -> str:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def _order(tree: ast.AST) -> list[ast.AST]:
    """Return the nodes that are looked at, in an order that a copy has too: no annotation, no docstring."""
    nodes = [tree]
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list") or _is_slots(tree):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_text_alone(child):
                nodes += _order(child)
    return nodes


def _is_text_alone(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_slots(node: ast.AST) -> bool:
    """Tell whether a statement only says what fields there are: without it all works, and takes more memory."""
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__slots__"


Change = Callable[[ast.AST], None]


def _changes(node: ast.AST) -> Iterator[Change]:
    for kind, operator in _OPERATORS:
        if isinstance(node, kind):
            yield from operator(node)


def _set(field: str, value: object) -> Change:
    return lambda node: setattr(node, field, value)


def _replace(field: str, index: int, value: object) -> Change:
    return lambda node: getattr(node, field).__setitem__(index, value)


def _drop(field: str, index: int) -> Change:
    return lambda node: getattr(node, field).pop(index)


def _comparison(node: ast.Compare) -> Iterator[Change]:
    for index, operator in enumerate(node.ops):
        yield _replace("ops", index, _COMPARISONS[type(operator)]())


def _boolean(node: ast.BoolOp) -> Iterator[Change]:
    yield _set("op", ast.And() if isinstance(node.op, ast.Or) else ast.Or())
    for index in range(len(node.values)):
        if len(node.values) > 2:
            yield _drop("values", index)


def _arithmetic(node: ast.BinOp) -> Iterator[Change]:
    if type(node.op) in _ARITHMETIC:
        yield _set("op", _ARITHMETIC[type(node.op)]())


def _constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield _set("value", not value)
    elif isinstance(value, int | float):
        yield _set("value", value + 1)
    elif isinstance(value, str):
        yield _set("value", _TEXT)
    elif isinstance(value, bytes):
        yield _set("value", _TEXT.encode())


def _condition(node: ast.If | ast.IfExp | ast.While) -> Iterator[Change]:
    yield _set("test", ast.UnaryOp(ast.Not(), node.test))


def _negation(node: ast.UnaryOp) -> Iterator[Change]:
    if isinstance(node.op, ast.Not):
        yield _set("op", ast.Not()) if isinstance(node.operand, ast.UnaryOp) else _without_not


def _without_not(node: ast.AST) -> None:
    assert isinstance(node, ast.UnaryOp)
    node.operand = ast.UnaryOp(ast.Not(), node.operand)


def _result(node: ast.Return) -> Iterator[Change]:
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield _set("value", ast.Constant(None))


def _arguments(node: ast.Call) -> Iterator[Change]:
    texts = [arg for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if len(node.args) > len(texts) and len(node.args) > 1:
        yield _set("args", [node.args[1], node.args[0], *node.args[2:]])
    if len(texts) == len(node.args) > 1:  # a list in all but name, whose order says nothing
        for index in range(len(node.args)):
            yield _drop("args", index)


def _elements(node: ast.Tuple | ast.List | ast.Set) -> Iterator[Change]:
    is_target = isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Store)
    if len(node.elts) > 1 and not is_target:
        yield from (_drop("elts", index) for index in range(len(node.elts)))


def _statements(node: ast.AST) -> Iterator[Change]:
    body: list[ast.stmt] = node.body  # type: ignore[attr-defined]
    for index, statement in enumerate(body):
        removable = ast.Assign | ast.AugAssign | ast.Raise | ast.Delete | ast.Expr | ast.For | ast.Return
        if isinstance(statement, removable) and not _is_text_alone(statement) and not _is_slots(statement):
            yield _replace("body", index, ast.Pass())


_OPERATORS: list[tuple[type[ast.AST] | tuple[type[ast.AST], ...], Callable[..., Iterator[Change]]]] = [
    (ast.Compare, _comparison),
    (ast.BoolOp, _boolean),
    (ast.BinOp, _arithmetic),
    (ast.Constant, _constant),
    ((ast.If, ast.IfExp, ast.While), _condition),
    (ast.UnaryOp, _negation),
    (ast.Return, _result),
    (ast.Call, _arguments),
    ((ast.Tuple, ast.List, ast.Set), _elements),
    ((ast.FunctionDef, ast.AsyncFunctionDef, ast.If, ast.For, ast.With, ast.Try, ast.ExceptHandler), _statements),
]
