"""Reads HCL's templates: quoted strings and heredocs with `${…}` and `%{…}` in them."""

from __future__ import annotations

from desired.job.hcl_cursor import Cursor, ReadExpression
from desired.job.hcl_nodes import Node, Template, TemplateWrap
from desired.job.hcl_quoted import unescaped
from desired.job.hcl_source import quoted, suggestion
from desired.job.hcl_template_parts import (
    End,
    ForEach,
    If,
    Part,
    Text,
    Value,
    drop_last_newline,
    melded,
    without_indentation,
)
from desired.job.hcl_template_tree import TemplateTree
from desired.job.hcl_tokens import Token
from desired.job.hcl_value import normal


def read_template(cursor: Cursor, expression: ReadExpression, *, last_newline: bool = True) -> Node:
    """The string or heredoc that begins here; without `last_newline`, a heredoc's text ends before its last one."""
    opening = cursor.read()
    heredoc = opening.kind == "heredoc"
    closer = "close heredoc" if heredoc else "close quote"
    parts = _parts(cursor, closer, expression)
    if opening.text.startswith("<<-"):
        without_indentation(parts)
    parts = melded(parts)
    if not last_newline and len(parts) > 1:
        drop_last_newline(parts)
    place = (opening.start, cursor.previous[1])
    if len(parts) == 2 and isinstance(parts[0], Value):
        return TemplateWrap(place, parts[0].node)
    return Template(place, TemplateTree(cursor, parts).read())


def _parts(cursor: Cursor, closer: str, expression: ReadExpression) -> list[Part]:
    start = cursor.peek()
    parts: list[Part] = []
    trim_next = can_trim = False
    while True:
        token = cursor.read()
        if token.kind == closer:
            end = token.place
            break
        trim, trim_next = trim_next, False
        trimmable, can_trim = can_trim, False
        if token.kind in ("quoted literal", "heredoc literal"):
            # Labels are kept as they are; values are composed.
            text = normal(unescaped(cursor, token))
            parts.append(Text(text.lstrip() if trim else text, token.place))
            can_trim = True
        elif token.kind in ("interp", "control"):
            if trimmable and token.text.endswith("~"):
                last = parts[-1]
                assert isinstance(last, Text)
                last.text = last.text.rstrip()
            with cursor.newlines(False):
                if token.kind == "interp":
                    parts.append(Value(expression(cursor)))
                    trim_next = _end_interpolation(cursor, closer, start)
                else:
                    trim_next = _directive(cursor, token, parts, expression)
        else:
            cursor.follow("Unterminated template string", "No closing marker was found for the string.", token.place)
            end = cursor.recover(closer).place
            break
    if not parts:
        parts.append(Text("", (start.end, start.end)))
    parts.append(End("", end))
    return parts


def _end_interpolation(cursor: Cursor, closer: str, start: Token) -> bool:
    token = cursor.peek()
    if token.kind == "end sequence":
        cursor.read()
        return token.text == "~}"
    summary, place = "Extra characters after interpolation expression", token.place
    if token.kind == "eof":
        summary, place = "Unclosed template interpolation sequence", start.place
        detail = (
            "There is no closing brace for this interpolation sequence before the end of the file. This might be "
            "caused by incorrect nesting inside the given expression."
        )
    elif token.kind == ":":
        detail = (
            "Template interpolation doesn't expect a colon at this location. Did you intend this to be a literal "
            "sequence to be processed as part of another language? If so, you can escape it by starting with "
            '"$${" instead of just "${".'
        )
    elif token.kind in ("open quote", "close quote") and closer == "close quote":
        summary, place = "Unclosed template interpolation sequence", start.place
        detail = (
            "There is no closing brace for this interpolation sequence before the end of the quoted template. This "
            "might be caused by incorrect nesting inside the given expression."
        )
    else:
        detail = (
            "Expected a closing brace to end the interpolation expression, but found extra characters.\n\nThis can "
            "happen when you include interpolation syntax for another language, such as shell scripting, but forget to "
            "escape the interpolation start token. If this is an embedded sequence for another language, escape it by "
            'starting with "$${" instead of just "${".'
        )
    cursor.follow(summary, detail, place)
    cursor.recover("end sequence")
    return False


_DIRECTIVES = ["if", "for", "else", "endif", "endfor"]


def _directive(cursor: Cursor, opening: Token, parts: list[Part], expression: ReadExpression) -> bool:
    word = cursor.peek()
    if word.kind != "ident":
        detail = 'A template directive keyword ("if", "for", etc) is expected at the beginning of a %{ sequence.'
        cursor.follow("Invalid template directive", detail, word.place)
        cursor.recover("end sequence")
        return False
    cursor.read()
    if word.text == "if":
        condition = expression(cursor)
        parts.append(If(condition, (opening.start, cursor.peek().end)))
    elif word.text == "for":
        head = _for_head(cursor, opening, expression)
        if head is None:
            cursor.recover("end sequence")
            return False
        parts.append(head)
    elif word.text in _DIRECTIVES:
        parts.append(End(word.text, (opening.start, cursor.peek().end)))
    else:
        near = suggestion(word.text, _DIRECTIVES)
        hint = f" Did you mean {quoted(near)}?" if near else ""
        detail = f"{quoted(word.text)} is not a valid template control keyword.{hint}"
        cursor.follow("Invalid template control keyword", detail, word.place)
        cursor.recover("end sequence")
        return False
    token = cursor.peek()
    if token.kind == "end sequence":
        cursor.read()
        return token.text == "~}"
    detail = "Expected a closing brace to end the sequence, but found extra characters."
    cursor.follow(f"Extra characters in {word.text} marker", detail, token.place)
    cursor.recover("end sequence")
    return False


def _for_head(cursor: Cursor, opening: Token, expression: ReadExpression) -> ForEach | None:
    summary = "Invalid 'for' directive"
    if cursor.peek().kind != "ident":
        cursor.follow(summary, "For directive requires variable name after 'for'.", cursor.peek().place)
        return None
    key_name, value_name = "", cursor.read().text
    if cursor.peek().kind == ",":
        cursor.read()
        if cursor.peek().kind != "ident":
            cursor.follow(summary, "For directive requires value variable name after comma.", cursor.peek().place)
            return None
        key_name, value_name = value_name, cursor.read().text
    token = cursor.peek()
    if token.kind != "ident" or token.text != "in":
        cursor.follow(summary, "For directive requires 'in' keyword after names.", token.place)
        return None
    cursor.read()
    collection = expression(cursor)
    return ForEach(key_name, value_name, collection, (opening.start, cursor.peek().end))
