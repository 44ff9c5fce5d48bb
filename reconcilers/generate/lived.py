"""An app that runs healthy, as it is remembered: what it is, and what its manifest says, in relative form.

Another app of its kind may be meant to say the same: where its variables are from, how much it needs, what it listens
on. The app's own name is taken out of every place, and what may be a secret is not in here. Values only, and pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from desired.draft.answers import answer_text
from desired.draft.value import BY_PERSON, Value
from desired.facts.facts import Facts
from desired.facts.possible_secret import may_be_secret
from desired.secret_literals import secret_kind
from prompts.memory.note import Note

FORM = "app"
APP = "{app}"
# What another app may be meant to say as well. What runs, and who reaches it, is each one's own.
_KEPT = frozenset({"env", "resources", "ports", "check", "count", "type", "files", "datacenters"})
_LONGEST = 200
_MOST_VALUES = 100
_MOUNT = re.compile(r"(vault: [^/]+/data/|)(.*)", re.DOTALL)
# What says most of what an app is.
_WEIGHTS = {"language": 2.0, "framework": 3.0, "type": 0.5}


@dataclass(frozen=True, slots=True)
class Said:
    """`answer` as people answer, with `{app}` for the app's own name; `by` is who said it: `person`, or its source."""

    answer: str
    by: str


@dataclass(frozen=True, slots=True)
class Lived:
    """`about` are words such as `language python`, `reads DATABASE_URL`; `said` goes by the ids of values."""

    app: str
    cluster: str
    about: frozenset[str]
    said: Mapping[str, Said]
    at: datetime
    version: str = ""

    @property
    def key(self) -> str:
        # Clusters may share a store.
        return f"app-{self.cluster}/{self.app}"

    def note(self) -> Note:
        said = {at: [one.answer, one.by] for at, one in self.said.items()}
        fields = {
            "form": FORM, "app": self.app, "cluster": self.cluster, "about": json.dumps(sorted(self.about)),
            "said": json.dumps(said, sort_keys=True, ensure_ascii=False), "at": self.at.isoformat(),
            "version": self.version,
        }  # fmt: skip
        return Note(self.key, " ".join(sorted(self.about)), fields)

    @classmethod
    def of(cls, note: Note) -> Lived | None:
        """None for what this version cannot read."""
        told = note.fields
        if told.get("form") != FORM:
            return None
        try:
            return cls.read(
                {**told, "about": json.loads(told["about"]), "said": _pairs(json.loads(told["said"]))}
            )  # fmt: skip
        except (KeyError, ValueError, TypeError, AttributeError):
            return None

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Lived:
        """As the API answers it. Raises KeyError, ValueError, TypeError or AttributeError for anything else."""
        said = {str(one["id"]): Said(str(one["answer"]), str(one["by"])) for one in told["said"]}
        about = frozenset(str(one) for one in told["about"])
        at = datetime.fromisoformat(told["at"])
        return cls(
            str(told["app"]), str(told["cluster"]), about, MappingProxyType(said), at, str(told.get("version", ""))
        )  # fmt: skip


def _pairs(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"id": at, "answer": answer, "by": by} for at, (answer, by) in said.items()]


def about(facts: Facts, kind: str) -> frozenset[str]:
    """What an app is, in words that the same kind of app shares."""
    found = {f"type {kind}"}
    if facts.language is not None:
        found.add(f"language {facts.language.value}")
    if facts.framework is not None:
        found.add(f"framework {facts.framework.value}")
    found |= {f"reads {name}" for name in (*facts.env_uses, *facts.env)}
    found |= {f"needs {name}" for name in facts.backends}
    return frozenset(one[:_LONGEST] for one in found)


def said_by(values: Iterable[Value], name: str) -> Mapping[str, Said]:
    """What of a manifest's values is remembered; `name` is the app's own."""
    found: dict[str, Said] = {}
    for value in values:
        text = answer_text(value.id, value.data) if value.at[0] in _KEPT else None
        if text is None or len(text) > _LONGEST or len(found) == _MOST_VALUES or _may_be_secret(value, text):
            continue
        found[value.id] = Said(relative(text, name), "person" if value.source == BY_PERSON else value.source)
    return MappingProxyType(found)


def _may_be_secret(value: Value, text: str) -> bool:
    fixed = value.data.get("fixed") if isinstance(value.data, Mapping) else None
    if fixed is not None and ("@" in str(fixed) or may_be_secret(value.at[-1], str(fixed))):
        return True
    return secret_kind(text) is not None


def relative(text: str, name: str) -> str:
    """`vault: secret/data/shop/db#password` is `vault: secret/data/{app}/db#password` for shop."""
    mount, rest = _split(text)
    return mount + re.sub(rf"(?<![\w{{-]){re.escape(name)}(?![\w}}-])", APP, rest)


def concrete(text: str, name: str) -> str:
    return text.replace(APP, name)


def _split(text: str) -> tuple[str, str]:
    """The name of a mount is not the app's, also where it is the same word."""
    found = _MOUNT.fullmatch(text)
    return (found[1], found[2]) if found is not None else ("", text)


@dataclass(frozen=True, slots=True)
class Alike:
    """A remembered app and how much it is like the one at hand, from 0 to 1."""

    lived: Lived
    similarity: float


def alike(
    asked: frozenset[str], known: Iterable[Lived], *, app: str, most: int = 5, least: float = 0.25
) -> tuple[Alike, ...]:  # fmt: skip
    """The most alike first. `app` itself is left out: what it said stands in its manifest."""
    found = [Alike(one, _share(asked, one.about)) for one in known if one.app != app]
    found = [one for one in found if one.similarity >= least]
    return tuple(sorted(found, key=lambda one: (-one.similarity, -one.lived.at.timestamp(), one.lived.app))[:most])


def _share(one: Collection[str], other: Collection[str]) -> float:
    both, either = set(one) & set(other), set(one) | set(other)
    return sum(map(_weight, both)) / sum(map(_weight, either)) if either else 0.0


def _weight(word: str) -> float:
    return _WEIGHTS.get(word.partition(" ")[0], 1.0)
