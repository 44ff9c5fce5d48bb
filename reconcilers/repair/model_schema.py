"""The one form in which a model may answer: operations of this class, at the addresses of this job. Pure.

Places are enums and values typed, so that whatever a log talked a model into is an operation of a known kind on a part
of this job, or no answer at all. What an operation may do is for the guard to say, not for this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from desired.operations.operation import Kind, Operation
from desired.operations.table import How, Row, Type, row
from reconcilers.repair.model_view import places_of
from reconcilers.repair.proposal import Case

# Words, not a number: bounds of numbers are what grammars of endpoints keep least to.
SURENESS = ("low", "medium", "high")
_MOST_OPERATIONS = 4
_LONGEST_TEXT = 500
_MOST_WORDS = 30


def schema(case: Case, kinds: Sequence[Kind]) -> dict[str, Any]:
    """`operations` is empty where the job is not at fault; then `who` says who must act, and on what."""
    forms = [form for kind in kinds if (form := _form(case, kind)) is not None]
    operations = {"type": "array", "items": {"anyOf": forms}, "maxItems": _MOST_OPERATIONS}
    return _object({
        "diagnosis": {"type": "string", "minLength": 1, "maxLength": 400},
        "fixable": {"type": "boolean"},
        "who": {"type": "string", "maxLength": 300},
        "confidence": {"type": "string", "enum": list(SURENESS)},
        "operations": operations if forms else {**operations, "items": {"type": "null"}, "maxItems": 0},
    })  # fmt: skip


def _form(case: Case, kind: Kind) -> dict[str, Any] | None:
    paths = [Operation(kind, at, None, None).path for at, _ in places_of(case, kind)]
    if not paths:
        return None
    spec = row(kind)
    properties = {
        "op": {"type": "string", "enum": [kind.value]},
        "path": {"type": "string", "enum": paths},
        "to": _value(spec),
        "because": {"type": "string", "minLength": 1, "maxLength": 300},
    }
    if spec.how is How.FRAGMENT:
        # Which piece of the text is meant; it has to stand there.
        properties["from"] = {"type": "string", "minLength": 1, "maxLength": _LONGEST_TEXT}
    return _object(properties)


def _value(spec: Row) -> dict[str, Any]:
    text = {"type": "string", "maxLength": _LONGEST_TEXT}
    match spec.type:
        case Type.WHOLE:
            return {"type": ["integer", "null"], "minimum": 0, "maximum": 10**18}
        case Type.FLAG:
            return {"type": "boolean"}
        case Type.TEXTS:
            return {"anyOf": [{"type": "null"}, {"type": "array", "items": text, "maxItems": _MOST_WORDS}]}
        case Type.ANY:
            texts = {"type": "array", "items": text, "maxItems": _MOST_WORDS}
            return {"anyOf": [{"type": "null"}, text, {"type": "integer"}, {"type": "boolean"}, texts]}
    return {"type": ["string", "null"], "maxLength": _LONGEST_TEXT}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False,
    }  # fmt: skip
