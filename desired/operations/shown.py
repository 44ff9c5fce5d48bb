"""What of an operation's values may be shown: everything structural, and nothing that may be a secret.

Whatever an environment or a template holds is hidden, unless it is structure by its very form: a port, a switch, a
path, an address; of a template, its actions with the paths and names in them, never the text around them. Command
lines are shown but for what looks like a secret, or stands where its name says that one stands. A text of any kind
that looks like a secret is hidden.
"""

from __future__ import annotations

import re

from desired.job.duration import format_duration
from desired.operations.operation import Kind, Operation, Value
from desired.operations.table import How, Row, Scope, Unit, row
from desired.secret_literals import secret_by_name, secret_kind

HIDDEN = "(hidden)"
_ELLIPSIS = "…"
# A port, a switch, a path, an address with or without a port: nobody's password looks so by its form.
_STRUCTURE = re.compile(
    r"true|false|\d{1,5}|/[\w./-]{0,200}|(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?|(?:localhost|\[::\])?:\d{1,5}|"
    r"(?:https?|tcp|redis|postgres(?:ql)?|mysql|amqp)://[\w.-]{1,200}(?::\d{1,5})?(?:/[\w./-]{0,100})?"
)
_FLAG = re.compile(r"(--?[\w.-]+)(?:=(.*))?", re.DOTALL)
_TEMPLATE_PART = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|\{\{-?|-?\}\}|[\w$.]+|\s+|.', re.DOTALL)
_NAME = re.compile(r"[$.]?[A-Za-z_][\w.]*")
_PATH = re.compile(r"[\w@:.~${}/-]{1,300}")
_WORDS = frozenset(
    re.findall(
        r"\w+",
        "end else if range with define template block break continue and or not eq ne lt le gt ge len index slice "
        "print printf println env key keyOrDefault keyExists ls tree secret secrets nomadVar nomadVarExists "
        "nomadVarList nomadService nomadServices service services node nodes datacenters file toJSON toYAML parseJSON "
        "base64Encode base64Decode toLower toUpper trimSpace trim split join replaceAll regexReplaceAll contains true "
        "false nil sprig_default sprig_quote sprig_fail sprig_hasKey timestamp scratch",
    )
)


def value(operation: Operation, shown: Value) -> str:
    """A value of the operation as people may read it; `none` where there is none."""
    return shown_value(row(operation.kind), operation.at, shown)


def shown_value(row: Row, at: tuple[str, ...], shown: Value) -> str:
    if shown is None:
        return "none"
    if isinstance(shown, bool):
        return "true" if shown else "false"
    if isinstance(shown, int):
        if row.unit is Unit.NANOSECONDS:
            return format_duration(shown)
        return f"{shown} {row.unit}".strip() if row.kind is not Kind.ENV else str(shown)
    if isinstance(shown, tuple):
        return f"[{', '.join(arguments(shown))}]"
    return _text(row, at, shown)


def _text(row: Row, at: tuple[str, ...], shown: str) -> str:
    if row.how is How.FRAGMENT:
        return fragment(shown, names=row.kind is not Kind.TEMPLATE_SYNTAX)
    if row.kind is Kind.ENV:
        return environment(at[-1], shown)
    if row.scope is Scope.ENTRY and row.how is not How.RENAME and secret_by_name(at[-1], shown):
        return HIDDEN
    if secret_kind(shown):
        return HIDDEN
    return _one_line(shown) if shown else '""'


def environment(name: str, shown: str) -> str:
    """A value of an environment: structure only, and that only under a name that promises no secret."""
    if secret_by_name(name, shown) or secret_kind(shown) or not _STRUCTURE.fullmatch(shown):
        return HIDDEN
    return shown


def arguments(words: tuple[str, ...]) -> list[str]:
    """A command line without its secrets: `--password=x` and `--password x` keep the name only."""
    shown: list[str] = []
    before = ""
    for word in words:
        flag = _FLAG.fullmatch(word)
        if before and flag is None and secret_by_name(before, word):
            shown.append(HIDDEN)
        elif flag is not None and flag[2] is not None and (secret_by_name(_name(flag[1]), flag[2])):
            shown.append(f"{flag[1]}={HIDDEN}")
        else:
            shown.append(HIDDEN if secret_kind(word) else _one_line(word))
        before = _name(flag[1]) if flag is not None and flag[2] is None else ""
    return shown


def _name(flag: str) -> str:
    return flag.lstrip("-")


def fragment(text: str, *, names: bool) -> str:
    """A piece of a template. Where it consists of `names`, they are shown; otherwise only actions are."""
    bare = _PATH.fullmatch(text) is not None and ("/" in text or _NAME.fullmatch(text) is not None)
    if names and bare and not secret_kind(text):
        return text
    return _actions(text, inside=names)


def _actions(text: str, *, inside: bool = False) -> str:
    """Only what the template language itself is made of; the rest is an ellipsis."""
    shown: list[str] = []
    opens, closes = text.find("{{"), text.find("}}")
    # A piece may begin in the middle of an action.
    inside = inside or (closes >= 0 and (opens < 0 or closes < opens))
    for match in _TEMPLATE_PART.finditer(text):
        part = match.group()
        if part in ("{{", "{{-"):
            inside = True
        kept = part in ("{{", "{{-", "}}", "-}}") or (inside and _kept(part))
        if kept:
            shown.append(" " if part.isspace() else part)
        elif not shown or shown[-1] != _ELLIPSIS:
            shown.append(_ELLIPSIS)
        if part in ("}}", "-}}"):
            inside = False
    return "".join(shown)


def _kept(part: str) -> bool:
    if part[0] in '"`':
        return _PATH.fullmatch(part[1:-1]) is not None and "/" in part and secret_kind(part) is None
    if _NAME.fullmatch(part):
        return part[0] in "$." or part in _WORDS
    return part.isspace() or part in '|()=:,.$"`[]-<>'


def template(text: str) -> str:
    """A whole template, line by line: its actions alone."""
    return "\n".join(_actions(line) if line else "" for line in text.split("\n"))


def _one_line(text: str) -> str:
    shown = text if text.isprintable() else text.encode("unicode_escape").decode()
    return shown if len(shown) <= 200 else f"{shown[:199]}{_ELLIPSIS}"
