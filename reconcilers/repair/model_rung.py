"""The last rung: a model is asked what the rules do not know. Its answer is input: typed, applied to a copy, judged.

It can only name operations of this failure's class, at addresses of this job; what stands there now is read from the
job, never taken from the answer. The guard, Nomad's plan and the verification decide, as for every other rung.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from desired.cause import Cause
from desired.operations.operation import Kind, Operation, Value
from desired.operations.operation_json import OperationUnreadable, from_json, to_json
from desired.operations.table import How, row
from desired.operations.words import line
from desired.state import JobBody
from observers.failures.table import TABLE
from prompts.catalog import Prompts
from prompts.model.question import Model, PromptVersion, Question
from prompts.model.unusable import UnusableAnswer
from reconcilers.repair.model_schema import schema
from reconcilers.repair.model_view import Hide, places_of, variables
from reconcilers.repair.proposal import Answer, Candidates, Case, Rung
from reconcilers.repair.rules.rule import Edit, fix

NAME = "model"
# It says itself that it guesses.
_GUESSED = "low"
_CLIMBABLE = frozenset({Cause.SPEC, Cause.UNKNOWN})


class Recall(Protocol):
    """What helped, or did not, when this failed before: in words, best first, without secrets."""

    async def recalled(self, case: Case) -> Sequence[str]: ...


class ModelRung:
    """Implements `reconcilers.repair.ladder.AskedRung`. `hiding` makes what takes a job's secrets out of texts."""

    def __init__(
        self, *, model: Model, prompts: Prompts, hiding: Callable[[JobBody], Hide], recall: Recall | None = None
    ) -> None:
        self._model = model
        self._prompts = prompts
        self._hiding = hiding
        self._recall = recall

    async def propose(self, case: Case) -> Answer:
        """None where no operation could help; Candidates where it says who else must act. Raises OperatorError."""
        kinds = _kinds(case)
        if not kinds or case.diagnosis.cause not in _CLIMBABLE:
            return None
        recalled = await self._recall.recalled(case) if self._recall is not None else ()
        refused: list[str] = []
        try:
            return await self._asked(case, kinds, recalled, refused)
        except UnusableAnswer as error:
            # Once more, with what was wrong: that is cheaper than a person.
            refused.append(f"your last answer could not be read: {'; '.join(error.wrong)}")
            return await self._asked(case, kinds, recalled, refused)

    async def _asked(
        self, case: Case, kinds: Sequence[Kind], recalled: Sequence[str], refused: Sequence[str]
    ) -> Answer:  # fmt: skip
        prompt = await self._prompts.chosen("repair", by=case.episode or str(case.key))
        hide = self._hiding(case.body)
        reply = await self._model.ask(
            Question(
                messages=prompt.messages(variables(case, kinds, hide=hide, recalled=recalled, refused=refused)),
                schema_name="repair", schema=schema(case, kinds), settings=prompt.settings, prompt=prompt.version,
                purse=case.episode, app=str(case.key),
            )
        )  # fmt: skip
        return _read(case, reply.value, prompt.version)


def _kinds(case: Case) -> tuple[Kind, ...]:
    allowed = TABLE[case.diagnosis.failure].may_help
    return tuple(kind for kind in allowed if places_of(case, kind))


def _read(case: Case, answer: Mapping[str, Any], prompt: PromptVersion) -> Answer:
    told = " ".join(str(answer["diagnosis"]).split())
    if not answer["fixable"] or not answer["operations"]:
        who = " ".join(str(answer["who"]).split())
        return Candidates(NAME, f"the model says that the job cannot mend it: {told}{f'; {who}' if who else ''}", ())
    edits = [_edit(one) for one in answer["operations"]]
    if answer["confidence"] == _GUESSED:
        guessed = "; ".join(line(Operation(one.kind, one.at, one.old or None, one.new)) for one in edits if one)
        return Candidates(NAME, f"the model only guesses: {told}", (guessed,) if guessed else ())
    made = fix(case, told, [one for one in edits if one is not None]) if all(edits) else None
    if made is None:
        return None
    return replace(made, rung=Rung.MODEL, source=NAME, prompt=prompt)


def _edit(one: Mapping[str, Any]) -> Edit | None:
    """The address and the new value, typed as every operation is; None for what is none."""
    kind = Kind(one["op"])
    to: Value = tuple(one["to"]) if isinstance(one["to"], list) else one["to"]
    try:
        read = from_json({**to_json(Operation(kind, (), None, to)), "path": one["path"]})
    except OperationUnreadable:
        return None
    old = str(one["from"]) if row(kind).how is How.FRAGMENT else ""
    return Edit(kind, read.at, read.new, f"the model: {' '.join(str(one['because']).split())}", old)
