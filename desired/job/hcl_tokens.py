"""Cuts HCL into tokens: quoted templates, heredocs and interpolations nested in each other.

Why not python-hcl2: against a real server it refuses six kinds of valid job file (a byte order mark, a comment inside
an expression, names beyond ASCII, a heredoc marker with a trailing space, a newline before a minus sign, `51 -1`) and
accepts invalid ones; it costs 0.2 s at the first parse; its errors cannot be turned into Nomad's words and places.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from desired.job.hcl_source import Diagnostic, Range, Source


class Token(NamedTuple):
    """A piece of text. Operators and brackets are their own kind; the others have a name."""

    kind: str
    start: int
    end: int
    text: str

    @property
    def place(self) -> Range:
        return self.start, self.end


_MAIN = re.compile(
    r"""
      (?P<space>[ \t]+)
    | (?P<comment>\#[^\n]*\n? | //[^\n]*\n? | /\*(?:[^*]|\*(?!/))*\*/)
    | (?P<newline>\r?\n)
    | (?P<ident>[^\W\d][\w-]*)
    | (?P<number>[0-9](?:[0-9.]|[eE][+-]?[0-9])*)
    | (?P<heredoc><<-?[^\W\d][\w-]*\r?\n)
    | (?P<operator>==|!=|>=|<=|&&|\|\||::|\.\.\.|=>|\*\*|~\}|[\[\](){}.,*/%+\-=<>!?:"])
    | (?P<invalid>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(
    r"""
      (?P<interp>\$\{~?) | (?P<control>%\{~?) | (?P<quote>") | (?P<newline>[\r\n]+)
    | (?P<literal>(?:\$\$\{~? | %%\{~? | \\[^\r\n] | \$(?!\{) | %(?!\{) | [^$%"\\\r\n])+)
    | (?P<invalid>.)
    """,
    re.VERBOSE,
)
_HEREDOC = re.compile(
    r"""
      (?P<interp>\$\{~?) | (?P<control>%\{~?)
    | (?P<literal>(?:\$\$\{~? | %%\{~? | \$(?!\{) | %(?!\{) | [^$%\n])*\n?)
    """,
    re.VERBOSE,
)


class _Heredoc:
    def __init__(self, marker: str) -> None:
        self.marker = marker
        self.line_start = True


class Tokens:
    """Scans a whole text at once. `tokens` always ends with `eof`; comments appear as the newline that ends them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self._braces = 0
        # What a closing brace, quote or heredoc marker returns to, innermost last.
        self._modes: list[str | _Heredoc] = []
        self._returns: list[int] = []
        offset = 0
        while offset < len(text):
            mode = self._modes[-1] if self._modes else "main"
            if isinstance(mode, _Heredoc):
                offset = self._heredoc(mode, offset)
            elif mode == "quoted":
                offset = self._quoted(offset)
            else:
                offset = self._main(offset)
        self.tokens.append(Token("eof", len(text), len(text), ""))

    def _add(self, kind: str, start: int, end: int) -> None:
        self.tokens.append(Token(kind, start, end, self.text[start:end]))

    def _main(self, offset: int) -> int:
        match = _MAIN.match(self.text, offset)
        assert match is not None
        kind, end = match.lastgroup, match.end()
        if kind == "comment":
            if match.group().endswith("\n"):
                self._add("newline", offset, end)
        elif kind == "number":
            end = offset + len(match.group().rstrip("."))
            self._add("number", offset, end)
        elif kind == "heredoc":
            self._add("heredoc", offset, end)
            self._modes.append(_Heredoc(match.group().lstrip("<-").strip()))
        elif kind == "operator":
            self._operator(match.group(), offset, end)
        elif kind != "space":
            self._add(kind or "invalid", offset, end)
        return end

    def _operator(self, text: str, start: int, end: int) -> None:
        if text == '"':
            self._add("open quote", start, end)
            self._modes.append("quoted")
            return
        if text == "{":
            self._braces += 1
        elif text in ("}", "~}"):
            closes = bool(self._returns) and self._returns[-1] == self._braces
            self._braces -= 1
            if closes:
                self._returns.pop()
                self._modes.pop()
            if closes or text == "~}":
                self._add("end sequence", start, end)
                return
        self._add(text, start, end)

    def _sequence(self, kind: str, start: int, end: int) -> None:
        self._add(kind, start, end)
        self._braces += 1
        self._returns.append(self._braces)
        self._modes.append("main")

    def _quoted(self, offset: int) -> int:
        match = _QUOTED.match(self.text, offset)
        assert match is not None
        end = match.end()
        match match.lastgroup:
            case "interp" | "control" as kind:
                self._sequence(kind, offset, end)
            case "quote":
                self._add("close quote", offset, end)
                self._modes.pop()
            case "newline":
                self._add("quoted newline", offset, end)
            case "literal":
                self._add("quoted literal", offset, end)
            case _:
                self._add("invalid", offset, end)
        return end

    def _heredoc(self, heredoc: _Heredoc, offset: int) -> int:
        match = _HEREDOC.match(self.text, offset)
        assert match is not None
        end = match.end()
        text = match.group()
        if match.lastgroup != "literal":
            heredoc.line_start = False
            self._sequence(match.lastgroup or "", offset, end)
        elif text.endswith("\n") and heredoc.line_start and text.strip() == heredoc.marker:
            newline = end - (2 if text.endswith("\r\n") else 1)
            self._add("close heredoc", offset, newline)
            self._add("newline", newline, end)
            self._modes.pop()
        elif not text:
            # Only a lone marker character at the very end matches nothing.
            self._add("invalid", offset, offset + 1)
            end = offset + 1
        else:
            heredoc.line_start = text.endswith("\n")
            self._add("heredoc literal", offset, end)
        return end


_TYPOGRAPHIC_QUOTES = "\u201c\u201d"
_NOT_OPERATORS = {
    "&": ' Did you mean boolean AND ("&&")?',
    "|": ' Did you mean boolean OR ("||")?',
    "~": ' Did you mean boolean NOT ("!")?',
    "^": "",
}


def invalid_tokens(tokens: list[Token], source: Source) -> list[Diagnostic]:
    """What may stand nowhere in HCL. Repetitions are told once, as Nomad does."""
    found: list[Diagnostic] = []
    told: dict[str, int] = {}
    for token in tokens:
        if token.kind == "quoted newline":
            detail = (
                "Quoted strings may not be split over multiple lines. To produce a multi-line string, either use the "
                '\\n escape to represent a newline character or use the "heredoc" multi-line template syntax.'
            )
            found.append(Diagnostic("Invalid multi-line string", detail, token.place, source))
        elif token.kind == "**":
            if not told.get("**"):
                detail = '"**" is not a supported operator. Exponentiation is not supported as an operator.'
                found.append(Diagnostic("Unsupported operator", detail, token.place, source))
            told["**"] = 1
        elif token.kind == "invalid":
            group = "bitwise" if token.text in _NOT_OPERATORS else token.text
            times = told.get(group, 0)
            finding = _invalid(token, source, times)
            if finding is not None:
                found.append(finding)
            told[group] = min(times + 1, 4 if group == "bitwise" else 3)
    return found


def _invalid(token: Token, source: Source, times: int) -> Diagnostic | None:
    text = token.text
    if text in _NOT_OPERATORS:
        if times >= 4:
            return None
        detail = f"Bitwise operators are not supported.{_NOT_OPERATORS[text]}"
        return Diagnostic("Unsupported operator", detail, token.place, source)
    if text == "`":
        detail = (
            'The "`" character is not valid. To create a multi-line string, use the "heredoc" syntax, like "<<EOT".'
        )
        return Diagnostic("Invalid character", detail, token.place, source) if times % 2 == 0 else None
    if text == "'":
        detail = 'Single quotes are not valid. Use double quotes (") to enclose strings.'
        return Diagnostic("Invalid character", detail, token.place, source) if times % 2 == 0 else None
    if text == ";":
        detail = (
            'The ";" character is not valid. Use newlines to separate arguments and blocks, and commas to separate '
            "items in collection values."
        )
        return Diagnostic("Invalid character", detail, token.place, source) if times == 0 else None
    if text in _TYPOGRAPHIC_QUOTES:
        detail = (
            '"Curly quotes" are not valid here. These can sometimes be inadvertently introduced when sharing code via '
            'documents or discussion forums. It might help to replace the character with a "straight quote".'
        )
        return Diagnostic("Invalid character", detail, token.place, source)
    return Diagnostic("Invalid character", "This character is not used within the language.", token.place, source)
