"""Reads HCL's collections: tuples and objects, item by item or by a `for`."""

from __future__ import annotations

from desired.job.hcl_cursor import Cursor, ReadExpression
from desired.job.hcl_nodes import Broken, For, Node, ObjectNode, TupleNode
from desired.job.hcl_tokens import Token


def read_tuple(cursor: Cursor, expression: ReadExpression) -> Node:
    """The tuple, or the `for` that makes one, whose bracket comes next."""
    opening = cursor.read()
    items: list[Node] = []
    with cursor.newlines(False):
        if _is_word(cursor.peek(), "for"):
            return _for(cursor, expression, opening)
        while True:
            if cursor.peek().kind == "]":
                closing = cursor.read()
                break
            before = cursor.errors
            items.append(expression(cursor))
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


def read_object(cursor: Cursor, expression: ReadExpression) -> Node:
    """The object, or the `for` that makes one, whose brace comes next."""
    opening = cursor.read()
    with cursor.newlines(False):
        # A `for` may stand on a later line; looking there must not eat the newlines that an object needs.
        if _is_word(cursor.peek(), "for"):
            return _for(cursor, expression, opening)
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
            item = _object_item(cursor, expression, opening)
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


def _object_item(cursor: Cursor, expression: ReadExpression, opening: Token) -> tuple[Node, Node] | None:
    before = cursor.errors
    key = expression(cursor)
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
    value = expression(cursor)
    return None if cursor.failed_since(before) else (key, value)


def _is_word(token: Token, word: str) -> bool:
    return token.kind == "ident" and token.text == word


def _for(cursor: Cursor, expression: ReadExpression, opening: Token) -> Node:
    closer = "}" if opening.kind == "{" else "]"
    with cursor.newlines(False):
        cursor.read()
        node = _for_parts(cursor, expression, opening, closer)
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


def _for_parts(cursor: Cursor, expression: ReadExpression, opening: Token, closer: str) -> For | None:
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
    collection = expression(cursor)
    if cursor.failed_since(before):
        return None
    if cursor.peek().kind != ":":
        _bad_for(cursor, "For expression requires a colon after the collection expression.")
        return None
    cursor.read()
    before = cursor.errors
    key: Node | None = None
    value = expression(cursor)
    if cursor.peek().kind == "=>":
        cursor.read()
        key, value = value, expression(cursor)
    if cursor.failed_since(before):
        return None
    group = cursor.peek().kind == "..."
    if group:
        cursor.read()
    condition: Node | None = None
    if _is_word(cursor.peek(), "if"):
        cursor.read()
        before = cursor.errors
        condition = expression(cursor)
        if cursor.failed_since(before):
            return None
    return For(opening.place, key_name, value_name, collection, key, value, condition, group, opening.place)
