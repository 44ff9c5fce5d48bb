"""A draft that nobody is asked about: suggestions are taken, and said to be that. Pure."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from desired.draft.answers import NONE, read_answer
from desired.draft.manifest_order import in_order
from desired.draft.refused import acceptable
from desired.draft.value import SURE, Draft, Value
from desired.errors import UsageError
from desired.question import Question

BY_DEFAULT = "default"


def settled(draft: Draft) -> Draft:
    """Every question that has a default is answered by it; the others stay open."""
    taken: list[Value] = []
    left: list[Question] = []
    for question in draft.questions:
        value = draft.suggestions.get(question.id) or _by_default(question)
        if value is None and question.default != NONE:
            left.append(question)
        elif value is not None:
            said = BY_DEFAULT if value.confidence >= SURE else f"{BY_DEFAULT}, not sure"
            taken.append(replace(value, source=f"{said}: {value.source}".removesuffix(": ")))
    values = [value for value in taken if acceptable(value, beside=[*draft.values, *taken])]
    refused = {value.id for value in taken} - {value.id for value in values}
    left += [replace(one, default="") for one in draft.questions if one.id in refused]
    in_all = in_order([*draft.values, *values])
    return replace(draft, values=in_all, questions=tuple(left), suggestions=MappingProxyType({}))


def _by_default(question: Question) -> Value | None:
    try:
        data = read_answer(question.id, question.default)
    except UsageError:
        return None
    head, _, rest = question.id.partition(".")
    return Value((head, rest), data, "", 0.5) if data is not None else None
