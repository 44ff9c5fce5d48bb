"""Takes secrets out of a plan's diff before anything is made of it: a diff is logged, shown and stored. Pure.

Nomad answers with values of the environment, of templates and of a driver's config as they are.
"""

from __future__ import annotations

import re
from typing import Any

from desired.secret_literals import secret_by_name, secret_kind
from observers.nomad.answers import Json

HIDDEN = "(hidden)"
CHANGED = "(hidden, another)"
# `Env[DB_PASSWORD]`, `auth[0][password]`: the innermost name tells.
_INNERMOST = re.compile(r"\[([^\[\]]+)\]$")


def without_secrets(diff: Json) -> dict[str, Any]:
    """The same diff with every value hidden that looks like a secret, by its name or by its form."""
    return {key: _parts(value) if isinstance(value, list) else value for key, value in diff.items()}


def _parts(parts: list[Any]) -> list[Any]:
    return [_part(part) if isinstance(part, dict) else part for part in parts]


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if "Old" not in part and "New" not in part:
        return without_secrets(part)
    name, old, new = str(part.get("Name") or ""), str(part.get("Old") or ""), str(part.get("New") or "")
    named = _INNERMOST.search(name)
    plain = named.group(1) if named else name
    if not any(secret_kind(value) or secret_by_name(plain, value) for value in (old, new)):
        return part
    hidden_new = HIDDEN if new == old or not old else CHANGED
    return {**part, "Old": HIDDEN if old else "", "New": hidden_new if new else ""}
