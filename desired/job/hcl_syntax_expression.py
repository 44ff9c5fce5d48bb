"""Reads HCL expressions: operators, calls, collections, paths; `hcl_syntax_template` reads strings and heredocs."""

from __future__ import annotations

from typing import Any

from desired.job.hcl_cursor import Cursor
from desired.job.hcl_nodes import (
    Binary,
    Broken,
    Call,
    Conditional,
    For,
    Index,
    Literal,
    Node,
    ObjectNode,
    Parentheses,
    Splat,
    Step,
    Template,
    Traversal,
    TupleNode,
    Unary,
)
from desired.job.hcl_source import Range
from desired.job.hcl_syntax_template import quoted_label, read_template
from desired.job.hcl_tokens import Token
from desired.job.hcl_value import DECIMALS, ConvertError, whole

__all__ = ["quoted_label", "read_expression"]

_LEVELS: dict[str, int] = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    "<": 4,
    ">": 4,
    "<=": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}


def read_expression(cursor: Cursor) -> Node:
    """The expression that begins here."""
    with cursor.deeper():
        start = cursor.peek()
        before = cursor.errors
        condition = _operators(cursor, 1)
        if cursor.failed_since(before) or cursor.peek().kind != "?":
            return condition
        cursor.read()
        before = cursor.errors
        true = read_expression(cursor)
        if cursor.failed_since(before):
            return condition
        colon = cursor.peek()
        if colon.kind != ":":
            detail = "The conditional operator (...?...:...) requires a false expression, delimited by a colon."
            cursor.error("Missing false expression in conditional", detail, colon.place)
            return condition
        cursor.read()
        before = cursor.errors
        false = read_expression(cursor)
        if cursor.failed_since(before):
            return condition
        return Conditional((start.start, false.place[1]), condition, true, false)


def _number(cursor: Cursor, token: Token) -> Node:
    try:
        return Literal(token.place, whole(DECIMALS.create_decimal(token.text)))
    except ConvertError:
        detail = "Failed to recognize the value of this number literal."
        cursor.error("Invalid number literal", detail, token.place)
        return Broken(token.place)


def _operators(cursor: Cursor, level: int) -> Node:
    before = cursor.errors
    left = _with_steps(cursor, _term(cursor))
    if cursor.failed_since(before):
        return left
    while True:
        operator = cursor.peek().kind
        strength = _LEVELS.get(operator, 0)
        if strength < level:
            return left
        cursor.read()
        before = cursor.errors
        right = _operators(cursor, strength + 1)
        if cursor.failed_since(before):
            return left
        left = Binary((left.place[0], right.place[1]), operator, left, right)


def _term(cursor: Cursor) -> Node:
    token = cursor.peek()
    match token.kind:
        case "(":
            return _parentheses(cursor)
        case "number":
            cursor.read()
            return _number(cursor, token)
        case "ident":
            cursor.read()
            if cursor.peek().kind in ("(", "::"):
                return _call(cursor, token)
            if token.text in _CONSTANTS:
                return Literal(token.place, _CONSTANTS[token.text])
            return Traversal(token.place, token.text, [])
        case "open quote" | "heredoc":
            return read_template(cursor, read_expression)
        case "-" | "!":
            cursor.read()
            with cursor.deeper():
                operand = _with_steps(cursor, _term(cursor))
            return Unary((token.start, operand.place[1]), token.kind, operand, token.place)
        case "[":
            return _tuple(cursor)
        case "{":
            return _object(cursor)
    if token.kind == "eof":
        detail = "Expected the start of an expression, but found the end of the file."
        cursor.follow("Missing expression", detail, token.place)
    else:
        detail = "Expected the start of an expression, but found an invalid expression token."
        cursor.follow("Invalid expression", detail, token.place)
    cursor.recovery = True
    return Broken(token.place)


def _parentheses(cursor: Cursor) -> Node:
    opening = cursor.read()
    with cursor.newlines(False):
        before = cursor.errors
        inner = read_expression(cursor)
        if cursor.errors > before:
            cursor.recover(")")
            return inner
        closing = cursor.peek()
        if closing.kind != ")":
            detail = "Expected a closing parenthesis to terminate the expression."
            cursor.error("Unbalanced parentheses", detail, closing.place)
            cursor.recovery = True
        closing = cursor.read()
    return Parentheses((opening.start, closing.end), inner)


def _with_steps(cursor: Cursor, start: Node) -> Node:
    node = start
    while True:
        token = cursor.peek()
        if token.kind == ".":
            node = _after_dot(cursor, node, start)
        elif token.kind == "[":
            node = _after_bracket(cursor, node, start)
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


