"""Every reason that people are told to look for is given somewhere, and every condition is set or said not to be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from desired.reasons import Reason
from reconcilers.decision import Condition

ERRORS = "desired/errors.py"


@pytest.fixture(scope="module")
def parsed(root: Path, modules: list[str]) -> dict[str, ast.Module]:
    return {name: ast.parse((root / name).read_text(encoding="utf-8")) for name in modules}


def made(tree: ast.AST) -> Iterator[ast.expr]:
    """Expressions whose value goes somewhere: not what is only compared with, looked up by, or caught."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Compare() | ast.MatchValue() | ast.MatchClass():
                continue
            case ast.Call(func=ast.Name(id="isinstance")):
                continue
            case ast.ExceptHandler():
                for each in node.body:
                    yield from made(each)
                continue
            case ast.Dict():
                for value in node.values:
                    yield from made(ast.Expr(value))
                continue
        if isinstance(node, ast.expr):
            yield node
        yield from made(node)


def members(trees: dict[str, ast.Module], enum: str) -> set[str]:
    return {
        node.attr
        for tree in trees.values()
        for node in made(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == enum
    }


def reasons_of_errors(trees: dict[str, ast.Module]) -> set[str]:
    """The reasons of those error classes that somebody outside of their module makes."""
    named = {
        node.id
        for name, tree in trees.items()
        if name != ERRORS
        for node in made(tree)
        if isinstance(node, ast.Name)
    }  # fmt: skip
    classes = [node for node in trees[ERRORS].body if isinstance(node, ast.ClassDef)]
    own = {node.name: members({"": ast.Module([node], [])}, "Reason") for node in classes}
    heirs = {node.name: {base.id for base in node.bases if isinstance(base, ast.Name)} for node in classes}
    used = named | {base for name in named for base in heirs.get(name, ())}
    return {reason for name, reasons in own.items() if name in used for reason in reasons}


def test_every_reason_is_given_somewhere(parsed: dict[str, ast.Module]) -> None:
    elsewhere = {name: tree for name, tree in parsed.items() if name not in (ERRORS, "desired/reasons.py")}
    given = members(elsewhere, "Reason") | reasons_of_errors(parsed)
    assert [reason.name for reason in Reason if reason.name not in given] == []


def test_a_condition_that_nothing_sets_is_said_to_be_so(parsed: dict[str, ast.Module], root: Path) -> None:
    page = (root / "docs/status.md").read_text(encoding="utf-8")
    said = r"^(.*) (?:have their names|has its name) already; nothing\nsets (?:them|it) yet\.$"
    sentence = re.search(said, page, re.MULTILINE)
    unset = set(re.findall(r"`(\w+)`", sentence[1])) if sentence else set()
    set_somewhere = members(parsed, "Condition")
    assert {one.value for one in Condition if one.name not in set_somewhere} == unset


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("x = Reason.A", {"A"}),
        ("f(1, reason=Reason.A)", {"A"}),
        ("if x is Reason.A: pass", set()),
        ("if x in (Reason.A, Reason.B): pass", set()),
        ("match x:\n    case Reason.A: y = Reason.B", {"B"}),
        ("names = {Reason.A: Reason.B}", {"B"}),
        ("y = Reason.A if x is Reason.B else None", {"A"}),
    ],
)
def test_what_is_only_compared_with_is_not_given(code: str, given: set[str]) -> None:
    assert members({"": ast.parse(code)}, "Reason") == given
