"""Which expressions of a job file are literals, and how a literal is exchanged for another one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from desired.job.hcl_nodes import Literal, Node, Parentheses, Template, TemplateWrap, Traversal, TupleNode, Unary
from desired.job.hcl_text import quoted_text
from desired.job.hcl_variables import paths
from desired.operations.hcl_file import HclFile
from desired.operations.hcl_heredoc import kept_heredoc
from desired.operations.hcl_names import own_value
from desired.operations.not_literal import NotLiteral
from desired.operations.operation import Operation
from desired.operations.splice import Splice

# What the job file itself gives values to; every other path is Nomad's, and stays in the text as it is.
_OWN = frozenset({"var", "local"})
_COMMENT = re.compile(r"#|//|/\*")
_NUMBER = re.compile(r"-?\d+")


def is_literal(node: Node) -> bool:
    """Whether the value is just what stands there. What Nomad fills in on the client is a piece of text like any."""
    match node:
        case Literal():
            return True
        case Template():
            return all(is_literal(part) for part in node.parts)
        case TemplateWrap() | Parentheses():
            return is_literal(node.inner)
        case Traversal():
            return isinstance(node.source, str) and node.source not in _OWN
        case Unary():
            return isinstance(node.operand, Literal)
        case TupleNode():
            return all(is_literal(item) for item in node.items)
    return False


def refused(file: HclFile, operation: Operation, node: Node) -> NotLiteral:
    """The error for an expression that is no literal, with what may be shown of it."""
    line, column = file.source.position(node.place[0])
    variable = next(
        (
            str(path.steps[0].key)
            for path in paths(node)
            if path.source == "var" and path.steps and path.steps[0].attribute
        ),
        "",
    )
    why = "the value is not written there as a literal"
    expression = _shown(file, node)
    return NotLiteral(operation, why, line=line, column=column, expression=expression, variable=variable)


def _shown(file: HclFile, node: Node) -> str:
    """The expression without the texts in it."""
    pieces: list[str] = []
    at = node.place[0]
    for start, end in sorted(_texts(node)):
        if start >= at:
            pieces += [file.text[at:start], "…"]
            at = end
    shown = " ".join("".join([*pieces, file.text[at : node.place[1]]]).split())
    return shown if len(shown) <= 80 else f"{shown[:79]}…"


def _texts(node: Any) -> Iterator[tuple[int, int]]:
    if isinstance(node, Literal) and isinstance(node.value, str):
        yield node.place
    elif isinstance(node, list | tuple):
        for each in node:
            yield from _texts(each)
    elif isinstance(node, Node):
        for name in _slots(node):
            yield from _texts(getattr(node, name))


def _slots(node: Node) -> Iterator[str]:
    for kind in type(node).__mro__:
        yield from (name for name in getattr(kind, "__slots__", ()) if name not in ("place", "head_place"))


def exchanged(
    file: HclFile, operation: Operation, node: Node, old: Any, new: Any, written: str, *, typed: bool = False
) -> list[Splice]:
    """The splices that make the literal say `new`, which reads `written`; raises NotLiteral.

    `typed`: Nomad knows which type the value has, so that a number that was written as text may stay one.
    """
    meant = None if file.here else own_value(file, node)
    if meant is not None:
        return exchanged(file, operation, meant, old, new, written, typed=typed)
    lists = isinstance(new, list) and isinstance(old, list | tuple) and bool(new)
    if lists and isinstance(node, TupleNode) and node.items and len(node.items) == len(old):
        return _items(file, operation, node, list(old), new)
    if not is_literal(node):
        raise refused(file, operation, node)
    if not file.here and isinstance(new, str) and (kept := kept_heredoc(file, node, new)):
        return kept
    if typed and isinstance(node, Template) and _NUMBER.fullmatch(written):
        written = quoted_text(written)
    return [Splice(*node.place, written)]


def _items(file: HclFile, operation: Operation, node: TupleNode, old: list[Any], new: list[Any]) -> list[Splice]:
    """Only the items that differ."""
    splices: list[Splice] = []
    for tag, i, i_end, j, j_end in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        both = min(i_end - i, j_end - j)
        for index in range(both):
            item, text = node.items[i + index], new[j + index]
            splices += exchanged(file, operation, item, old[i + index], text, quoted_text(text))
        if i + both < i_end:
            gone = node.items[i + both : i_end]
            for item in gone:
                if not is_literal(item):
                    raise refused(file, operation, item)
            splices += _without(file, node, i + both, i_end)
        if j + both < j_end:
            splices.append(_more(file, node, i + both, [quoted_text(each) for each in new[j + both : j_end]]))
    return splices


def _without(file: HclFile, node: TupleNode, first: int, last: int) -> list[Splice]:
    items = node.items
    if last < len(items):
        start, end = items[first].place[0], items[last].place[0]
    elif first > 0:
        start, end = items[first - 1].place[1], items[-1].place[1]
    else:
        start, end = items[0].place[0], items[-1].place[1]
    between = "".join(
        file.text[left.place[1] : right.place[0]]
        for left, right in zip(items[first:], items[first + 1 :], strict=False)
    )
    if first > 0:
        between += file.text[items[first - 1].place[1] : items[first].place[0]]
    if _COMMENT.search(between) is None:
        return [Splice(start, end, "")]
    splices: list[Splice] = []
    for item in items[first:last]:
        comma = re.compile(r"[ \t]*,?").match(file.text, item.place[1])
        splices.append(Splice(item.place[0], comma.end() if comma else item.place[1], ""))
    return splices


def _more(file: HclFile, node: TupleNode, index: int, texts: list[str]) -> Splice:
    items = node.items
    lines = "\n" in file.text[node.place[0] : items[0].place[0]]
    separator = f",{file.newline}{file.indent(items[0].place[0])}" if lines else ", "
    if index == 0:
        return Splice(items[0].place[0], items[0].place[0], "".join(text + separator for text in texts))
    at = items[index - 1].place[1]
    return Splice(at, at, "".join(separator + text for text in texts))