def _after_bracket(cursor: Cursor, node: Node, start: Node) -> Node:
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
            each = _with_steps(cursor, Traversal(marker, None, []))
        return Splat((start.place[0], each.place[1]), node, each, marker)
    with cursor.newlines(False):
        before = cursor.errors
        key = read_expression(cursor)
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


def _call(cursor: Cursor, name: Token) -> Node:
    opening = cursor.read()
    full, name_end = name.text, name.end
    while opening.kind == "::":
        part = cursor.read()
        if part.kind != "ident":
            detail = "Function scope resolution symbol :: must be followed by a function name in this scope."
            return _broken_call(cursor, "Missing function name", detail, name, part)
        full, name_end = f"{full}::{part.text}", part.end
        opening = cursor.read()
    if opening.kind != "(":
        detail = "Function selector must be followed by an open parenthesis to begin the function call."
        return _broken_call(cursor, "Missing open parenthesis", detail, name, opening)
    arguments: list[Node] = []
    expand = False
    with cursor.newlines(False):
        while True:
            if cursor.peek().kind == ")":
                closing = cursor.read()
                break
            before = cursor.errors
            arguments.append(read_expression(cursor))
            if cursor.failed_since(before):
                closing = cursor.recover(")")
                break
            token = cursor.read()
            if token.kind == ")":
                closing = token
                break
            if token.kind == "...":
                expand = True
                closing = _after_expansion(cursor, token)
                break
            if token.kind != ",":
                _bad_separator(cursor, token, (name.start, opening.end))
                closing = cursor.recover(")")
                break
    return Call(
        (name.start, closing.end),
        full,
        (name.start, name_end),
        (name.start, opening.end),
        closing.place,
        arguments,
        expand,
    )


def _broken_call(cursor: Cursor, summary: str, detail: str, name: Token, bad: Token) -> Node:
    cursor.error(summary, detail, bad.place)
    while cursor.read().kind not in ("(", "eof"):
        pass
    cursor.recover(")")
    return Broken((name.start, bad.end))


def _after_expansion(cursor: Cursor, ellipsis: Token) -> Token:
    if cursor.peek().kind == ")":
        return cursor.read()
    detail = "An expanded function argument (with ...) must be immediately followed by closing parentheses."
    cursor.follow("Missing closing parenthesis", detail, ellipsis.place)
    return cursor.recover(")")


def _bad_separator(cursor: Cursor, token: Token, head: Range) -> None:
    if token.kind == "eof":
        detail = (
            "There is no closing parenthesis for this function call before the end of the file. This may be caused by "
            "incorrect parenthesis nesting elsewhere in this file."
        )
        cursor.error("Unterminated function call", detail, head)
    else:
        detail = "A comma is required to separate each function argument from the next."
        cursor.error("Missing argument separator", detail, token.place)


def _tuple(cursor: Cursor) -> Node:
    opening = cursor.read()
    items: list[Node] = []
    with cursor.newlines(False):
        if _is_word(cursor.peek(), "for"):
            return _for(cursor, opening)
        while True:
            if cursor.peek().kind == "]":
                closing = cursor.read()
                break
            before = cursor.errors
            items.append(read_expression(cursor))
            if cursor.failed_since(before):
                closing = cursor.recover("]")
                break
            token = cursor.peek()
            if token.kind == "]":
                closing = cursor.read()
                break
            if token.kind != ",":
                if token.kind == "eof":
                    detail = (
                        "There is no corresponding closing bracket before the end of the file. This may be caused by "
                        "incorrect bracket nesting elsewhere in this file."
                    )
                    cursor.follow("Unterminated tuple constructor expression", detail, opening.place)
                else:
                    detail = "Expected a comma to mark the beginning of the next item."
                    cursor.follow("Missing item separator", detail, token.place)
                closing = cursor.recover("]")
                break
            cursor.read()
    return TupleNode((opening.start, closing.end), items, opening.place)


_UNTERMINATED_OBJECT = (
    "There is no corresponding closing brace before the end of the file. This may be caused by incorrect brace nesting "
    "elsewhere in this file."
)


