"""Reads HCL's templates: quoted strings and heredocs with `${…}` and `%{…}` in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from desired.job.hcl_cursor import Cursor
from desired.job.hcl_nodes import Broken, Conditional, For, Literal, Node, Template, TemplateJoin, TemplateWrap
from desired.job.hcl_source import Range, quoted, suggestion
from desired.job.hcl_tokens import Token
from desired.job.hcl_value import normal

ReadExpression = Callable[[Cursor], Node]


@dataclass(slots=True)
class _Text:
    text: str
    place: Range


@dataclass(slots=True)
class _Value:
    node: Node


@dataclass(slots=True)
class _If:
    condition: Node
    place: Range


@dataclass(slots=True)
class _ForEach:
    key_name: str
    value_name: str
    collection: Node
    place: Range


@dataclass(slots=True)
class _End:
    """`else`, `endif`, `endfor`; an empty word is the end of the template."""

    word: str
    place: Range


_Part = _Text | _Value | _If | _ForEach | _End

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{0,4}|U[0-9a-fA-F]{0,8}|.)|\$\$\{|%%\{", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def read_template(cursor: Cursor, expression: ReadExpression, *, last_newline: bool = True) -> Node:
    """The string or heredoc that begins here; without `last_newline`, a heredoc's text ends before its last one."""
    opening = cursor.read()
    heredoc = opening.kind == "heredoc"
    closer = "close heredoc" if heredoc else "close quote"
    parts = _parts(cursor, closer, expression)
    if opening.text.startswith("<<-"):
        _flush(parts)
    parts = _melded(parts)
    if not last_newline and len(parts) > 1:
        _drop_last_newline(parts)
    place = (opening.start, cursor.previous[1])
    if len(parts) == 2 and isinstance(parts[0], _Value):
        return TemplateWrap(place, parts[0].node)
    return Template(place, _Tree(cursor, parts).read())


def _drop_last_newline(parts: list[_Part]) -> None:
    last = parts[-2]
    if isinstance(last, _Text):
        last.text = last.text.removesuffix("\n")
        if not last.text and len(parts) > 2:
            del parts[-2]


def quoted_label(cursor: Cursor) -> tuple[str, Range]:
    """The label that begins here: a quoted string without interpolations."""
    opening = cursor.read()
    text: list[str] = []
    while True:
        token = cursor.read()
        if token.kind == "close quote":
            return "".join(text), (opening.start, token.end)
        if token.kind == "quoted literal":
            text.append(unescaped(cursor, token))
        elif token.kind in ("interp", "control"):
            sign = "$" if token.kind == "interp" else "%"
            detail = (
                "Template sequences are not allowed in this string. To include a literal "
                f'"{sign}", double it (as "{sign}{sign}") to escape it.'
            )
            cursor.error("Invalid string literal", detail, token.place)
            cursor.recover("end sequence")
        elif token.kind == "eof":
            detail = "Unable to find the closing quote mark before the end of the file."
            cursor.error("Unterminated string literal", detail, token.place)
            return "".join(text), (opening.start, token.end)
        else:
            cursor.error("Invalid string literal", "This item is not valid in a string literal.", token.place)
            cursor.recover("close quote")
            return "".join(text), (opening.start, token.end)


def unescaped(cursor: Cursor, token: Token) -> str:
    """The text that a literal piece stands for; wrong escapes are told."""
    if token.kind == "heredoc literal":
        return token.text.replace("$${", "${").replace("%%{", "%{")

    def replace(match: re.Match[str]) -> str:
        escape = match.group()
        if escape[0] in "$%":
            return escape[1:]
        place = (token.start + match.start(), token.start + match.end())
        selector = escape[1]
        if selector in _PLAIN:
            return _PLAIN[selector]
        if selector in "uU":
            return _character(cursor, escape, place)
        detail = f"The symbol {quoted(escape[1:])} is not a valid escape sequence selector."
        cursor.error("Invalid escape sequence", detail, place)
        return escape[1:]

    return _ESCAPE.sub(replace, token.text)


def _character(cursor: Cursor, escape: str, place: Range) -> str:
    wanted, count = ("four", 6) if escape[1] == "u" else ("eight", 10)
    if len(escape) != count:
        detail = f"The \\{escape[1]} escape sequence must be followed by {wanted} hexadecimal digits."
        cursor.error("Invalid escape sequence", detail, place)
        return escape
    code = int(escape[2:], 16)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        cursor.error("Invalid escape sequence", f"Cannot encode character U+{code:04x} in UTF-8.", place)
        return escape
    return chr(code)


def _parts(cursor: Cursor, closer: str, expression: ReadExpression) -> list[_Part]:
    start = cursor.peek()
    parts: list[_Part] = []
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
            parts.append(_Text(text.lstrip() if trim else text, token.place))
            can_trim = True
        elif token.kind in ("interp", "control"):
            if trimmable and token.text.endswith("~"):
                last = parts[-1]
                assert isinstance(last, _Text)
                last.text = last.text.rstrip()
            with cursor.newlines(False):
                if token.kind == "interp":
                    parts.append(_Value(expression(cursor)))
                    trim_next = _end_interpolation(cursor, closer, start)
                else:
                    trim_next = _directive(cursor, token, parts, expression)
        else:
            cursor.follow("Unterminated template string", "No closing marker was found for the string.", token.place)
            end = cursor.recover(closer).place
            break
    if not parts:
        parts.append(_Text("", (start.end, start.end)))
    parts.append(_End("", end))
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


