"""Takes secrets out of a plan's diff before anything is made of it: a diff is logged, shown and stored. Pure.

Nomad answers with values of the environment, of templates and of a driver's config as they are. What is secret is what
`observers.job_secrets` finds: the diff is read as the two jobs that it is made of.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from observers.job_secrets import is_secret, known_in, names_a_secret
from observers.nomad.answers import Json

HIDDEN = "(hidden)"
CHANGED = "(hidden, another)"
_SIDES = ("Old", "New")
# `Env[DB_PASSWORD]`, `auth[0][password]`, `GetterHeaders[Authorization]`: the innermost name tells.
_NAMES = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")
# A template's text is also searched like any other, wherever the diff has it.
_TEXT = "text"
_WORD = re.compile(r"(args|entrypoint|command)\[(\d{1,6})\]")


def without_secrets(diff: Json) -> dict[str, Any]:
    """The same diff with every secret hidden: the whole value where its name says so, else the piece that is one."""
    known = sorted({one for side in _SIDES for one in known_in(_job(diff, side))}, key=lambda one: (-len(one), one))
    hide = re.compile("|".join(map(re.escape, known))) if known else None
    return _masked(dict(diff), hide)


def _masked(part: dict[str, Any], hide: re.Pattern[str] | None) -> dict[str, Any]:
    if "Old" in part or "New" in part:
        return _field(part, hide)
    return {
        key: [_masked(one, hide) if isinstance(one, dict) else one for one in value]
        if isinstance(value, list)
        else value
        for key, value in part.items()
    }


def _field(field: dict[str, Any], hide: re.Pattern[str] | None) -> dict[str, Any]:
    old, new = (str(field.get(side) or "") for side in _SIDES)
    if any(_whole(str(field.get("Name") or ""), value) for value in (old, new)):
        shown_old, shown_new = (HIDDEN if value else "" for value in (old, new))
    else:
        shown_old, shown_new = (hide.sub(HIDDEN, value) if hide else value for value in (old, new))
    if shown_old == shown_new and old != new:
        shown_new = shown_new.replace(HIDDEN, CHANGED)
    return {**field, "Old": shown_old, "New": shown_new}


def _whole(name: str, value: str) -> bool:
    inner = _names(name)
    plain = inner[-1] if inner else name
    return bool(value) and (inner[:1] == ["Env"] or names_a_secret(plain)) and is_secret(plain, value)


def _names(name: str) -> list[str]:
    """`auth[0][password]` as its names, without places in a list."""
    return [found for match in _NAMES.finditer(name) if (found := match[1] or match[2] or "") and not found.isdigit()]


def _job(diff: Json, side: str) -> dict[str, Any]:
    """As much of the job of one side as the diff holds, so that what is searched for secrets is a job."""
    groups = [
        {**_part(group, side), "Tasks": [_part(task, side) for task in _each(group, "Tasks")]}
        for group in _each(diff, "TaskGroups")
    ]
    return {**_part(diff, side), "TaskGroups": groups}


def _part(part: Json, side: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    words: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for field in _each(part, "Fields"):
        name, value = str(field.get("Name") or ""), str(field.get(side) or "")
        if word := _WORD.fullmatch(name):
            words[word[1]][int(word[2])] = value
            continue
        names = _names(name)
        if names[:1] == ["Env"]:
            made.setdefault("Env", {})[names[-1]] = value
        else:
            # Several values may have one name: none is to be lost.
            plain = names[-1] if names else name
            made.setdefault(_TEXT if plain == "EmbeddedTmpl" else plain, []).append(value)
    for name, placed in words.items():
        made[name] = [placed[place] for place in sorted(placed)]
    for inner in _each(part, "Objects"):
        name = str(inner.get("Name") or "")
        within = _part(inner, side)
        if name == "Template":
            text = "\n".join(within.get(_TEXT, ()))
            made.setdefault("Templates", []).append({**within, "EmbeddedTmpl": text})
        elif name == "Config":
            made["Config"] = within
        else:
            made.setdefault(name, []).append(within)
    return made


def _each(part: Json, key: str) -> Iterator[dict[str, Any]]:
    found = part.get(key)
    return (one for one in found if isinstance(one, dict)) if isinstance(found, list) else iter(())
