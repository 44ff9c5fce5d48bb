"""Reads what follows a value in HCL: attributes, indices and splats, one after the other."""

from __future__ import annotations

from typing import Any

from desired.job.hcl_cursor import Cursor, ReadExpression
from desired.job.hcl_nodes import Index, Literal, Node, Splat, Step, Template, Traversal
from desired.job.hcl_tokens import Token
from desired.job.hcl_value import DECIMALS, ConvertError, whole


def read_steps(cursor: Cursor, expression: ReadExpression, start: Node) -> Node:
    """`start` with everything that is taken out of it."""
    node = start
    while True:
        token = cursor.peek()
        if token.kind == ".":
            node = _after_dot(cursor, node, start)
        elif token.kind == "[":
            node = _after_bracket(cursor, expression, node, start)
        else:
            return node


def _extend(node: Node, step: Step) -> Node:
    place = (node.place[0], step.place[1])
    if isinstance(node, Traversal):
        return Traversal(place, node.source, [*node.steps, step])
    return Traversal(place, node, [step])


def _after_dot(cursor: Cursor, node: Node, start: Node) -> Node:
    dot = cursor.read()
    token = cursor.peek()
    if token.kind == "ident":
        cursor.read()
        return _extend(node, Step(True, token.text, (dot.start, token.end)))
    if token.kind == "number":
        cursor.read()
        return _extend(node, _old_index(cursor, dot, token, "the proper index syntax instead"))
    if token.kind == "*":
        cursor.read()
        return _attribute_splat(cursor, node, start, dot, token)
    cursor.error("Invalid attribute name", "An attribute name is required after a dot.", token.place)
    cursor.recovery = True
    return node


def _old_index(cursor: Cursor, dot: Token, token: Token, instead: str) -> Step:
    first, point, second = token.text.partition(".")
    if point:
        detail = (
            "When using the legacy index syntax, chaining two indexes together is not permitted. "
            f"Use {instead}, like [{first}][{second}]."
        )
        cursor.error("Invalid legacy index syntax", detail, token.place)
    try:
        key: Any = whole(DECIMALS.create_decimal(first))
    except ConvertError:
        key = None
    return Step(False, key, (dot.start, token.end))


def _attribute_splat(cursor: Cursor, node: Node, start: Node, dot: Token, star: Token) -> Node:
    steps: list[Step] = []
    while cursor.peek().kind == ".":
        inner_dot = cursor.read()
        token = cursor.peek()
        if token.kind == "number":
            cursor.read()
            steps.append(
                _old_index(cursor, inner_dot, token, "the proper index syntax with a full splat expression [*] instead")
            )
        elif token.kind == "ident":
            cursor.read()
            steps.append(Step(True, token.text, (inner_dot.start, token.end)))
        else:
            if token.kind == "*":
                detail = "A splat expression (*) cannot be used inside another attribute-only splat expression."
                cursor.follow("Nested splat expression not allowed", detail, token.place)
            else:
                cursor.follow("Invalid attribute name", "An attribute name is required after a dot.", star.place)
            cursor.recovery = True
            return node
    marker = (dot.start, star.end)
    end = steps[-1].place[1] if steps else star.end
    each = Traversal((steps[0].place[0] if steps else dot.start, end), None, steps)
    return Splat((start.place[0], end), node, each, marker)


def _after_bracket(cursor: Cursor, expression: ReadExpression, node: Node, start: Node) -> Node:
    opening = cursor.read()
    if cursor.peek().kind == "*":
        cursor.read()
        closing = cursor.read()
        if closing.kind != "]":
            closing = _missing_bracket(
                cursor,
                "Missing close bracket on splat index",
                'The star for a full splat operator must be immediately followed by a closing bracket ("]").',
            )
        marker = (opening.start, closing.end)
        with cursor.deeper():
            each = read_steps(cursor, expression, Traversal(marker, None, []))
        return Splat((start.place[0], each.place[1]), node, each, marker)
    with cursor.newlines(False):
        before = cursor.errors
        key = expression(cursor)
        if cursor.failed_since(before):
            closing = cursor.recover("]")
        else:
            closing = cursor.read()
            if closing.kind != "]":
                detail = 'The index operator must end with a closing bracket ("]").'
                closing = _missing_bracket(cursor, "Missing close bracket on index", detail)
    bracket = (opening.start, closing.end)
    if isinstance(key, Literal):
        return _extend(node, Step(False, key.value, bracket))
    if isinstance(key, Template) and key.constant is not None:
        return _extend(node, Step(False, key.constant, bracket))
    return Index((start.place[0], closing.end), node, key, opening.place, bracket)


def _missing_bracket(cursor: Cursor, summary: str, detail: str) -> Token:
    """Nomad points at the token where it goes on, not at the one that was wrong."""
    told = not cursor.recovery
    closing = cursor.recover("]")
    if told:
        cursor.error(summary, detail, closing.place)
    return closing