def _directive(cursor: Cursor, opening: Token, parts: list[_Part], expression: ReadExpression) -> bool:
    word = cursor.peek()
    if word.kind != "ident":
        detail = 'A template directive keyword ("if", "for", etc) is expected at the beginning of a %{ sequence.'
        cursor.follow("Invalid template directive", detail, word.place)
        cursor.recover("end sequence")
        return False
    cursor.read()
    if word.text == "if":
        condition = expression(cursor)
        parts.append(_If(condition, (opening.start, cursor.peek().end)))
    elif word.text == "for":
        head = _for_head(cursor, opening, expression)
        if head is None:
            cursor.recover("end sequence")
            return False
        parts.append(head)
    elif word.text in _DIRECTIVES:
        parts.append(_End(word.text, (opening.start, cursor.peek().end)))
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


def _for_head(cursor: Cursor, opening: Token, expression: ReadExpression) -> _ForEach | None:
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
    return _ForEach(key_name, value_name, collection, (opening.start, cursor.peek().end))


def _flush(parts: list[_Part]) -> None:
    """Take the indentation that all lines share off a `<<-` heredoc; lines that are only space do not count."""
    margins: list[int] = []
    starts: list[_Text] = []
    line_start = True
    for part in parts:
        if line_start:
            line_start = False
            if isinstance(part, _Text):
                stripped = part.text.lstrip()
                if stripped or not part.text.endswith("\n"):
                    margins.append(len(part.text) - len(stripped))
                    starts.append(part)
            elif isinstance(part, _End) and not part.word:
                break
            else:
                margins.append(0)
        if isinstance(part, _Text) and part.text.endswith("\n"):
            line_start = True
    margin = min(margins, default=0)
    for text in starts:
        text.text = text.text[margin:]
        text.place = (text.place[0] + margin, text.place[1])


def _melded(parts: list[_Part]) -> list[_Part]:
    melded: list[_Part] = []
    for part in parts:
        last = melded[-1] if melded else None
        if isinstance(part, _Text) and isinstance(last, _Text):
            melded[-1] = _Text(last.text + part.text, (last.place[0], part.place[1]))
        else:
            melded.append(part)
    return melded


class _Tree:
    """Puts `%{ if }` and `%{ for }` around what is between them and their ends."""

    def __init__(self, cursor: Cursor, parts: list[_Part]) -> None:
        self._cursor = cursor
        self._parts = parts
        self._index = 0

    def read(self) -> list[Node]:
        nodes: list[Node] = []
        while not self._at_end():
            nodes.append(self._node())
        return nodes

    def _peek(self) -> _Part:
        return self._parts[self._index]

    def _at_end(self) -> bool:
        part = self._peek()
        return isinstance(part, _End) and not part.word

    def _read(self) -> _Part:
        part = self._peek()
        if not self._at_end():
            self._index += 1
        return part

    def _node(self) -> Node:
        part = self._read()
        match part:
            case _Text():
                return Literal(part.place, part.text)
            case _Value():
                return part.node
            case _If():
                with self._cursor.deeper():
                    return self._if(part)
            case _ForEach():
                with self._cursor.deeper():
                    return self._for(part)
        detail = "The control directives within this template are unbalanced."
        self._cursor.error(f"Unexpected {part.word} directive", detail, part.place)
        return Broken(part.place)

    def _missing(self, kind: str, place: Range, end: _End) -> Node:
        where = self._cursor.source.show(place)
        detail = f"The {kind} directive at {where} is missing its corresponding end{kind} directive."
        self._cursor.error("Unexpected end of template", detail, end.place)
        return Broken(end.place)

    def _if(self, opening: _If) -> Node:
        where = self._cursor.source.show(opening.place)
        true: list[Node] = []
        false: list[Node] = []
        current = true
        while True:
            part = self._peek()
            if not isinstance(part, _End):
                current.append(self._node())
                continue
            if not part.word:
                return self._missing("if", opening.place, part)
            self._read()
            if part.word == "else" and current is true:
                current = false
                continue
            if part.word == "endif":
                break
            if part.word == "else":
                detail = f"Already in the else clause for the if started at {where}."
            else:
                detail = f"Expecting an endif directive for the if started at {where}."
            self._cursor.error(f"Unexpected {part.word} directive", detail, part.place)
            return Broken(part.place)
        return Conditional(
            (opening.place[0], part.place[1]),
            opening.condition,
            _joined(true, opening.place[1]),
            _joined(false, part.place[0]),
        )

    def _for(self, opening: _ForEach) -> Node:
        content: list[Node] = []
        while True:
            part = self._peek()
            if not isinstance(part, _End):
                content.append(self._node())
                continue
            if not part.word:
                return self._missing("for", opening.place, part)
            self._read()
            if part.word == "endfor":
                break
            if part.word == "else":
                detail = "An else clause is not expected for a for directive."
            else:
                where = self._cursor.source.show(opening.place)
                detail = f"Expecting an endfor directive corresponding to the for directive at {where}."
            self._cursor.error(f"Unexpected {part.word} directive", detail, part.place)
            return Broken(part.place)
        place = (opening.place[0], part.place[1])
        value = _joined(content, opening.place[1])
        items = For(
            place, opening.key_name, opening.value_name, opening.collection, None, value, None, False, opening.place
        )
        return TemplateJoin(place, items)


def _joined(nodes: list[Node], empty_at: int) -> Node:
    parts = nodes or [Literal((empty_at, empty_at), "")]
    return Template((parts[0].place[0], parts[-1].place[1]), parts)
