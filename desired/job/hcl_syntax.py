"""Reads HCL text into its tree: bodies, attributes, blocks. Expressions are read by `hcl_syntax_expression`."""

from __future__ import annotations

from desired.job.hcl_cursor import Cursor, TooDeep
from desired.job.hcl_nodes import Attribute, Block, Body
from desired.job.hcl_quoted import quoted_label
from desired.job.hcl_source import Diagnostic, Range, Source, quoted
from desired.job.hcl_syntax_expression import read_expression
from desired.job.hcl_tokens import Token, Tokens, invalid_tokens

_ITEM = "An argument or block definition is required here."
_ITEM_EQUALS = _ITEM + ' To set an argument, use the equals sign "=" to introduce the argument value.'
_UNCLOSED = (
    "There is no closing brace for this block before the end of the file. This may be caused by incorrect brace "
    "nesting elsewhere in this file."
)
_SINGLE = "Invalid single-argument block definition"


def read_syntax(source: Source) -> tuple[Body, list[Diagnostic]]:
    """The tree of a text as far as it could be read, and everything that is wrong with it."""
    tokens = Tokens(source.text).tokens
    cursor = Cursor(tokens, source)
    found = invalid_tokens(tokens, source)
    try:
        body = _body(cursor, "eof")
    except TooDeep as deep:
        cursor.error("Nesting too deep", "This is nested deeper than the operator reads.", deep.place)
        body = Body((0, len(source.text)))
    return body, found + cursor.diagnostics


def _body(cursor: Cursor, end: str) -> Body:
    start = cursor.previous
    body = Body(start)
    while True:
        token = cursor.peek()
        if token.kind == end:
            cursor.read()
            finish = token.place
            break
        if token.kind == "newline":
            cursor.read()
        elif token.kind == "ident":
            _item(cursor, body)
        else:
            cursor.read()
            _not_an_item(cursor, token, end, start)
            finish = cursor.previous
            cursor.recover(end)
            break
    body.place = (start[0], finish[1])
    return body


def _not_an_item(cursor: Cursor, bad: Token, end: str, start: Range) -> None:
    if bad.kind == "open quote":
        cursor.follow("Invalid argument name", "Argument names must not be quoted.", bad.place)
    elif bad.kind == "eof" and end == "}":
        cursor.follow("Unclosed configuration block", _UNCLOSED, start)
    else:
        cursor.follow("Argument or block definition required", _ITEM, bad.place)


def _item(cursor: Cursor, body: Body) -> None:
    name = cursor.read()
    following = cursor.peek().kind
    if following == "=":
        attribute = _attribute(cursor, name, single_line=False)
        _put(cursor, body, attribute)
    elif following in ("open quote", "{", "ident"):
        with cursor.deeper():
            body.blocks.append(_block(cursor, name))
    else:
        cursor.recover_after_item()
        cursor.error("Argument or block definition required", _ITEM_EQUALS, name.place)


def _put(cursor: Cursor, body: Body, attribute: Attribute) -> None:
    if attribute.name in body.attributes:
        first = cursor.source.show(body.attributes[attribute.name].name_place)
        detail = (
            f"The argument {quoted(attribute.name)} was already set at {first}. Each argument may be set only once."
        )
        cursor.error("Attribute redefined", detail, attribute.name_place)
    else:
        body.attributes[attribute.name] = attribute


def _attribute(cursor: Cursor, name: Token, *, single_line: bool) -> Attribute:
    cursor.read()
    before = cursor.errors
    value = read_expression(cursor)
    end = cursor.previous
    if cursor.failed_since(before):
        cursor.recover_after_item()
    elif not single_line:
        following = cursor.peek()
        if following.kind not in ("newline", "eof"):
            if following.kind == ",":
                detail = "Argument definitions must be separated by newlines, not commas. "
                summary = "Unexpected comma after argument"
            else:
                detail, summary = "", "Missing newline after argument"
            cursor.follow(summary, detail + "An argument definition must end with a newline.", following.place)
            cursor.recover_after_item()
        else:
            cursor.read()
    return Attribute(name.text, name.place, value, (name.start, end[1]))


