"""Answers about cases of the repair corpus, as an endpoint says them: by a script that reads what a case says.

One that knows an answer only where the prompt has shown it some makes a prompt with examples the better one: what an
optimizer finds for it says that the search works, and nothing about any model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.doubles.model_endpoint import Body
from tests.repair.case import Case

Answer = Callable[[Body], Mapping[str, Any]]


def reads(cases: Sequence[Case], *, knows: Callable[[Case | None, Body], bool] = lambda _case, _body: True) -> Answer:
    """Right where it `knows` the case (None: one in which nothing is to be done); else the job is not at fault."""

    def answer(body: Body) -> Mapping[str, Any]:
        schema = schema_of(body)
        if "proposed_instruction" in schema["properties"]:
            return {"proposed_instruction": "Look at what the log names, and at nothing else."}
        case = case_of(cases, body)
        operations = [one for one in case.answers if _fits(one, schema)][:1] if case is not None else []
        if not knows(case, body):
            operations = []
        return said(body, operations)

    return answer


def has_examples(body: Body) -> bool:
    return any(one["role"] == "assistant" for one in body["messages"])


def case_of(cases: Sequence[Case], body: Body) -> Case | None:
    """The one whose words stand in the question; None for one without an answer."""
    question = body["messages"][-1]["content"]
    for case in cases:
        words = [str(piece) for one in case.world["behaviours"] for piece in (one.get("stderr"), one.get("stdout"))]
        lines = [line for text in words for line in text.splitlines() if len(line) > 8 and line != "None"]
        if case.answers and f"default/{case.app}" in question and any(line in question for line in lines):
            return case
    return None


def said(body: Body, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """An answer of the right form with these operations."""
    confidence = schema_of(body)["properties"]["confidence"]
    return {
        "diagnosis": "the log says so", "fixable": bool(operations), "who": "" if operations else "whoever wrote it",
        "confidence": confidence["enum"][-1] if "enum" in confidence else 0.9,
        "operations": [{**one, "because": "the log names it"} for one in operations],
    }  # fmt: skip


def forms(body: Body) -> list[Mapping[str, Any]]:
    """What may be answered as an operation."""
    items = schema_of(body)["properties"]["operations"]["items"]
    return list(items.get("anyOf", ()))


def schema_of(body: Body) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = body["response_format"]["json_schema"]["schema"]
    return schema


def _fits(one: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    items = schema["properties"]["operations"]["items"].get("anyOf", ())
    return any(
        one["op"] in form["properties"]["op"]["enum"] and one["path"] in form["properties"]["path"]["enum"]
        for form in items
    )