def _object(cursor: Cursor) -> Node:
    opening = cursor.read()
    with cursor.newlines(False):
        # A `for` may stand on a later line; looking there must not eat the newlines that an object needs.
        if _is_word(cursor.peek(), "for"):
            return _for(cursor, opening)
    items: list[tuple[Node, Node]] = []
    with cursor.newlines(True):
        while True:
            token = cursor.peek()
            if token.kind == "newline":
                cursor.read()
                continue
            if token.kind == "}":
                closing = cursor.read()
                break
            item = _object_item(cursor, opening)
            if item is None:
                closing = cursor.recover("}")
                break
            items.append(item)
            token = cursor.peek()
            if token.kind == "}":
                closing = cursor.read()
                break
            if token.kind not in (",", "newline"):
                if token.kind == "eof":
                    cursor.follow("Unterminated object constructor expression", _UNTERMINATED_OBJECT, opening.place)
                else:
                    detail = "Expected a newline or comma to mark the beginning of the next attribute."
                    cursor.follow("Missing attribute separator", detail, token.place)
                closing = cursor.recover("}")
                break
            cursor.read()
    return ObjectNode((opening.start, closing.end), items, opening.place)


def _object_item(cursor: Cursor, opening: Token) -> tuple[Node, Node] | None:
    before = cursor.errors
    key = read_expression(cursor)
    if cursor.failed_since(before):
        return None
    token = cursor.peek()
    if token.kind not in ("=", ":"):
        separator = 'Expected an equals sign ("=") to mark the beginning of the attribute value.'
        if token.kind in ("newline", ","):
            detail = 'Expected an attribute value, introduced by an equals sign ("=").'
            cursor.follow("Missing attribute value", detail, token.place)
        elif token.kind == "ident":
            detail = (
                f"{separator} If you intended to given an attribute name containing periods or spaces, write the name "
                "in quotes to create a string literal."
            )
            cursor.follow("Missing key/value separator", detail, token.place)
        elif token.kind == "eof":
            cursor.follow("Unterminated object constructor expression", _UNTERMINATED_OBJECT, opening.place)
        else:
            cursor.follow("Missing key/value separator", separator, token.place)
        return None
    cursor.read()
    before = cursor.errors
    value = read_expression(cursor)
    return None if cursor.failed_since(before) else (key, value)


def _is_word(token: Token, word: str) -> bool:
    return token.kind == "ident" and token.text == word


def _for(cursor: Cursor, opening: Token) -> Node:
    closer = "}" if opening.kind == "{" else "]"
    with cursor.newlines(False):
        cursor.read()
        node = _for_parts(cursor, opening, closer)
        if node is None:
            closing = cursor.recover(closer)
            return Broken((opening.start, closing.end))
        if cursor.peek().kind == closer:
            closing = cursor.read()
        else:
            _bad_for(cursor, "Extra characters after the end of the 'for' expression.")
            closing = cursor.recover(closer)
        node.place = (opening.start, closing.end)
    summary = "Invalid 'for' expression"
    if closer == "]":
        if node.key is not None:
            cursor.error(summary, "Key expression is not valid when building a tuple.", node.key.place)
        if node.group:
            cursor.error(summary, "Grouping ellipsis (...) cannot be used when building a tuple.", node.place)
    elif node.key is None:
        cursor.error(summary, "Key expression is required when building an object.", node.value.place)
    return node


def _bad_for(cursor: Cursor, detail: str) -> None:
    cursor.follow("Invalid 'for' expression", detail, cursor.peek().place)


def _for_parts(cursor: Cursor, opening: Token, closer: str) -> For | None:
    if cursor.peek().kind != "ident":
        _bad_for(cursor, "For expression requires variable name after 'for'.")
        return None
    key_name, value_name = "", cursor.read().text
    if cursor.peek().kind == ",":
        cursor.read()
        if cursor.peek().kind != "ident":
            _bad_for(cursor, "For expression requires value variable name after comma.")
            return None
        key_name, value_name = value_name, cursor.read().text
    if not _is_word(cursor.peek(), "in"):
        _bad_for(cursor, "For expression requires the 'in' keyword after its name declarations.")
        return None
    cursor.read()
    before = cursor.errors
    collection = read_expression(cursor)
    if cursor.failed_since(before):
        return None
    if cursor.peek().kind != ":":
        _bad_for(cursor, "For expression requires a colon after the collection expression.")
        return None
    cursor.read()
    before = cursor.errors
    key: Node | None = None
    value = read_expression(cursor)
    if cursor.peek().kind == "=>":
        cursor.read()
        key, value = value, read_expression(cursor)
    if cursor.failed_since(before):
        return None
    group = cursor.peek().kind == "..."
    if group:
        cursor.read()
    condition: Node | None = None
    if _is_word(cursor.peek(), "if"):
        cursor.read()
        before = cursor.errors
        condition = read_expression(cursor)
        if cursor.failed_since(before):
            return None
    return For(opening.place, key_name, value_name, collection, key, value, condition, group, opening.place)
