"""What code says and a manifest cannot: it is left out and told, so that one odd value does not cost the others. Pure.

What people said is never left out: they are told where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from desired.app import AppKey
from desired.draft.value import BY_PERSON, BY_PROMPT, Draft, Value
from desired.finding import Finding
from desired.generate import generate
from desired.manifest import API_VERSION, KIND, App
from desired.manifest_problems import findings_of
from desired.manifest_rules import broken_rules
from desired.policy import OnFailure

# What depends on a value that was left out may be wrong without it; so deep it never goes.
_PASSES = 4
_IMAGE = "an-image"


def without_refused(draft: Draft) -> Draft:
    """The draft without values and suggestions that no manifest takes; each is a note with the reason."""
    notes: list[str] = []
    for _ in range(_PASSES):
        wrong = dict(_wrong((*draft.values, *draft.suggestions.values())))
        if not wrong:
            break
        notes += wrong.values()
        draft = replace(
            draft,
            values=tuple(value for value in draft.values if value.id not in wrong),
            suggestions=MappingProxyType({at: one for at, one in draft.suggestions.items() if at not in wrong}),
            questions=tuple(replace(one, default="") if one.id in wrong else one for one in draft.questions),
        )
    return replace(draft, notes=(*draft.notes, *dict.fromkeys(notes))) if notes else draft


def acceptable(value: Value, *, beside: Iterable[Value]) -> bool:
    """Whether a manifest that says the others as well takes this value."""
    entry = replace(value, at=("volumes",), data=[value.data]) if value.at[0] == "volumes" else value
    others = [one for one in beside if one.at != entry.at and one.at[0] != "volumes"]
    return entry.id not in dict(_wrong((*others, replace(entry, source=""))))


def _wrong(values: tuple[Value, ...]) -> Iterator[tuple[str, str]]:
    """The ids of what cannot stand there, and what is to be told."""
    spec = Draft("", values).spec
    for finding in _findings({**spec, "image": spec.get("image", _IMAGE)}):
        steps = tuple(str(step) for step in finding.steps[1:])
        for value in values:
            inside = bool(steps) and value.at[: len(steps)] == steps[: len(value.at)]
            if inside and value.source not in (BY_PERSON, BY_PROMPT):
                yield value.id, f"{value.source}: {value.id} was left out: {finding.message}"


def _findings(spec: dict[str, Any]) -> list[Finding]:
    document = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "app"}, "spec": spec}
    found = list(broken_rules(document))
    try:
        app = App.model_validate(document)
    except ValidationError as error:
        return [*found, *findings_of(error)]
    return found or generate(AppKey("default", "app"), app.spec, OnFailure.ROLLBACK)[1]
