"""Reads a call of a function in HCL, from the bracket after its name."""

from __future__ import annotations

from desired.job.hcl_cursor import Cursor, ReadExpression
from desired.job.hcl_nodes import Broken, Call, Node
from desired.job.hcl_source import Range
from desired.job.hcl_tokens import Token


def read_call(cursor: Cursor, expression: ReadExpression, name: Token) -> Node:
    """The call of `name`, which was read already."""
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
            arguments.append(expression(cursor))
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
