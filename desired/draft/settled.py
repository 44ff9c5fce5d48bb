"""A draft that nobody is asked about: suggestions are taken, and said to be that. Pure."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from desired.draft.answers import read_answer
from desired.draft.drafting import in_order
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
        if value is None:
            left.append(question)
        else:
            said = BY_DEFAULT if value.confidence >= SURE else f"{BY_DEFAULT}, not sure"
            taken.append(replace(value, source=f"{said}: {value.source}".removesuffix(": ")))
    values = in_order([*draft.values, *taken])
    return replace(draft, values=values, questions=tuple(left), suggestions=MappingProxyType({}))


def _by_default(question: Question) -> Value | None:
    try:
        data = read_answer(question.id, question.default)
    except UsageError:
        return None
    head, _, rest = question.id.partition(".")
    return Value((head, rest), data, "", 0.5) if data is not None else None
