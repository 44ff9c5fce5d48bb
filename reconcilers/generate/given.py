"""What a model has answered about one app, as it is kept: a job must not change because it would answer otherwise now.

An answer stays in force while its question is open and the file that it was taken from still says so. Values only, and
their form in the store; no value of a secret is among them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from desired.draft.answers import answer_text
from desired.draft.value import BY_PROMPT, Value
from desired.facts.codebase import Codebase
from reconcilers.generate.cited import stands
from reconcilers.generate.model_draft import words_of
from reconcilers.generate.model_facts import MOST_SURE, NAME

_FORM = 1


@dataclass(frozen=True, slots=True)
class Given:
    """`words` tells by which words `meant` was understood, `code` by which code the rest was answered.

    `asked` are the questions that were put about that code, also those that got no answer; `shown` tells what of the
    code was shown for them.
    """

    words: str = ""
    meant: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    code: str = ""
    asked: frozenset[str] = frozenset()
    shown: str = ""
    values: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))


def told_by(words: str) -> str:
    """Equal exactly while the words are."""
    return hashlib.sha256(words.encode()).hexdigest()[:16] if words else ""


def still_said(meant: Mapping[str, Value], words: str) -> dict[str, Value]:
    """Of what other words meant, what was taken from words that stand in these too."""
    said = " ".join(words.split()).lower()
    return {at: value for at, value in meant.items() if value.reason.strip("“”").lower() in said}


def standing(values: Mapping[str, Value], codebase: Codebase) -> dict[str, Value]:
    """Those whose file still holds what was taken from it. What is not from a file stands."""
    return {at: value for at, value in values.items() if _stands(value, codebase)}


def _stands(value: Value, codebase: Codebase) -> bool:
    path = value.source.removeprefix(f"{NAME}: ").rpartition(":")[0]
    if not value.source.startswith(f"{NAME}: ") or not path:
        return True
    said = codebase.text(path)
    return said is not None and all(stands(said, word) for word in _words(value))


def _words(value: Value) -> Iterator[str]:
    text = answer_text(value.id, value.data)
    yield from words_of(value.id, text) if text is not None else ()


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)

    at: tuple[str, ...]
    data: Any
    source: str
    reason: str = ""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)

    form: int
    words: str
    meant: tuple[_Answer, ...]
    code: str
    asked: tuple[str, ...]
    shown: str = ""
    values: tuple[_Answer, ...]


def to_document(given: Given) -> Mapping[str, Any]:
    """For the store."""
    return {
        "form": _FORM, "words": given.words, "meant": _written(list(given.meant.values())), "code": given.code,
        "asked": sorted(given.asked), "shown": given.shown, "values": _written(list(given.values.values())),
    }  # fmt: skip


def from_document(document: Mapping[str, Any]) -> Given | None:
    """None for what this version cannot read: it is asked again."""
    try:
        read = _Document.model_validate(document)
    except ValidationError:
        return None
    if read.form != _FORM:
        return None
    return Given(
        read.words, _read(read.meant, BY_PROMPT), read.code, frozenset(read.asked), read.shown, _read(read.values, NAME)
    )  # fmt: skip


def _written(values: Sequence[Value]) -> list[dict[str, Any]]:
    return [{"at": list(one.at), "data": one.data, "source": one.source, "reason": one.reason} for one in values]


def _read(answers: Sequence[_Answer], by: str) -> Mapping[str, Value]:
    sure = 1.0 if by == BY_PROMPT else MOST_SURE
    values = [Value(one.at, one.data, one.source, sure, one.reason) for one in answers if one.at]
    return MappingProxyType({one.id: one for one in values})