def _block(cursor: Cursor, name: Token) -> Block:
    block = Block(name.text, name.place, [], [], name.place, Body(name.place), name.place)
    while True:
        token = cursor.peek()
        if token.kind == "{":
            cursor.read()
            block.open_place = token.place
            break
        if token.kind == "open quote":
            label, place = quoted_label(cursor)
            block.labels.append(label)
            block.label_places.append(place)
        elif token.kind == "ident":
            cursor.read()
            block.labels.append(token.text)
            block.label_places.append(token.place)
        else:
            _bad_header(cursor, token)
            cursor.recover_after_item()
            return block
    if cursor.peek().kind in ("newline", "eof", "}"):
        block.body = _body(cursor, "}")
    else:
        block.body = _single_line(cursor, block)
    block.place = (name.start, cursor.previous[1])
    following = cursor.peek()
    if following.kind in ("newline", "eof"):
        cursor.read()
    else:
        detail = "A block definition must end with a newline."
        cursor.follow("Missing newline after block definition", detail, following.place)
        cursor.recover_after_item()
    return block


def _bad_header(cursor: Cursor, token: Token) -> None:
    summary = "Invalid block definition"
    if token.kind == "=":
        detail = 'The equals sign "=" indicates an argument definition, and must not be used when defining a block.'
        cursor.error(summary, detail, token.place)
    elif token.kind == "newline":
        detail = (
            'A block definition must have block content delimited by "{" and "}", starting on the same line as the '
            "block header."
        )
        cursor.error(summary, detail, token.place)
    else:
        detail = 'Either a quoted string block label or an opening brace ("{") is expected here.'
        cursor.follow(summary, detail, token.place)


def _single_line(cursor: Cursor, block: Block) -> Body:
    # Nomad tells what is wrong after the argument before what is wrong in it.
    outer = cursor.diagnostics
    cursor.diagnostics = []
    body = _single_argument(cursor)
    inner, cursor.diagnostics = cursor.diagnostics, outer
    token = cursor.peek()
    if token.kind == "}":
        cursor.read()
    else:
        if token.kind == ",":
            detail = (
                "Single-line block syntax can include only one argument definition. To define multiple arguments, use "
                "the multi-line block syntax with one argument definition per line."
            )
            cursor.error(_SINGLE, detail, token.place)
        elif token.kind == "newline":
            detail = (
                "An argument definition on the same line as its containing block creates a single-line block "
                "definition, which must also be closed on the same line. Place the block's closing brace immediately "
                "after the argument definition."
            )
            cursor.error(_SINGLE, detail, token.place)
        elif token.kind == "eof":
            cursor.follow("Unclosed configuration block", _UNCLOSED, block.open_place)
        else:
            detail = (
                "A single-line block definition must end with a closing brace immediately after its single argument "
                "definition."
            )
            cursor.follow(_SINGLE, detail, token.place)
        cursor.recover("}")
    cursor.diagnostics += inner
    return body


def _single_argument(cursor: Cursor) -> Body:
    name = cursor.read()
    empty = Body((name.start, name.start))
    if name.kind != "ident":
        cursor.recover_after_item()
        cursor.error("Argument or block definition required", _ITEM, name.place)
        return empty
    following = cursor.peek()
    if following.kind == "=":
        attribute = _attribute(cursor, name, single_line=True)
        return Body(attribute.place, {attribute.name: attribute})
    cursor.recover_after_item()
    if following.kind in ("open quote", "{", "ident"):
        detail = (
            "A single-line block definition can contain only a single argument. If you meant to define argument "
            f"{quoted(name.text)}, use an equals sign to assign it a value. To define a nested block, place it on a "
            "line of its own within its parent block."
        )
        cursor.error("Argument definition required", detail, (name.start, following.end))
    else:
        cursor.error("Argument or block definition required", _ITEM_EQUALS, name.place)
    return empty
