"""Literals as most languages write them."""

from __future__ import annotations

from desired.facts.app_code.bounded import bounded

# A text in quotes of one line, without anything put into it while it runs.
QUOTED = r"(?:\"(?:[^\"\\\n$]|\\.)*+\"|'(?:[^'\\\n]|\\.)*+'|`[^`$\\\n]*+`)"
_ESCAPE = bounded(r"\\(.)")


def unquoted(literal: str | None) -> str | None:
    """What a literal stands for; numbers and words as they are, None for None."""
    if literal is None:
        return None
    if literal[:1] in ("'", '"', "`") and len(literal) > 1:
        return _ESCAPE.sub(r"\1", literal[1:-1])
    return literal.replace("_", "") if literal[:1].isdigit() else literal
