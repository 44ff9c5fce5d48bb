"""Facts without secrets, whoever found them: of a command line that holds one, and of an address with a password. Pure.

Extractors keep literals of variables apart themselves (`secret_literals`); this stands behind all of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from desired.facts.fact import Fact
from desired.facts.facts import EnvUse, Facts, HealthFact
from desired.facts.possible_secret import PAIR, may_be_secret
from desired.problem import Problem
from desired.secret_literals import secret_kind, secret_words

# Of a container's user: no group is called so.
_PASSWORD_AS_GROUP = re.compile(r"[\w.-]+:(?=.*[A-Za-z])(?=.*[\d!$%&*+?^~#])(?![a-z]+\d{1,2}$).{6,}")
# Shorter ones stand in texts by chance.
_SHORTEST = 4


def withheld(facts: Facts, known: Collection[str] = ()) -> tuple[Facts, tuple[Problem, ...]]:
    """The facts that may be shown, and a warning for each that may not. Doing it again changes nothing.

    `known` are texts that are known to be secrets, for they are the value of one: they are looked for in commands, and
    as the value of another variable.
    """
    known = frozenset(text for text in known if len(text) >= _SHORTEST)
    changed: dict[str, Any] = {}
    warnings: list[Problem] = []
    for field in fields(Facts):
        held = getattr(facts, field.name)
        if isinstance(held, Mapping):
            # A name of a variable is no secret, whatever it is called.
            named = field.name != "secret_literals"
            kept: Any = {
                key: fact for key, fact in held.items() if not _secret(key if named else "", fact.value, known)
            }
            left = [(f"{field.name}.{key}", fact) for key, fact in held.items() if key not in kept]
        else:
            left = [(field.name, held)] if held is not None and _single(field.name, held.value, known) else []
            kept = None if left else held
        if left:
            changed[field.name] = kept
            warnings += [_told(name, fact) for name, fact in left]
            if field.name in ("command", "entrypoint"):
                hidden_fact = replace(left[0][1], value="a secret stood in it", overruled=())
                changed["left_out"] = {**changed.get("left_out", facts.left_out), field.name: hidden_fact}
            if field.name == "env":
                hidden = {str(name).partition(".")[2]: fact for name, fact in left}
                said = {name: replace(fact, value=name, overruled=()) for name, fact in hidden.items()}
                changed["secret_literals"] = {**facts.secret_literals, **said}
    return (replace(facts, **changed) if changed else facts), tuple(warnings)


def _single(field: str, value: object, known: frozenset[str]) -> bool:
    if field == "user" and _PASSWORD_AS_GROUP.fullmatch(str(value)) is not None:
        return True
    return _secret("", value, known)


def _secret(key: object, value: object, known: frozenset[str]) -> bool:
    match value:
        case str():
            return value in known or may_be_secret(str(key), value)
        case tuple():
            return _in_command(value, known)
        case HealthFact():
            return _in_command((*value.command, value.path or ""), known) or may_be_secret("", value.path or "")
        case EnvUse():
            return value.default is not None and may_be_secret(str(key), value.default)
    texts = (getattr(value, name) for name in getattr(value, "__slots__", ()))
    return any(isinstance(text, str) and secret_kind(text) is not None for text in texts)


def _in_command(words: tuple[object, ...], known: frozenset[str]) -> bool:
    texts = [str(word) for word in words]
    # What a shell is given is one text. What it puts in itself is no secret.
    bare = [text.replace('"', "").replace("'", "") for text in texts]
    if any(secret_kind(text) is not None for text in texts) or any(may_be_secret("", text) for text in bare):
        return True
    split = [part for text in bare for part in text.split()]
    plain = [part if "=$" not in part else "" for part in split]
    return (
        bool(known & set(re.split(r"[\s\"'=:@]+", " ".join(texts))))
        or any(secret_words(plain))
        or any(_by_program(plain))
    )


def _by_program(words: list[str]) -> Iterator[bool]:
    """The short options of programs that take a password so."""
    for place, word in enumerate(words):
        following = words[place + 1 : place + 12]
        match word.rpartition("/")[2]:
            case "mysql" | "mysqladmin" | "mysqldump" | "mariadb" | "mariadb-admin":
                yield any(len(one) > 2 and one.startswith("-p") and one[2] not in "$\"'" for one in following)
            case "sqlcmd":
                yield _follows(following, "-P")
            case "redis-cli":
                yield _follows(following, "-a")
            case "curl" | "wget":
                yield any(_follows(following, option, having=":") for option in ("-u", "--user"))
        if word in ("-u", "--user", "--login", "--auth", "--credentials") and following:
            yield PAIR.fullmatch(following[0]) is not None


def _follows(words: list[str], option: str, having: str = "") -> bool:
    said = words[words.index(option) + 1] if option in words[:-1] else ""
    return bool(said) and having in said and not said.lstrip("\"'").startswith("$")


def _told(name: str, fact: Fact[Any]) -> Problem:
    path, line = ("", 0) if fact.place is None else (fact.place.path, fact.place.line or 0)
    return Problem(
        path, line, message=f"{name.partition('.')[0]} holds a secret: it was left out", hint="take it out of the file"
    )
