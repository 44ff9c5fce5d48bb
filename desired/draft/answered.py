"""What people said, as values of a manifest; and the question for what is not sure enough. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desired.draft.answers import YES, answer_text, sources_of
from desired.draft.value import BY_NAME, Value
from desired.question import Question


def question_about(value: Value) -> Question:
    """A suggestion that is not sure enough, as a question."""
    if value.at[0] == "env":
        (source, text), *_ = value.data.items()
        place = value.source.removeprefix(BY_NAME)
        why = f" {value.reason[:1].upper()}{value.reason[1:]}." if value.reason else ""
        return Question(
            value.id, f"Where does {value.at[-1]} come from{place}?{why}", sources_of(value.at[-1]), f"{source}: {text}"
        )
    said = answer_text(value.id, value.data)
    shown = value.data if said is None else said
    return Question(value.id, f"Is {value.id} right as {shown} ({value.source})?", default=said or YES)


def answered(at: str, data: Any, source: str, reason: str = "") -> Iterator[Value]:
    """None is an answer too: there is to be none."""
    head, _, rest = at.partition(".")
    if data is not None:
        # The name of a variable and the place of a volume may hold dots themselves.
        yield Value((head, rest) if rest else (head,), data, source, 1.0, reason)


def by_label(answers: Mapping[str, Any]) -> dict[str, Any]:
    """All ports in one answer as one answer for each: `ports` itself stays as what was said of them as a whole."""
    told = dict(answers)
    if told.get("ports"):
        told |= {f"ports.{label}": port for label, port in told["ports"].items()} | {"ports": None}
    return told
