"""Warns of secrets that stand in a job as they are: whoever reads the repository, or Nomad's jobs, reads them.

A manifest with one is refused when it is read. A job file is told of: it may be old, and its app runs. The value is
never said, only where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from desired.app import AppKey
from desired.objection import Objection
from desired.reasons import Reason
from desired.secret_literals import secret_by_name, secret_kind, secret_settings, secret_words
from desired.state import JobBody

RULE = "secret-exposed"
_FIX = "keep it in Vault or a Nomad variable, and read it from there"
# Maps whose keys are names that people give.
_NAMED = {"Env": "env", "Meta": "meta", "Config": "config", "GetterOptions": "options", "GetterHeaders": "headers"}
_WORDS = ("args", "command", "entrypoint")
_BLOCKS = {"TaskGroups": "group", "Tasks": "task", "Services": "service", "Templates": "template",
           "Artifacts": "artifact", "Checks": "check"}  # fmt: skip
_BY_NUMBER = frozenset({"Templates", "Artifacts", "Checks"})
_Place = tuple[tuple[str, ...], str]


class LiteralExaminer:
    """Pure; the same answer for the same job."""

    async def objections(self, key: AppKey, body: JobBody) -> Sequence[Objection]:
        return exposed(body)


def exposed(body: JobBody) -> tuple[Objection, ...]:
    """One for each place that holds a secret."""
    found = dict.fromkeys(_in_part(body, ()))
    return tuple(
        Objection(RULE, message, _FIX, at, warning=True, reason=Reason.SECRET_EXPOSED, lasting=True)
        for at, message in found
    )


def _in_part(part: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[_Place]:
    for key, value in part.items():
        if key in _NAMED and isinstance(value, Mapping):
            yield from _in_map(value, (*at, _NAMED[key]))
        elif key == "EmbeddedTmpl" and isinstance(value, str):
            yield from _in_text(value, (*at, "data"))
        elif key == "Header" and isinstance(value, Mapping):
            yield from _in_map(value, (*at, "header"))
        elif isinstance(value, Mapping):
            yield from _in_part(value, at)
        elif isinstance(value, list | tuple):
            for index, one in enumerate(value):
                if isinstance(one, Mapping):
                    yield from _in_part(one, _inside(at, key, index, one))
                elif isinstance(one, str):
                    yield from _by_form(one, at, key)
        elif isinstance(value, str):
            yield from _by_form(value, at, key)


def _inside(at: tuple[str, ...], key: str, index: int, one: Mapping[str, Any]) -> tuple[str, ...]:
    if key not in _BLOCKS:
        return at
    return (*at, _BLOCKS[key], str(index) if key in _BY_NUMBER else str(one.get("Name") or index))


def _in_map(values: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[_Place]:
    for name, value in values.items():
        here = (*at, str(name))
        if name in _WORDS and isinstance(value, list | tuple):
            for place, flag in secret_words(value):
                if not isinstance(value[place], str) or secret_kind(value[place]) is None:
                    yield here, f"{_where(at)}: by its name, {flag} in {name} is a secret"
        for one in _leaves(value):
            if kind := secret_kind(one):
                yield here, f"{_where(at)}: {name} holds what looks like {kind}"
            elif not isinstance(value, Mapping | list | tuple) and secret_by_name(str(name), one):
                yield here, f"{_where(at)}: by its name, {name} holds a secret"
        if isinstance(value, Mapping):
            yield from _in_map(value, here)
        elif isinstance(value, list | tuple):
            for one in value:
                if isinstance(one, Mapping):
                    yield from _in_map(one, here)


def _in_text(text: str, at: tuple[str, ...]) -> Iterator[_Place]:
    if kind := secret_kind(text):
        yield at, f"{_where(at)}: a template holds what looks like {kind}"
        return
    for name in dict.fromkeys(secret_settings(text)):
        yield at, f"{_where(at)}: by its name, {name} in a template holds a secret"


def _by_form(text: str, at: tuple[str, ...], key: str) -> Iterator[_Place]:
    if kind := secret_kind(text):
        yield at, f"{_where(at)}: {key} holds what looks like {kind}"


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        yield from (one for one in value if isinstance(one, str))


def _where(at: tuple[str, ...]) -> str:
    """group/task, or how far it goes."""
    return "/".join(name for kind, name in zip(at[::2], at[1::2], strict=False) if kind in ("group", "task")) or "job"
