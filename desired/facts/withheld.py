"""Facts without secrets, whoever found them: of a command line that holds one, and of an address with a password. Pure.

Extractors keep literals of variables apart themselves (`secret_literals`); this stands behind all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from desired.facts.fact import Fact
from desired.facts.facts import EnvUse, Facts, HealthFact
from desired.problem import Problem
from desired.secret_literals import is_secret, secret_kind, secret_words


def withheld(facts: Facts) -> tuple[Facts, tuple[Problem, ...]]:
    """The facts that may be shown, and a warning for each that may not. Doing it again changes nothing."""
    changed: dict[str, Any] = {}
    warnings: list[Problem] = []
    for field in fields(Facts):
        held = getattr(facts, field.name)
        if isinstance(held, Mapping):
            kept: Any = {key: fact for key, fact in held.items() if not _secret(key, fact.value)}
            left = [(f"{field.name}.{key}", fact) for key, fact in held.items() if key not in kept]
        else:
            left = [(field.name, held)] if held is not None and _secret("", held.value) else []
            kept = None if left else held
        if left:
            changed[field.name] = kept
            warnings += [_told(name, fact) for name, fact in left]
            if field.name == "env":
                hidden = {str(name).partition(".")[2]: fact for name, fact in left}
                said = {name: replace(fact, value=name, overruled=()) for name, fact in hidden.items()}
                changed["secret_literals"] = {**facts.secret_literals, **said}
    return (replace(facts, **changed) if changed else facts), tuple(warnings)


def _secret(key: object, value: object) -> bool:
    match value:
        case str():
            # A name of a variable is no secret, whatever it is called.
            return value != key and is_secret(str(key), value)
        case tuple():
            return bool(list(_secrets_of(value)))
        case HealthFact():
            return bool(list(_secrets_of((*value.command, value.path or ""))))
        case EnvUse():
            return value.default is not None and is_secret(str(key), value.default)
    texts = (getattr(value, name) for name in getattr(value, "__slots__", ()))
    return any(isinstance(text, str) and secret_kind(text) is not None for text in texts)


def _secrets_of(words: tuple[object, ...]) -> Iterator[str]:
    yield from (flag for _, flag in secret_words(words))
    yield from (kind for word in words if (kind := secret_kind(str(word))) is not None)


def _told(name: str, fact: Fact[Any]) -> Problem:
    path, line = ("", 0) if fact.place is None else (fact.place.path, fact.place.line or 0)
    return Problem(
        path, line, message=f"{name.partition('.')[0]} holds a secret: it was left out", hint="take it out of the file"
    )
