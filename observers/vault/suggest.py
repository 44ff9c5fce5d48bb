"""Which secret a variable probably takes its value from, of those that are there. Pure; names alone.

A name is compared by its words: `DB_PASSWORD` is `password` of `web/db`, `DB_PASSWORD` of anything, `pass` of
`web/database` less so. Nothing is suggested that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Words of one meaning, by the first of each line.
_SAME = (
    ("password", "passwd", "pass", "pwd", "pw"),
    ("user", "username", "usr", "login"),
    ("db", "database", "postgres", "postgresql", "pg", "mysql", "mariadb", "sql", "mongo", "mongodb"),
    ("key", "apikey"),
    ("token", "tok"),
    ("secret", "sec"),
    ("url", "uri", "dsn", "address", "addr"),
    ("host", "hostname"),
    ("cache", "redis"),
    ("queue", "amqp", "rabbitmq", "rabbit"),
    ("mail", "smtp", "email"),
    ("certificate", "cert", "crt"),
)
_MEANING = {word: line[0] for line in _SAME for word in line}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# Folders that say nothing of what is in them.
_PLAIN = frozenset({"config", "env", "secrets", "secret", "app", "default", "data", "kv", "common"})
_LEAST = 0.3
# Below what is taken for sure (desired.draft.value.SURE).
_ANOTHERS = 0.55


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A field of a secret; `path` as templates read it. Confidence from 0 to 1; the reason is for people."""

    path: str
    key: str
    confidence: float
    reason: str

    @property
    def reference(self) -> str:
        """As manifests write it."""
        return f"{self.path}#{self.key}"


def suggest(variable: str, app: str, paths: Mapping[str, Sequence[str] | None], *, most: int = 3) -> list[Suggestion]:
    """The likeliest fields, best first.

    `paths` are those of secrets (as templates read them) with the names of their fields, None where they are not
    known. The same input gives the same answer, whatever its order.
    """
    wanted = _words(variable)
    if not wanted:
        return []
    found = [
        one
        for path, keys in paths.items()
        for key in (keys if keys is not None else (_field(variable),))
        if (one := _judge(variable, wanted, app, path, key, known=keys is not None)) is not None
    ]
    found.sort(key=lambda one: (-one.confidence, one.path, one.key))
    return found[:most]


def _judge(variable: str, wanted: list[str], app: str, path: str, key: str, *, known: bool) -> Suggestion | None:
    field, place = _words(key), _words(_below(path))
    own = bool(_words(app)) and _contains(place, _words(app))
    rest = [word for word in place if word not in _words(app) and word not in _PLAIN]
    if not known and not set(rest) & set(wanted):
        return None  # the field is made of the variable's own name: the path alone has to speak of it
    if key == variable:
        score, reason = 0.75, f"a field of the same name in {path}"
    elif field == wanted:
        score, reason = 0.7, f"the field {key} in {path}"
    elif _same(rest + field, wanted) or _same(rest[-1:] + field, wanted):
        score, reason = 0.65, f"{key} of {path.rpartition('/')[2]}"
    elif field and field == wanted[-len(field) :] and not rest:
        score, reason = 0.4, f"{key} in {path}"
    else:
        shared = len(set(wanted) & set(rest + field)) / len(set(wanted) | set(rest + field))
        score, reason = 0.5 * shared if set(field) & set(wanted) else 0.0, f"{key} in {path} is named alike"
    if not own and set(rest) - set(wanted):
        # It may be another app's: nothing that is taken without a word.
        score, reason = min(score, _ANOTHERS), f"{reason}, which may be another's"
    if own:
        score, reason = score * 1.3, f"{reason}, of the app itself"
    if not known:
        score, reason = score * 0.6, f"{path} is there; its fields' names may not be read"
    score = round(min(score, 0.95), 2)
    return Suggestion(path, key, score, reason) if score >= _LEAST else None


def _field(variable: str) -> str:
    """What a field would be called in a secret whose fields are not known."""
    return variable.rpartition("_")[2].lower() or variable.lower()


def _below(path: str) -> str:
    """Without the mount and the `data` of version 2."""
    return path.partition("/")[2].removeprefix("data/")


def _words(name: str) -> list[str]:
    return [_MEANING.get(word, word) for word in (one.lower() for one in _WORD.findall(name))]


def _same(one: list[str], other: list[str]) -> bool:
    """The same words, each once: `db/db_password` says db twice."""
    return list(dict.fromkeys(one)) == list(dict.fromkeys(other))


def _contains(place: list[str], words: list[str]) -> bool:
    return any(place[at : at + len(words)] == words for at in range(len(place) - len(words) + 1))
