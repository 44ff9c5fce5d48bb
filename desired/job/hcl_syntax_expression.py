"""Reads HCL expressions: conditions, operators and terms. What makes up a term is read by the modules beside this one.

Those get this reader as an argument: terms hold expressions again.
"""

from __future__ import annotations

from typing import Any

from desired.job.hcl_cursor import Cursor
from desired.job.hcl_nodes import (
    Binary,
    Broken,
    Conditional,
    Literal,
    Node,
    Parentheses,
    Traversal,
    Unary,
)
from desired.job.hcl_syntax_call import read_call
from desired.job.hcl_syntax_collection import read_object, read_tuple
from desired.job.hcl_syntax_steps import read_steps
from desired.job.hcl_syntax_template import read_template
from desired.job.hcl_tokens import Token
from desired.job.hcl_value import DECIMALS, ConvertError, whole

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
    left = read_steps(cursor, read_expression, _term(cursor))
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
                return read_call(cursor, read_expression, token)
            if token.text in _CONSTANTS:
                return Literal(token.place, _CONSTANTS[token.text])
            return Traversal(token.place, token.text, [])
        case "open quote" | "heredoc":
            return read_template(cursor, read_expression)
        case "-" | "!":
            cursor.read()
            with cursor.deeper():
                operand = read_steps(cursor, read_expression, _term(cursor))
            return Unary((token.start, operand.place[1]), token.kind, operand, token.place)
        case "[":
            return read_tuple(cursor, read_expression)
        case "{":
            return read_object(cursor, read_expression)
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
