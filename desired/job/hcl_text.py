"""Writes HCL's values: strings that read back as they are, heredocs for long ones, lists and objects."""

from __future__ import annotations

import re
from typing import Any

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# In an object these begin something else than a key.
_KEYWORDS = frozenset({"for", "if", "in", "null", "true", "false"})
# What Nomad fills in on the client: a plain path that no variable of the job file can be meant by.
_RUNTIME = re.compile(
    r"\$\{(?!(?:var|local|true|false|null)\b)[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*)*\}(?! *\})"
)
_MARK = re.compile(r"[$%]\{")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LINE = 100


def template_text(text: str) -> str:
    """A text in which only what Nomad interpolates at run time is still an interpolation."""
    pieces: list[str] = []
    position = 0
    for mark in _MARK.finditer(text):
        start = mark.start()
        if start < position:
            continue
        pieces.append(text[position:start])
        runtime = _RUNTIME.match(text, start)
        if runtime is not None and text[start - 1 : start] != "$":
            pieces.append(runtime.group())
            position = runtime.end()
        else:
            pieces.append(text[start] + mark.group())
            position = mark.end()
    return "".join([*pieces, text[position:]])


def quoted_text(text: str, *, label: bool = False) -> str:
    """A quoted string. A label may hold no interpolation at all."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = _CONTROL.sub(lambda match: _SHORT.get(match.group(), f"\\u{ord(match.group()):04x}"), escaped)
    escaped = _MARK.sub(lambda match: match.group()[0] + match.group(), escaped) if label else template_text(escaped)
    return f'"{escaped}"'


def text_value(text: str, indent: int) -> str:
    """A string as people would write it: quoted, or a heredoc when it has several lines."""
    body = text.removesuffix("\n")
    if "\n" not in body or _CONTROL.search(text.replace("\n", "").replace("\t", "")):
        return quoted_text(text)
    lines = body.split("\n")
    marker = "EOT"
    while any(line.strip() == marker for line in lines):
        marker += "T"
    margins = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    # A flush heredoc loses the margin that all lines share, so it may only have the one that is added here.
    flush = bool(margins) and min(margins) == 0
    pad = " " * (indent + 2) if flush else ""
    written = [pad + template_text(line) if line.strip() else line for line in lines]
    closing = " " * indent + marker if flush else marker
    heredoc = "\n".join([f"<<{'-' if flush else ''}{marker}", *written, closing])
    return heredoc if text.endswith("\n") else f"chomp({heredoc}\n{' ' * indent})"


def value(item: Any, indent: int) -> str:
    """Any value as an expression; `indent` is the depth of the line that it begins on."""
    match item:
        case None:
            return "null"
        case bool():
            return "true" if item else "false"
        case str():
            return text_value(item, indent)
        case int():
            return str(item)
        case float():
            return repr(item)
        case dict():
            return _object(item, indent)
        case list() | tuple():
            return _list(list(item), indent)
    raise TypeError(f"{type(item).__name__} cannot be written as HCL")


def _list(items: list[Any], indent: int) -> str:
    parts = [value(item, indent + 2) for item in items]
    line = f"[{', '.join(parts)}]"
    if "\n" not in line and len(line) + indent <= _LINE:
        return line
    pad = " " * (indent + 2)
    # After a heredoc's marker nothing may stand on the line.
    lines = [f"{pad}{part}\n{pad}," if part.startswith("<<") else f"{pad}{part}," for part in parts]
    return "\n".join(["[", *lines, " " * indent + "]"])


def _object(items: dict[str, Any], indent: int) -> str:
    if not items:
        return "{}"
    pairs = [(key_text(key), value(item, indent + 2)) for key, item in items.items()]
    return "\n".join(["{", *aligned(pairs, indent + 2), " " * indent + "}"])


def key_text(key: str) -> str:
    """A key of an object: bare where it can be."""
    bare = IDENTIFIER.fullmatch(key) and key not in _KEYWORDS
    return key if bare else quoted_text(key, label=True)


def aligned(pairs: list[tuple[str, str]], indent: int) -> list[str]:
    """`name = value` lines with their equals signs in one column, as `nomad fmt` does; long values stand alone."""
    lines: list[str] = []
    run: list[tuple[str, str]] = []

    def flush() -> None:
        width = max((len(name) for name, _ in run), default=0)
        lines.extend(f"{' ' * indent}{name.ljust(width)} = {text}" for name, text in run)
        run.clear()

    for name, text in pairs:
        if "\n" in text:
            flush()
            lines.append(f"{' ' * indent}{name} = {text}")
        else:
            run.append((name, text))
    flush()
    return lines
